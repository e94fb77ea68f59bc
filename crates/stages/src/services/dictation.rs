//! Sessions of recognisers that are told where an utterance ends, and answer that with its last words.

use super::ServiceError;
use super::stt_link::{Dialect, Link};
use super::transcript::Transcript;
use crate::alarm::Alarm;
use crate::stt::{Segment, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::{Format, Frame};
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// What such a recogniser says, and is told.
pub(super) trait Dictated: Dialect {
    /// Its name in configuration.
    const NAME: &'static str;
    /// Asks for the last words of the audio so far.
    const FLUSH: &'static str;
    /// Has it forget the audio since the last question; without it, a question is put whose answer nobody hears.
    const FORGET: Option<&'static str>;
    /// The least that a question can be put about, in frames.
    const LEAST_FRAMES: usize;

    /// How long the last words are waited for.
    fn patience(&self) -> Duration;

    /// A question is put.
    fn asked(&mut self) {}

    /// The socket was lost, and with it the questions.
    fn lost(&mut self) {}

    /// Takes in a message.
    ///
    /// # Errors
    /// It is none, or tells of a failure.
    fn read(&mut self, text: &str, heard: &mut VecDeque<Heard>) -> Result<(), ServiceError>;
}

/// What was heard, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Words that may change, behind those for good.
    Guess(String),
    /// Words for good.
    Words(String),
    /// The oldest question is answered; these are the last words of it.
    Answer(String),
}

/// One call's recogniser. It hears utterances with what was before their first sign, and nothing between them.
#[derive(Debug)]
pub(super) struct Session<D> {
    link: Link<D>,
    transcript: Transcript,
    /// A segment has begun and is not over: a loss of the socket now is a loss of words.
    busy: bool,
    /// What was heard last outside of segments.
    onset: VecDeque<Frame>,
    /// Frames that no question has been put about.
    unasked: usize,
    questions: VecDeque<Question>,
    flush: Option<Flush>,
    heard: VecDeque<Heard>,
    alarm: Alarm,
}

/// Why the recogniser was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// For the words of the running segment.
    Words,
    /// For none: what answers it is over.
    Nothing,
}

/// The present question.
#[derive(Clone, Copy, Debug, Default)]
struct Flush {
    /// When the guess counts.
    due: Option<Instant>,
}

impl<D: Dictated> Session<D> {
    pub(super) fn open(dialect: D, format: Format) -> Self {
        Self {
            link: Link::open(dialect, format),
            transcript: Transcript::new(),
            busy: false,
            onset: VecDeque::with_capacity(ONSET_FRAMES),
            unasked: 0,
            questions: VecDeque::new(),
            flush: None,
            heard: VecDeque::new(),
            alarm: Alarm::default(),
        }
    }

    fn ask(&mut self, question: Question) {
        self.link.say(D::FLUSH);
        self.link.dialect().asked();
        self.questions.push_back(question);
        self.unasked = 0;
    }

    fn send(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.link.hear(frame);
        self.unasked += 1;
        let waiting = self.link.waiting();
        if waiting > frame.format().bytes() * MOST_WAITING {
            return Err(failure::<D>(ServiceError::Backlog { waiting }));
        }
        Ok(())
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Guess(text) if self.busy && !self.questions.contains(&Question::Nothing) => {
                self.transcript.guess(&text);
            }
            Heard::Guess(_) => {}
            Heard::Words(text) => match self.questions.front() {
                Some(Question::Nothing) => {}
                Some(Question::Words) => self.transcript.add(&text),
                None if self.busy => self.transcript.stand(&text),
                None => {}
            },
            Heard::Answer(text) => match self.questions.pop_front() {
                Some(Question::Words) if self.questions.is_empty() && self.flush.take().is_some() => {
                    self.transcript.answer(&text);
                }
                // Speech went on behind it.
                Some(Question::Words) => self.transcript.add(&text),
                Some(Question::Nothing) | None => {}
            },
        }
    }

    /// What is still to come belongs to nobody.
    fn disown(&mut self) {
        self.questions.iter_mut().for_each(|question| *question = Question::Nothing);
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(flush) = &mut self.flush else { return Poll::Pending };
        if !self.link.is_drained() {
            return Poll::Pending;
        }
        let patience = self.link.dialect().patience();
        let due = *flush.due.get_or_insert_with(|| Instant::now() + patience);
        ready!(self.alarm.poll(due, cx));
        self.flush = None;
        self.disown();
        let guess = self.transcript.take_guess();
        self.transcript.answer(&guess);
        Poll::Ready(())
    }

    /// What a loss means: words, a refusal for good, or nothing but the time to connect again.
    fn lose(&mut self, error: ServiceError) -> Result<(), SttError> {
        if self.busy || matches!(error, ServiceError::Status { .. }) {
            return Err(failure::<D>(error));
        }
        tracing::info!(service = D::NAME, %error, "the streaming recogniser is connected again");
        self.link.dialect().lost();
        self.questions.clear();
        self.heard.clear();
        self.unasked = 0;
        self.link.rest();
        Ok(())
    }

    fn read(&mut self, text: &str) -> Result<(), SttError> {
        match self.link.dialect().read(text, &mut self.heard) {
            Ok(()) => {
                while let Some(heard) = self.heard.pop_front() {
                    self.take(heard);
                }
                Ok(())
            }
            Err(error) => self.lose(error),
        }
    }
}

impl<D: Dictated> SttSession for Session<D> {
    fn mode(&self) -> SttMode {
        SttMode::Streaming
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.transcript.begin(segment.id);
        self.busy = true;
        self.flush = None;
        self.disown();
        self.link.hurry();
        while let Some(frame) = self.onset.pop_front() {
            self.send(&frame)?;
        }
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        if self.busy {
            return self.send(frame);
        }
        if self.onset.len() == ONSET_FRAMES {
            self.onset.pop_front();
        }
        self.onset.push_back(*frame);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        self.busy = true;
        while self.unasked < D::LEAST_FRAMES {
            self.send(&Frame::silence(self.link.format()))?;
        }
        self.ask(Question::Words);
        self.flush = Some(Flush::default());
        Ok(())
    }

    fn abandon(&mut self) {
        self.flush = None;
        if !std::mem::take(&mut self.busy) {
            return;
        }
        self.disown();
        if self.unasked > 0 {
            match D::FORGET {
                Some(forget) => self.link.say(forget),
                None => self.ask(Question::Nothing),
            }
            self.unasked = 0;
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        loop {
            if let Some(event) = self.transcript.next() {
                return Poll::Ready(Ok(event));
            }
            match self.link.poll(cx) {
                Poll::Ready(Ok(text)) => self.read(&text)?,
                Poll::Ready(Err(error)) => self.lose(error)?,
                Poll::Pending if self.poll_patience(cx).is_pending() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }
}

fn failure<D: Dictated>(source: ServiceError) -> SttError {
    SttError::Service { engine: D::NAME, source }
}

/// How far before its sign the words of a segment may begin: half a second.
const ONSET_FRAMES: usize = 25;

/// Frames that may wait for the socket: fifteen seconds.
const MOST_WAITING: usize = 750;
