use crate::Language;
use ringway_stages::humane;
use ringway_stages::services::embeddings;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What is known, and when it is asked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder of the index; without it there is no knowledge base.
    pub index: Option<PathBuf>,
    /// When it is searched. Default by the tool `look_up`.
    pub when: When,
    /// How many passages a turn is given at most; 0.5 to 1 KB each. Default 3.
    pub passages: usize,
    /// How alike question and passage must be, where they share no word: the cosine of their embeddings. Default 0.2,
    /// which fits the model; other models put unrelated texts elsewhere.
    pub likeness: f32,
    /// How long a turn waits for its passages before it goes on without. Default 300 ms.
    #[serde(deserialize_with = "humane::limit")]
    pub wait: Duration,
    /// Searches that may be under way at a time; more are refused. Default 64.
    pub searches: usize,
    /// The language of the documents, which decides how words are reduced to their stems.
    pub language: Language,
    /// What finds passages by their meaning. Default nothing: by their words alone.
    pub embeddings: Embeddings,
    /// The folder of the embedded model.
    pub model: PathBuf,
    /// The service of embeddings.
    pub service: embeddings::Config,
}

/// When the knowledge base is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// When the language model calls `look_up`.
    #[default]
    Tool,
    /// For every turn of the caller: what is found goes with the request, for this turn only.
    Turn,
}

/// What makes embeddings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Embeddings {
    /// Nothing.
    #[default]
    None,
    /// The embedded model.
    Model,
    /// A service on the network.
    Service,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            index: None,
            when: When::default(),
            passages: 3,
            likeness: 0.2,
            wait: Duration::from_millis(300),
            searches: 64,
            language: Language::default(),
            embeddings: Embeddings::default(),
            model: ".ringway/models/all-minilm-l6-v2".into(),
            service: embeddings::Config::default(),
        }
    }
}
