use crate::humane;
use crate::tools::BargeIn;
use crate::tools::built_in::Kind;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) http: BTreeMap<String, Http>,
    pub(super) mcp: BTreeMap<String, Mcp>,
    pub(super) built_in: BTreeMap<Kind, BuiltIn>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Http {
    pub(super) description: String,
    #[serde(default = "get")]
    pub(super) method: String,
    pub(super) url: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) sign: Option<Sign>,
    #[serde(default)]
    pub(super) parameters: Option<Value>,
    #[serde(default = "answer_limit")]
    pub(super) answer_limit: usize,
    #[serde(flatten)]
    pub(super) manner: Manner,
    /// Keys that nobody knows.
    #[serde(flatten)]
    pub(super) unknown: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sign {
    pub(super) secret: String,
    #[serde(default = "signature")]
    pub(super) signature: String,
    #[serde(default = "timestamp")]
    pub(super) timestamp: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Mcp {
    #[serde(default)]
    pub(super) command: Vec<String>,
    #[serde(default)]
    pub(super) variables: Vec<String>,
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) tools: Vec<String>,
    #[serde(flatten)]
    pub(super) manner: Manner,
    /// Keys that nobody knows.
    #[serde(flatten)]
    pub(super) unknown: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BuiltIn {
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(flatten)]
    pub(super) manner: Manner,
    /// Keys that nobody knows.
    #[serde(flatten)]
    pub(super) unknown: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Manner {
    #[serde(with = "humane")]
    pub(super) timeout: Duration,
    pub(super) filler: Option<String>,
    #[serde(with = "humane")]
    pub(super) filler_after: Duration,
    pub(super) on_barge_in: BargeIn,
}

impl Default for Manner {
    fn default() -> Self {
        let crate::tools::Manner { timeout, on_barge_in, .. } = crate::tools::Manner::default();
        Self { timeout, filler: None, filler_after: Duration::from_secs(1), on_barge_in }
    }
}

fn get() -> String {
    "GET".into()
}

fn answer_limit() -> usize {
    64 * 1_024
}

fn signature() -> String {
    "X-Signature".into()
}

fn timestamp() -> String {
    "X-Timestamp".into()
}
