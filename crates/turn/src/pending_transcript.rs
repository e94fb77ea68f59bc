use crate::{AskId, TurnNumber, UtteranceId};
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A turn of the caller's that was answered by ear: its words are still to come.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PendingTranscript {
    pub(crate) utterance: UtteranceId,
    pub(crate) ask: AskId,
    pub(crate) turn: TurnNumber,
    pub(crate) from: MediaTime,
    pub(crate) until: MediaTime,
    /// Who spoke, where it is not the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) party: Option<Arc<str>>,
    /// Words of the same turn that came before.
    pub(crate) prefix: String,
    /// Where in the context they belong, once the answer to them is there.
    pub(crate) place: Option<usize>,
}

impl PendingTranscript {
    /// The message at this place has left the context.
    pub(crate) fn close_up(&mut self, at: usize) {
        self.place = self.place.map(|place| place - usize::from(place > at));
    }

    /// The oldest messages have left the context.
    pub(crate) fn forget(&mut self, messages: usize) {
        self.place = self.place.map(|place| place.saturating_sub(messages));
    }
}
