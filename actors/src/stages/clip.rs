use ringway_frame::Frame;
use ringway_stages::tts::{Clause, TtsError, TtsEvent, TtsSession};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Audio from memory in place of a voice: it needs no engine and cannot fail.
pub(crate) struct Clip {
    audio: Arc<[u8]>,
    /// The clauses to be spoken, and how much of the first one's audio is out.
    clauses: VecDeque<u32>,
    offset: usize,
}

impl Clip {
    /// Coded audio of whole frames.
    pub(crate) fn new(audio: Arc<[u8]>) -> Self {
        Self { audio, clauses: VecDeque::new(), offset: 0 }
    }
}

impl TtsSession for Clip {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        self.clauses.push_back(clause.id);
        Ok(())
    }

    fn cancel(&mut self) {
        self.clauses.clear();
        self.offset = 0;
    }

    fn poll_next(&mut self, _: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let Some(clause) = self.clauses.front().copied() else { return Poll::Pending };
        let rest = &self.audio[self.offset..];
        let payload = frame.payload_mut();
        if let Some(audio) = rest.get(..payload.len()) {
            payload.copy_from_slice(audio);
            self.offset += payload.len();
            return Poll::Ready(Ok(TtsEvent::Audio));
        }
        self.clauses.pop_front();
        self.offset = 0;
        Poll::Ready(Ok(TtsEvent::Done { clause }))
    }
}
