use super::Piper;
use super::speech::Speech;
use crate::services::ServiceError;
use crate::services::exchange::Exchange;
use crate::text::word_end;
use crate::tts::{Clause, TtsEvent};
use ringway_frame::{Format, Frame};
use std::task::{Context, Poll, ready};

/// A clause, its request, and how far it was spoken.
#[derive(Debug)]
pub(super) struct Spoken {
    clause: Clause,
    /// `None` when all audio has come, or there is nothing to say.
    exchange: Option<Exchange>,
    speech: Speech,
    /// Told when its turn comes.
    failed: Option<ServiceError>,
    frames: u64,
    /// Bytes of the text up to the end of the last word that was reported.
    words: usize,
}

impl Spoken {
    pub(super) fn begin(service: &Piper, clause: Clause, format: Format) -> Self {
        // Piper fails over a text without a sound in it.
        let sounds = clause.text.contains(char::is_alphanumeric);
        let exchange = sounds.then(|| Exchange::begin(&service.http, service.post(&clause.text), |_| Ok(())));
        let speech = Speech::new(service.spares.clone(), format);
        Self { clause, exchange, speech, failed: None, frames: 0, words: 0 }
    }

    /// Moves its request on while another clause sounds.
    pub(super) fn prepare(&mut self, cx: &mut Context<'_>) {
        if self.failed.is_none() && self.speech.wants_more() {
            let _ = self.poll_more(cx);
        }
    }

    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        frame: &mut Frame,
    ) -> Poll<Result<TtsEvent, ServiceError>> {
        loop {
            if let Some(error) = self.failed.take() {
                return Poll::Ready(Err(error));
            }
            if let Some(word) = self.word() {
                return Poll::Ready(Ok(word));
            }
            if self.speech.next(frame)? {
                self.frames += 1;
                return Poll::Ready(Ok(TtsEvent::Audio));
            }
            if self.exchange.is_none() {
                return Poll::Ready(Ok(self.end()));
            }
            ready!(self.poll_more(cx));
        }
    }

    /// Takes in the next piece of the answer, or its end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(exchange) = &mut self.exchange else { return Poll::Ready(()) };
        match ready!(exchange.poll_piece(cx)) {
            Some(Ok(piece)) => self.speech.take(piece),
            Some(Err(error)) => self.failed = Some(error),
            None => {
                self.exchange = None;
                self.failed = self.speech.finish().err();
            }
        }
        Poll::Ready(())
    }

    /// The next word whose audio was given: Piper does not tell, so that each takes its share of the characters.
    fn word(&mut self) -> Option<TtsEvent> {
        let frames = self.speech.frames()?;
        let rest = &self.clause.text[self.words..];
        let upto = self.words + word_end(rest);
        let due = frames * upto as u64 / (self.clause.text.len() as u64).max(1);
        // The last word is reported behind the last frame.
        if upto == self.clause.text.len() || self.frames < due.max(1) {
            return None;
        }
        self.words = upto;
        Some(TtsEvent::Word { clause: self.clause.id, upto: upto as u32 })
    }

    fn end(&mut self) -> TtsEvent {
        let (clause, all) = (self.clause.id, self.clause.text.len());
        if self.words < all {
            self.words = all;
            return TtsEvent::Word { clause, upto: all as u32 };
        }
        TtsEvent::Done { clause }
    }
}
