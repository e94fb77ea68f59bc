use super::message::{Event, Message, TurnInfo, read};
use super::turn::{State, Turn};
use super::{DeepgramFlux, NAME};
use crate::services::listening::{Listening, Terms};
use crate::services::stt_link::Link;
use crate::services::transcript::{Transcript, letters};
use crate::stt::{Segment, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::{FRAME, Frame};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// One call's recogniser: all of its audio on one stream, whose turns the service finds by itself.
///
/// A question for the last words is answered as soon as the service thinks that the turn may be over. What it takes back
/// afterwards is taken back here too.
#[derive(Debug)]
pub(super) struct Session {
    listening: Listening<DeepgramFlux>,
    transcript: Transcript,
    turn: Turn,
    /// Audio before this place belongs to no running segment.
    from: Duration,
    /// The service was told that the turn is over which the question is about.
    forced: bool,
}

impl Session {
    pub(super) fn new(link: Link<DeepgramFlux>, patience: Duration) -> Self {
        Self {
            listening: Listening::new(NAME, link, Terms { patience, answers_all: false }),
            transcript: Transcript::new(),
            turn: Turn::default(),
            from: Duration::ZERO,
            forced: false,
        }
    }

    fn take(&mut self, info: &TurnInfo) {
        self.turn.follow(info, self.listening.origin());
        // A frame's length is lost in rounding.
        if self.turn.heard <= self.from + FRAME {
            return self.turn.spend();
        }
        if !self.listening.is_busy() {
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
        let other = |answered: &mut String| resumed || letters(answered) != letters(words);
        if self.turn.answered.take_if(other).is_some() {
            self.transcript.likely(0.0);
        }
    }

    fn end(&mut self, words: &str) {
        let answered = self.turn.answered.take().is_some();
        self.turn.spend();
        if self.answers(self.forced) {
            self.transcript.answer(words);
        } else if answered {
            self.transcript.add(words);
        } else {
            self.transcript.stand(words);
        }
    }

    /// The service thinks that these may be the last words.
    fn answer_for_now(&mut self) {
        if self.answers(false) {
            self.turn.answered = Some(self.turn.words());
            self.transcript.answer_with_guess();
        }
    }

    /// What the service says is the answer to a question, if it has heard all that it is about, or was told that this is all.
    fn answers(&mut self, forced: bool) -> bool {
        let heard = self.turn.heard + LAG;
        let answers = self.listening.asked().is_some_and(|at| forced || heard >= at);
        if answers {
            self.listening.answered();
        }
        answers
    }

    /// The service does not find the end by itself: it is told, and then the guess counts.
    fn poll_unanswered(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SttError>> {
        let unanswered = ready!(self.listening.poll_unanswered(self.transcript.found(), cx));
        unanswered.map_err(|error| self.listening.failure(error))?;
        if !self.forced && self.turn.state != State::Silent {
            self.forced = true;
            self.listening.asked_again();
            self.listening.link().say(FORCE);
        } else {
            self.answer_with_guess();
        }
        Poll::Ready(Ok(()))
    }

    fn answer_with_guess(&mut self) {
        self.listening.answered();
        self.turn.answered = Some(self.turn.words());
        self.transcript.answer_with_guess();
    }
}

impl SttSession for Session {
    fn mode(&self) -> SttMode {
        SttMode::Streaming
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.transcript.begin(segment.id);
        self.listening.begin();
        self.from = self.from.max(self.listening.position().saturating_sub(ONSET));
        if self.turn.heard <= self.from {
            self.turn.forget();
        }
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.listening.hear(frame)
    }

    fn flush(&mut self) -> Result<(), SttError> {
        self.turn.answered = None;
        self.forced = false;
        self.listening.ask();
        self.listening.link().close_audio();
        if self.turn.state == State::Likely && !self.turn.words().is_empty() {
            self.answer_with_guess();
        }
        Ok(())
    }

    /// What comes next is another turn, for the service too.
    fn abandon(&mut self) {
        if self.listening.end() {
            self.from = self.listening.position();
            self.turn.spend();
            if self.turn.state != State::Silent {
                self.listening.link().say(FORCE);
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        loop {
            if let Some(event) = self.transcript.next() {
                return Poll::Ready(Ok(event));
            }
            let read = match self.listening.poll_text(cx) {
                Poll::Ready(text) => text.and_then(|text| read(&text)),
                Poll::Pending => {
                    ready!(self.poll_unanswered(cx))?;
                    continue;
                }
            };
            match read {
                Ok(Message::Turn(info)) => self.take(&info),
                Ok(Message::Other) => {}
                Err(error) => {
                    self.listening.lose(error)?;
                    self.turn = Turn::default();
                }
            }
        }
    }
}

/// Ends the service's turn on the audio so far: <https://developers.deepgram.com/docs/flux/force-end-turn>.
const FORCE: &str = r#"{"type":"ForceEndTurn"}"#;

/// How far before its sign the words of a segment may begin.
const ONSET: Duration = Duration::from_millis(500);

/// How much less than all the service may have heard when it finds that the caller has finished.
const LAG: Duration = Duration::from_millis(100);
