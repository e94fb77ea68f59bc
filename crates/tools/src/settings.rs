use serde::Deserialize;
use std::path::PathBuf;

/// Where tools are declared, and how often they may be called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The file of their declarations; without it there are none.
    pub file: Option<PathBuf>,
    /// How often a model may call tools, and go on with what they said, in one reply. Default 4.
    pub rounds: u32,
    /// How many calls it may make at a time; more are refused. Default 8.
    pub calls: usize,
    /// Whether arguments of calls are shown on the page, in the API, in webhooks and in recordings. Default no.
    pub show_arguments: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { file: None, rounds: 4, calls: 8, show_arguments: false }
    }
}
