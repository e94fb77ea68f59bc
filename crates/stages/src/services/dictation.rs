//! Sessions of recognisers that are told where an utterance ends, and answer that with its last words.

use super::listening::{Listening, Terms};
use super::stt_link::{Dialect, Link};
use super::transcript::Transcript;
use super::{Phase, ServiceError};
use crate::stt::{Segment, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::{Format, Frame};
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;

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

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Words that may change, behind those for good.
    Guess(String),
    /// Words for good, and the length of their audio where it is told: the same words about the same audio are not said
    /// twice.
    Words(String, Option<Duration>),
    /// The oldest question is answered; these are the last words of it.
    Answer(String),
}

/// One call's recogniser. It hears utterances with what was before their first sign, and nothing between them.
#[derive(Debug)]
pub(super) struct Session<D> {
    listening: Listening<D>,
    transcript: Transcript,
    /// What was heard last outside of segments.
    onset: VecDeque<Frame>,
    /// Frames that no question has been put about.
    unasked: usize,
    /// Those that the service has not answered, which it does in their order.
    questions: VecDeque<Question>,
    /// One of them was given up: the service's answers may be out of step with them.
    given_up: bool,
    /// Questions in a row that were given up.
    unanswered: u32,
    /// The last words for good, with the length of their audio.
    words: Option<(String, Duration)>,
    heard: VecDeque<Heard>,
}

/// Why the recogniser was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// For the words of the running segment.
    Words,
    /// For none: what answers it is over.
    Nothing,
}

impl<D: Dictated> Session<D> {
    pub(super) fn open(dialect: D, format: Format) -> Self {
        let terms = Terms { patience: dialect.patience(), answers_all: true };
        Self {
            listening: Listening::new(D::NAME, Link::open(dialect, format), terms),
            transcript: Transcript::new(),
            onset: VecDeque::with_capacity(ONSET_FRAMES),
            unasked: 0,
            questions: VecDeque::new(),
            given_up: false,
            unanswered: 0,
            words: None,
            heard: VecDeque::new(),
        }
    }

    fn ask(&mut self, question: Question) {
        let link = self.listening.link();
        link.say(D::FLUSH);
        link.dialect().asked();
        self.questions.push_back(question);
        self.unasked = 0;
    }

    fn send(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.unasked += 1;
        self.listening.hear(frame)
    }

    fn take(&mut self, heard: Heard) {
        let busy = self.listening.is_busy();
        match heard {
            Heard::Guess(text) if busy && !self.questions.contains(&Question::Nothing) => {
                self.transcript.guess(&text);
            }
            Heard::Guess(_) => {}
            Heard::Words(text, length) if self.is_new(&text, length) => match self.questions.front() {
                Some(Question::Nothing) => {}
                Some(Question::Words) => self.transcript.add(&text),
                None if busy => self.transcript.stand(&text),
                None => {}
            },
            Heard::Words(..) => {}
            Heard::Answer(text) => self.answered(&text),
        }
    }

    fn is_new(&mut self, text: &str, length: Option<Duration>) -> bool {
        let words = length.map(|length| (text.to_owned(), length));
        let new = words.is_none() || self.words != words;
        self.words = words;
        new
    }

    fn answered(&mut self, text: &str) {
        let question = self.questions.pop_front();
        if self.questions.is_empty() {
            (self.given_up, self.unanswered) = (false, 0);
        }
        match question {
            Some(Question::Words) if self.questions.is_empty() && self.listening.asked().is_some() => {
                self.listening.answered();
                self.transcript.answer(text);
            }
            // Speech went on behind it.
            Some(Question::Words) => self.transcript.add(text),
            Some(Question::Nothing) | None => {}
        }
    }

    /// What is still to come belongs to nobody.
    fn disown(&mut self) {
        self.questions.iter_mut().for_each(|question| *question = Question::Nothing);
    }

    fn poll_unanswered(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SttError>> {
        let unanswered = ready!(self.listening.poll_unanswered(self.transcript.found(), cx));
        unanswered.map_err(|error| self.listening.failure(error))?;
        self.listening.answered();
        self.disown();
        self.given_up = true;
        self.unanswered += 1;
        self.transcript.answer("");
        Poll::Ready(Ok(()))
    }

    /// Guesses have stood in for answers too often: the service has failed, which is told when no words are at stake.
    fn judge(&self) -> Result<(), SttError> {
        if self.unanswered < MOST_UNANSWERED || self.listening.is_busy() {
            return Ok(());
        }
        let limit = self.listening.patience();
        Err(self.listening.failure(ServiceError::Late { phase: Phase::FirstByte, limit }))
    }

    /// Another socket begins.
    fn forget(&mut self) {
        self.listening.link().dialect().lost();
        self.questions.clear();
        self.given_up = false;
        self.words = None;
        self.heard.clear();
        self.unasked = 0;
    }

    fn read(&mut self, text: &str) -> Result<(), ServiceError> {
        self.listening.link().dialect().read(text, &mut self.heard)?;
        while let Some(heard) = self.heard.pop_front() {
            self.take(heard);
        }
        Ok(())
    }
}

impl<D: Dictated> SttSession for Session<D> {
    fn mode(&self) -> SttMode {
        SttMode::Streaming
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.transcript.begin(segment.id);
        self.listening.begin();
        self.disown();
        if self.given_up {
            self.listening.link().renew();
            self.forget();
        }
        while let Some(frame) = self.onset.pop_front() {
            self.send(&frame)?;
        }
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        if self.listening.is_busy() {
            return self.send(frame);
        }
        if self.onset.len() == ONSET_FRAMES {
            self.onset.pop_front();
        }
        self.onset.push_back(*frame);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        self.listening.ask();
        while self.unasked < D::LEAST_FRAMES {
            let silence = Frame::silence(self.listening.link().format());
            self.send(&silence)?;
        }
        self.ask(Question::Words);
        Ok(())
    }

    fn abandon(&mut self) {
        if !self.listening.end() {
            return;
        }
        self.disown();
        if self.unasked > 0 {
            match D::FORGET {
                Some(forget) => self.listening.link().say(forget),
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
            self.judge()?;
            let read = match self.listening.poll_text(cx) {
                Poll::Ready(text) => text.and_then(|text| self.read(&text)),
                Poll::Pending => {
                    ready!(self.poll_unanswered(cx))?;
                    continue;
                }
            };
            if let Err(error) = read {
                self.listening.lose(error)?;
                self.forget();
            }
        }
    }
}

/// Questions in a row that a service may leave unanswered.
const MOST_UNANSWERED: u32 = 2;

/// How far before its sign the words of a segment may begin: half a second.
const ONSET_FRAMES: usize = 25;
