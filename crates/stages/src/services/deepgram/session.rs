use super::message::{Message, Results, read};
use super::{Deepgram, NAME};
use crate::services::listening::{Listening, Terms};
use crate::services::stt_link::Link;
use crate::services::transcript::Transcript;
use crate::stt::{Segment, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::Frame;
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// One call's recogniser: all of its audio on one stream, whose results are told apart by their place in it.
#[derive(Debug)]
pub(super) struct Session {
    listening: Listening<Deepgram>,
    /// Results that end before this place were used already, or are not of this segment.
    from: Duration,
    transcript: Transcript,
    /// Where the Finalizes were put that the service has not answered.
    asked: VecDeque<Duration>,
}

impl Session {
    pub(super) fn new(link: Link<Deepgram>, patience: Duration) -> Self {
        Self {
            listening: Listening::new(NAME, link, Terms { patience, answers_all: false }),
            from: Duration::ZERO,
            transcript: Transcript::new(),
            asked: VecDeque::new(),
        }
    }

    fn take(&mut self, results: Results) {
        let Results { text, is_final, from_finalize, end } = results;
        let end = self.listening.origin() + end;
        let text = if end <= self.from { String::new() } else { text };
        if !is_final && !from_finalize {
            return self.transcript.guess(&text);
        }
        if !text.is_empty() {
            self.from = end;
        }
        let question = if from_finalize { self.question(end) } else { None };
        if question.is_some() && question == self.listening.asked() {
            self.answer(&text);
        } else if question.is_none_or(|at| self.listening.begun().is_some_and(|begun| begun < at)) {
            self.transcript.stand(&text);
        }
    }

    /// The question that results up to `end` answer: that which was put nearest to it. One that was left unanswered
    /// before it is answered by nothing any more.
    fn question(&mut self, end: Duration) -> Option<Duration> {
        let nearest = self.asked.iter().enumerate().min_by_key(|(_, at)| at.abs_diff(end))?.0;
        self.asked.drain(..=nearest).next_back()
    }

    fn answer(&mut self, text: &str) {
        if text.is_empty() {
            // What comes late of the same words is not said again.
            self.from = self.from.max(self.listening.asked().unwrap_or_default());
        }
        self.listening.answered();
        self.transcript.answer(text);
    }

    /// The service says nothing when there is little left to say: then the guess counts.
    fn poll_unanswered(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SttError>> {
        let unanswered = ready!(self.listening.poll_unanswered(self.transcript.found(), cx));
        unanswered.map_err(|error| self.listening.failure(error))?;
        self.answer("");
        Poll::Ready(Ok(()))
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
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.listening.hear(frame)
    }

    fn flush(&mut self) -> Result<(), SttError> {
        let at = self.listening.position();
        self.asked.retain(|asked| at.saturating_sub(*asked) < OUTDATED);
        if self.asked.len() == MOST_ASKED {
            self.asked.pop_front();
        }
        self.asked.push_back(at);
        self.listening.link().say(FINALIZE);
        self.listening.ask();
        Ok(())
    }

    fn abandon(&mut self) {
        self.listening.end();
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
                Ok(Message::Results(results)) => self.take(results),
                Ok(Message::Other) => {}
                Err(error) => {
                    self.listening.lose(error)?;
                    self.asked.clear();
                    self.transcript.take_guess();
                }
            }
        }
    }
}

const FINALIZE: &str = r#"{"type":"Finalize"}"#;

/// How far before its sign the words of a segment may begin.
const ONSET: Duration = Duration::from_millis(500);

/// Audio after which a question is not answered any more.
const OUTDATED: Duration = Duration::from_secs(5);

/// Questions that may be unanswered at one time.
const MOST_ASKED: usize = 16;
