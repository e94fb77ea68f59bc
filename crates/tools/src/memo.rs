use ringway_stages::tool_use::{MOST_ROUNDS, ToolRound};
use serde::{Deserialize, Serialize};

/// What a toolbox wants back with the next request: the model's own memo, and what tools said in accepted replies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memo {
    #[serde(default)]
    pub(super) model: String,
    #[serde(default)]
    pub(super) rounds: Vec<ToolRound>,
}

impl Memo {
    /// A memo that is none of a toolbox is the model's own, of a time or a chain without tools.
    pub(super) fn read(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        serde_json::from_str(text).unwrap_or_else(|_| Self { model: text.to_owned(), rounds: Vec::new() })
    }

    pub(super) fn write(mut self) -> String {
        if self.rounds.is_empty() {
            return self.model;
        }
        let old = self.rounds.len().saturating_sub(MOST_ROUNDS);
        self.rounds.drain(..old);
        serde_json::to_string(&self).expect("text and numbers are JSON")
    }
}
