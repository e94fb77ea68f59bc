use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How much speech is kept, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Bytes in memory; beyond it, what was not asked for the longest goes. Default 32 MiB: over an hour of telephone
    /// audio. 0 keeps nothing there.
    pub memory: u64,
    /// Bytes on the disk; the same holds for it. Default 1 GiB.
    pub disk: u64,
    /// The folder on the disk; without it nothing is kept there.
    pub dir: Option<PathBuf>,
    /// Whether clauses of voices behind services are kept, too. Default yes.
    pub services: bool,
    /// Phrases that are made at start, besides those that dialogues say.
    pub phrases: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { memory: 32 << 20, disk: 1 << 30, dir: None, services: true, phrases: Vec::new() }
    }
}
