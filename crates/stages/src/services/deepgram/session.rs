use super::message::{Message, Results, read};
use super::{Deepgram, NAME};
use crate::alarm::Alarm;
use crate::services::ServiceError;
use crate::services::stt_link::Link;
use crate::services::transcript::Transcript;
use crate::stt::{Segment, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::Frame;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// One call's recogniser: all of its audio on one stream, whose results are told apart by their place in it.
#[derive(Debug)]
pub(super) struct Session {
    link: Link<Deepgram>,
    /// How long the answer to a Finalize is waited for.
    patience: Duration,
    /// A segment has begun and was not answered yet: a loss of the socket now is a loss of words.
    busy: bool,
    /// Results that end before this place were used already, or are not of this segment.
    from: Duration,
    transcript: Transcript,
    /// Finalizes that the service has not answered.
    unanswered: u32,
    flush: Option<Flush>,
    alarm: Alarm,
}

/// A question for the last words.
#[derive(Clone, Copy, Debug)]
struct Flush {
    /// Where it was put.
    at: Duration,
    /// When it is answered with the guess, since it was sent.
    due: Option<Instant>,
}

impl Session {
    pub(super) fn new(link: Link<Deepgram>, patience: Duration) -> Self {
        Self {
            link,
            patience,
            busy: false,
            from: Duration::ZERO,
            transcript: Transcript::new(),
            unanswered: 0,
            flush: None,
            alarm: Alarm::default(),
        }
    }

    fn take(&mut self, results: Results) {
        let Results { text, is_final, from_finalize, end } = results;
        let end = self.link.origin() + end;
        let text = if end <= self.from { String::new() } else { text };
        if from_finalize {
            self.unanswered = self.unanswered.saturating_sub(1);
        }
        if !is_final && !from_finalize {
            return self.transcript.guess(&text);
        }
        self.from = self.from.max(end);
        // An older question's answer is no answer to the present one.
        let flushed = from_finalize && self.unanswered == 0 && self.flush.is_some();
        if flushed { self.answer(&text) } else { self.transcript.stand(&text) }
    }

    fn answer(&mut self, text: &str) {
        self.flush = None;
        self.busy = false;
        self.transcript.answer(text);
    }

    /// The service says nothing when there is little left to say: then the guess counts.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(flush) = &mut self.flush else { return Poll::Pending };
        if !self.link.is_drained() {
            return Poll::Pending;
        }
        let due = *flush.due.get_or_insert_with(|| Instant::now() + self.patience);
        let at = flush.at;
        std::task::ready!(self.alarm.poll(due, cx));
        self.from = self.from.max(at);
        let guess = self.transcript.take_guess();
        self.answer(&guess);
        Poll::Ready(())
    }

    /// What a loss means: words, a refusal for good, or nothing but the time to connect again.
    fn lose(&mut self, error: ServiceError) -> Result<(), SttError> {
        if self.busy || matches!(error, ServiceError::Status { .. } | ServiceError::Failed { .. }) {
            return Err(failure(error));
        }
        tracing::info!(%error, "the streaming recogniser is connected again");
        self.unanswered = 0;
        self.transcript.take_guess();
        self.link.rest();
        Ok(())
    }
}

impl SttSession for Session {
    fn mode(&self) -> SttMode {
        SttMode::Streaming
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.transcript.begin(segment.id);
        self.busy = true;
        self.flush = None;
        self.from = self.from.max(self.link.position().saturating_sub(ONSET));
        self.link.hurry();
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.link.hear(frame);
        let waiting = self.link.waiting();
        if self.busy && waiting > frame.format().bytes() * MOST_WAITING {
            return Err(failure(ServiceError::Backlog { waiting }));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        self.link.say(FINALIZE);
        self.unanswered += 1;
        self.busy = true;
        self.flush = Some(Flush { at: self.link.position(), due: None });
        Ok(())
    }

    fn abandon(&mut self) {
        self.flush = None;
        self.busy = false;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        loop {
            if let Some(event) = self.transcript.next() {
                return Poll::Ready(Ok(event));
            }
            match self.link.poll(cx) {
                Poll::Ready(Ok(text)) => match read(&text) {
                    Ok(Message::Results(results)) => self.take(results),
                    Ok(Message::Other) => {}
                    Err(error) => return Poll::Ready(Err(failure(error))),
                },
                Poll::Ready(Err(error)) => self.lose(error)?,
                Poll::Pending if self.poll_patience(cx).is_pending() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }
}

fn failure(source: ServiceError) -> SttError {
    SttError::Service { engine: NAME, source }
}

const FINALIZE: &str = r#"{"type":"Finalize"}"#;

/// How far before its sign the words of a segment may begin.
const ONSET: Duration = Duration::from_millis(500);

/// Frames that may wait for the socket while words are at stake: fifteen seconds.
const MOST_WAITING: usize = 750;
