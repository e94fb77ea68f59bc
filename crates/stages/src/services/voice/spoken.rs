use super::pieces::Pieces;
use super::progress::Progress;
use super::requested::Requested;
use super::speech::Speech;
use crate::services::ServiceError;
use crate::tts::{Clause, TtsEvent};
use ringway_frame::{Format, Frame};
use std::task::{Context, Poll, ready};

/// A clause, its request, and how far it was spoken.
pub(super) struct Spoken {
    /// `None` when all audio has come, or there is nothing to say.
    pieces: Option<Box<dyn Pieces>>,
    speech: Speech,
    progress: Progress,
    /// There is something to be heard.
    sounds: bool,
    /// Told when its turn comes.
    failed: Option<ServiceError>,
}

impl Spoken {
    pub(super) fn begin<V: Requested>(voice: &V, clause: Clause, format: Format) -> Self {
        // Some fail over a text without a sound in it.
        let sounds = clause.text.contains(char::is_alphanumeric);
        let pieces = sounds.then(|| voice.ask(clause.text.trim()));
        let mut speech = Speech::new(voice.coding(), format);
        if !sounds {
            speech.give_up();
        }
        Self { pieces, speech, progress: Progress::new(clause, false), sounds, failed: None }
    }

    /// The clause.
    pub(super) fn id(&self) -> u32 {
        self.progress.clause().id
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
            if let Some(word) = self.progress.word(self.speech.frames()) {
                return Poll::Ready(Ok(word));
            }
            if self.speech.next(frame)? {
                self.progress.spoke();
                return Poll::Ready(Ok(TtsEvent::Audio));
            }
            if self.pieces.is_none() && self.sounds && self.speech.is_empty() {
                return Poll::Ready(Err(ServiceError::Silent));
            }
            if self.pieces.is_none() {
                return Poll::Ready(Ok(self.progress.end()));
            }
            ready!(self.poll_more(cx));
        }
    }

    /// Takes in the next piece of the answer, or its end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pieces) = &mut self.pieces else { return Poll::Ready(()) };
        match ready!(pieces.poll_piece(cx)) {
            Some(Ok(piece)) => self.speech.take(piece),
            Some(Err(error)) => self.failed = Some(error),
            None => {
                self.pieces = None;
                self.speech.finish();
            }
        }
        Poll::Ready(())
    }
}

impl std::fmt::Debug for Spoken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spoken").field("progress", &self.progress).finish_non_exhaustive()
    }
}
