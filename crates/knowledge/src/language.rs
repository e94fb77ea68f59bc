use serde::{Deserialize, Serialize};
use std::fmt;
#[cfg(feature = "index")]
use tantivy::tokenizer::Language as Stems;

/// A language whose words can be reduced to their stems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "languages")]
pub enum Language {
    Arabic,
    Danish,
    Dutch,
    #[default]
    English,
    Finnish,
    French,
    German,
    Greek,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
}

#[cfg(feature = "index")]
impl Language {
    pub(crate) const fn stems(self) -> Stems {
        match self {
            Self::Arabic => Stems::Arabic,
            Self::Danish => Stems::Danish,
            Self::Dutch => Stems::Dutch,
            Self::English => Stems::English,
            Self::Finnish => Stems::Finnish,
            Self::French => Stems::French,
            Self::German => Stems::German,
            Self::Greek => Stems::Greek,
            Self::Hungarian => Stems::Hungarian,
            Self::Italian => Stems::Italian,
            Self::Norwegian => Stems::Norwegian,
            Self::Portuguese => Stems::Portuguese,
            Self::Romanian => Stems::Romanian,
            Self::Russian => Stems::Russian,
            Self::Spanish => Stems::Spanish,
            Self::Swedish => Stems::Swedish,
            Self::Tamil => Stems::Tamil,
            Self::Turkish => Stems::Turkish,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
