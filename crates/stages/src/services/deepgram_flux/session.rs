use super::message::{Event, Message, TurnInfo, read};
use super::turn::{State, Turn};
use super::{DeepgramFlux, NAME};
use crate::alarm::Alarm;
use crate::services::ServiceError;
use crate::services::stt_link::Link;
use crate::services::transcript::Transcript;
use crate::stt::{Segment, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::{FRAME, Frame};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// One call's recogniser: all of its audio on one stream, whose turns the service finds by itself.
///
/// A question for the last words is answered as soon as the service thinks that the turn may be over. What it takes back
/// afterwards is taken back here too.
#[derive(Debug)]
pub(super) struct Session {
    link: Link<DeepgramFlux>,
    patience: Duration,
    transcript: Transcript,
    /// A segment has begun and is not over: a loss of the socket now is a loss of words.
    busy: bool,
    turn: Turn,
    /// Audio before this place belongs to no running segment.
    from: Duration,
    flush: Option<Flush>,
    alarm: Alarm,
}

/// A question for the last words.
#[derive(Clone, Copy, Debug)]
struct Flush {
    /// Where it was put.
    at: Duration,
    /// When patience is over.
    due: Option<Instant>,
    /// The service was told that the turn is over.
    forced: bool,
}

impl Session {
    pub(super) fn new(link: Link<DeepgramFlux>, patience: Duration) -> Self {
        Self {
            link,
            patience,
            transcript: Transcript::new(),
            busy: false,
            turn: Turn::default(),
            from: Duration::ZERO,
            flush: None,
            alarm: Alarm::default(),
        }
    }

    fn take(&mut self, info: &TurnInfo) {
        self.turn.follow(info, self.link.origin());
        // A frame's length is lost in rounding.
        if self.turn.heard <= self.from + FRAME {
            return self.turn.spend();
        }
        if !self.busy {
            return;
        }
        let words = self.turn.words();
        self.take_back(info.event, &words);
        match info.event {
            Event::EndOfTurn => {
                self.transcript.likely(info.probability);
                self.end(&words);
            }
            Event::EagerEndOfTurn => {
                self.transcript.likely(info.probability);
                self.transcript.guess(&words);
                self.answer_for_now();
            }
            Event::StartOfTurn | Event::Update | Event::TurnResumed | Event::Unknown => {
                self.transcript.guess(&words);
                // Beside an answer it would take that back.
                if self.turn.state == State::Ongoing && self.turn.answered.is_none() {
                    self.transcript.likely(info.probability);
                }
            }
        }
    }

    /// An answer was but the beginning.
    fn take_back(&mut self, event: Event, words: &str) {
        let resumed = event == Event::TurnResumed;
        if self.turn.answered.take_if(|answered| resumed || answered != words).is_some() {
            self.transcript.likely(0.0);
        }
    }

    fn end(&mut self, words: &str) {
        let answered = self.turn.answered.take().is_some();
        self.turn.spend();
        let heard = self.turn.heard + LAG;
        if self.flush.take_if(|flush| flush.forced || heard >= flush.at).is_some() {
            self.transcript.answer(words);
        } else if answered {
            self.transcript.add(words);
        } else {
            self.transcript.stand(words);
        }
    }

    /// The service thinks that these may be the last words.
    fn answer_for_now(&mut self) {
        if self.flush.take_if(|flush| self.turn.heard + LAG >= flush.at).is_some() {
            self.turn.answered = Some(self.turn.words());
            self.transcript.answer_with_guess();
        }
    }

    /// The service does not find the end by itself: it is told, and then the guess counts.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(flush) = &mut self.flush else { return Poll::Pending };
        if !self.link.is_drained() {
            return Poll::Pending;
        }
        let due = *flush.due.get_or_insert_with(|| Instant::now() + self.patience);
        ready!(self.alarm.poll(due, cx));
        if !flush.forced && self.turn.state != State::Silent {
            (flush.forced, flush.due) = (true, None);
            self.link.say(FORCE);
        } else {
            self.flush = None;
            self.turn.answered = Some(self.turn.words());
            self.transcript.answer_with_guess();
        }
        Poll::Ready(())
    }

    /// What a loss means: words, a refusal for good, or nothing but the time to connect again.
    fn lose(&mut self, error: ServiceError) -> Result<(), SttError> {
        if self.busy || matches!(error, ServiceError::Status { .. }) {
            return Err(failure(error));
        }
        tracing::info!(%error, "the streaming recogniser is connected again");
        self.turn = Turn::default();
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
        if self.turn.heard <= self.from {
            self.turn.spend();
        }
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
        self.busy = true;
        self.turn.answered = None;
        self.flush = Some(Flush { at: self.link.position(), due: None, forced: false });
        self.link.close_audio();
        if self.turn.state == State::Likely {
            self.flush = None;
            self.turn.answered = Some(self.turn.words());
            self.transcript.answer_with_guess();
        }
        Ok(())
    }

    /// What comes next is another turn, for the service too.
    fn abandon(&mut self) {
        self.flush = None;
        if std::mem::take(&mut self.busy) {
            self.from = self.link.position();
            self.turn.spend();
            if self.turn.state != State::Silent {
                self.link.say(FORCE);
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        loop {
            if let Some(event) = self.transcript.next() {
                return Poll::Ready(Ok(event));
            }
            match self.link.poll(cx) {
                Poll::Ready(Ok(text)) => match read(&text) {
                    Ok(Message::Turn(info)) => self.take(&info),
                    Ok(Message::Other) => {}
                    Err(error) => self.lose(error)?,
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

/// Ends the service's turn on the audio so far: <https://developers.deepgram.com/docs/flux/force-end-turn>.
const FORCE: &str = r#"{"type":"ForceEndTurn"}"#;

/// How far before its sign the words of a segment may begin.
const ONSET: Duration = Duration::from_millis(500);

/// How much less than all the service may have heard when it finds that the caller has finished.
const LAG: Duration = Duration::from_millis(100);

/// Frames that may wait for the socket while words are at stake: fifteen seconds.
const MOST_WAITING: usize = 750;
