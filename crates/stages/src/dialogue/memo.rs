use super::script::Script;
use super::template::Slots;
use crate::llm::LlmError;
use serde::{Deserialize, Serialize};

/// Where a conversation stands: all that a session needs to go on, in a few bytes of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memo {
    #[serde(rename = "v")]
    version: u8,
    #[serde(rename = "d")]
    dialogue: String,
    #[serde(rename = "s")]
    pub(super) state: String,
    #[serde(rename = "x")]
    pub(super) slots: Slots,
    /// How often in a row the caller was not understood.
    #[serde(rename = "m")]
    pub(super) misses: u8,
}

impl Memo {
    /// The beginning of the dialogue.
    pub(super) fn start(script: &Script) -> Self {
        Self {
            version: VERSION,
            dialogue: script.name.clone(),
            state: script.start.clone(),
            slots: Slots::new(),
            misses: 0,
        }
    }

    /// What [`Self::write`] wrote; empty text is the beginning.
    pub(super) fn read(text: &str, script: &Script) -> Result<Self, LlmError> {
        if text.is_empty() {
            return Ok(Self::start(script));
        }
        let misfit = |reason: String| LlmError::Memo { dialogue: script.name.clone(), reason };
        let memo: Self = serde_json::from_str(text).map_err(|error| misfit(error.to_string()))?;
        if memo.version != VERSION {
            return Err(misfit(format!("its version is {}, not {VERSION}", memo.version)));
        }
        if memo.dialogue != script.name {
            return Err(misfit(format!("it is of dialogue {:?}", memo.dialogue)));
        }
        if !script.states.contains_key(&memo.state) {
            return Err(misfit(format!("there is no state {:?}", memo.state)));
        }
        Ok(memo)
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are always JSON")
    }
}

const VERSION: u8 = 1;
