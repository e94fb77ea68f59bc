use crate::{AskId, TurnNumber, UtteranceId};
use ringway_frame::MediaTime;

/// A turn of the caller's that was answered by ear: its words are still to come.
#[derive(Debug)]
pub(crate) struct PendingTranscript {
    pub(crate) utterance: UtteranceId,
    pub(crate) ask: AskId,
    pub(crate) turn: TurnNumber,
    pub(crate) from: MediaTime,
    pub(crate) until: MediaTime,
    /// Words of the same turn that came before.
    pub(crate) prefix: String,
    /// Where in the context they belong, once the answer to them is there.
    pub(crate) place: Option<usize>,
}

impl PendingTranscript {
    /// The oldest messages have left the context.
    pub(crate) fn forget(&mut self, messages: usize) {
        self.place = self.place.map(|place| place.saturating_sub(messages));
    }
}
