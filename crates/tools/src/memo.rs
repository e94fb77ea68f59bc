use ringway_stages::tool_use::{Deed, MOST_DEEDS};
use serde::{Deserialize, Serialize};

/// What a toolbox wants back with the next request: the model's own memo, and what tools said in accepted replies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memo {
    #[serde(default)]
    pub(super) model: String,
    #[serde(default)]
    pub(super) deeds: Vec<Deed>,
}

impl Memo {
    /// A memo that is none of a toolbox is the model's own, of a time or a chain without tools.
    pub(super) fn read(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        serde_json::from_str(text).unwrap_or_else(|_| Self { model: text.to_owned(), deeds: Vec::new() })
    }

    pub(super) fn write(mut self) -> String {
        if self.deeds.is_empty() {
            return self.model;
        }
        let old = self.deeds.len().saturating_sub(MOST_DEEDS);
        self.deeds.drain(..old);
        serde_json::to_string(&self).expect("text and numbers are JSON")
    }
}
