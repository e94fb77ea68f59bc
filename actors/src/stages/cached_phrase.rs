use crate::stages::clip::Clip;
use ringway_frame::Frame;
use ringway_stages::tts::{Clause, TtsError, TtsEvent, TtsSession};
use std::sync::Arc;
use std::task::{Context, Poll};

/// A voice with one phrase in memory, which sounds at once whatever the voice itself does.
pub(crate) struct CachedPhrase {
    voice: Box<dyn TtsSession>,
    phrase: String,
    clip: Clip,
    /// Clauses that the clip owes, and the voice.
    owed: (usize, usize),
}

impl CachedPhrase {
    /// `voice`, but for `phrase`, whose coded audio is whole frames.
    pub(crate) fn new(voice: Box<dyn TtsSession>, phrase: &str, audio: Arc<[u8]>) -> Self {
        // What nobody could speak ahead is left to the voice.
        let phrase = if audio.is_empty() { String::new() } else { phrase.to_owned() };
        Self { voice, phrase, clip: Clip::new(audio), owed: (0, 0) }
    }
}

impl TtsSession for CachedPhrase {
    /// The phrase behind clauses of the voice is the voice's, so that they stay in order.
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if self.owed.1 == 0 && clause.text == self.phrase {
            self.owed.0 += 1;
            return self.clip.speak(clause);
        }
        self.voice.speak(clause)?;
        self.owed.1 += 1;
        Ok(())
    }

    fn cancel(&mut self) {
        self.clip.cancel();
        self.voice.cancel();
        self.owed = (0, 0);
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let cached = self.owed.0 > 0;
        let event = if cached { self.clip.poll_next(cx, frame) } else { self.voice.poll_next(cx, frame) };
        if matches!(event, Poll::Ready(Ok(TtsEvent::Done { .. }) | Err(TtsError::Refused { .. }))) {
            let owed = if cached { &mut self.owed.0 } else { &mut self.owed.1 };
            *owed = owed.saturating_sub(1);
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::Format;
    use std::task::Waker;

    /// A voice whose audio is ones.
    fn session() -> CachedPhrase {
        let frame = |value: u8| Arc::from(vec![value; 160]);
        CachedPhrase::new(Box::new(Clip::new(frame(1))), "One moment.", frame(2))
    }

    fn said(session: &mut CachedPhrase) -> Vec<u8> {
        let mut frame = Frame::silence(Format::Mulaw8k);
        let mut said = Vec::new();
        while let Poll::Ready(Ok(event)) =
            session.poll_next(&mut Context::from_waker(Waker::noop()), &mut frame)
        {
            said.extend((event == TtsEvent::Audio).then(|| frame.payload()[0]));
        }
        said
    }

    fn speak(session: &mut CachedPhrase, text: &str) {
        session.speak(Clause { id: 0, text: text.into() }).unwrap();
    }

    #[test]
    fn the_phrase_comes_from_memory_and_all_else_from_the_voice() {
        let mut session = session();
        speak(&mut session, "One moment.");
        speak(&mut session, "Yes.");
        assert_eq!(said(&mut session), [2, 1]);
    }

    #[test]
    fn behind_other_clauses_the_phrase_keeps_its_place() {
        let mut session = session();
        speak(&mut session, "Yes.");
        speak(&mut session, "One moment.");
        assert_eq!(said(&mut session), [1, 1]);
    }

    #[test]
    fn what_was_cancelled_is_not_owed() {
        let mut session = session();
        speak(&mut session, "Yes.");
        session.cancel();
        speak(&mut session, "One moment.");
        assert_eq!(said(&mut session), [2]);
    }
}
