//! What all streaming recognisers have in common: the segment whose words are at stake, the question for the last of them,
//! and what their silence means.

use super::stt_link::{Dialect, Link};
use super::{Phase, ServiceError};
use crate::alarm::Alarm;
use crate::stt::SttError;
use ringway_frame::Frame;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What is expected of a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// How long a question is left unanswered before what was guessed counts.
    pub(super) patience: Duration,
    /// The service answers every question, even with nothing.
    pub(super) answers_all: bool,
}

/// A call's side of a streaming recogniser.
///
/// A question that is left unanswered is answered with the guess. Where there is none, silence is no answer: a service
/// that has said nothing since the question is given twice its time, and then it has failed, so that the audio is heard
/// by another. So has one that has said nothing about the last seconds, whatever was guessed before them.
#[derive(Debug)]
pub(super) struct Listening<D> {
    engine: &'static str,
    link: Link<D>,
    terms: Terms,
    segment: Option<Segment>,
    question: Option<Question>,
    alarm: Alarm,
}

/// A segment that has begun and is not over: a loss of the socket now is a loss of words.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// Where it began, or up to where it was answered for.
    from: Duration,
    /// How much had been heard when the service last said something since it began.
    said: Option<Duration>,
}

/// A question for the last words.
#[derive(Clone, Copy, Debug)]
struct Question {
    /// Where it was put.
    at: Duration,
    /// When it was sent.
    sent: Option<Instant>,
    /// The service has said something since.
    heard: bool,
}

/// What an unanswered question has to be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Words that came since the last answer.
    Words,
    /// None.
    Nothing,
}

impl<D: Dialect> Listening<D> {
    pub(super) fn new(engine: &'static str, link: Link<D>, terms: Terms) -> Self {
        Self { engine, link, terms, segment: None, question: None, alarm: Alarm::default() }
    }

    pub(super) const fn link(&mut self) -> &mut Link<D> {
        &mut self.link
    }

    /// How much audio was heard.
    pub(super) fn position(&self) -> Duration {
        self.link.position()
    }

    /// How much of it before the first of the present socket's stream.
    pub(super) fn origin(&self) -> Duration {
        self.link.origin()
    }

    /// A segment begins.
    pub(super) fn begin(&mut self) {
        self.segment = Some(Segment { from: self.position(), said: None });
        self.question = None;
        self.link.hurry();
    }

    /// Where the running segment began, or up to where it was answered for.
    pub(super) fn begun(&self) -> Option<Duration> {
        self.segment.map(|segment| segment.from)
    }

    /// The segment is over; says whether there was one.
    pub(super) fn end(&mut self) -> bool {
        self.question = None;
        self.segment.take().is_some()
    }

    /// How long a question is left unanswered.
    pub(super) const fn patience(&self) -> Duration {
        self.terms.patience
    }

    /// Words are at stake.
    pub(super) const fn is_busy(&self) -> bool {
        self.segment.is_some()
    }

    /// Takes in a frame, as long as the service takes the audio.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.link.hear(frame);
        let waiting = self.link.waiting();
        if self.is_busy() && waiting > self.link.format().bytes() * MOST_WAITING {
            return Err(self.failure(ServiceError::Backlog { waiting }));
        }
        Ok(())
    }

    /// The last words up to here are asked for.
    pub(super) fn ask(&mut self) {
        let at = self.position();
        self.segment.get_or_insert(Segment { from: at, said: None });
        self.question = Some(Question { at, sent: None, heard: false });
    }

    /// Where the present question was put.
    pub(super) fn asked(&self) -> Option<Duration> {
        self.question.map(|question| question.at)
    }

    /// The question is answered: what it was about is at stake until the segment is over, and is not asked about again.
    pub(super) fn answered(&mut self) {
        if let Some((question, segment)) = self.question.take().zip(self.segment.as_mut()) {
            segment.from = question.at;
        }
    }

    /// The question was put in another way.
    pub(super) fn asked_again(&mut self) {
        if let Some(question) = &mut self.question {
            question.sent = None;
        }
    }

    /// When the question had been sent, with all audio before it; none while that is still under way.
    pub(super) fn sent(&mut self) -> Option<Instant> {
        let drained = self.link.is_drained();
        let question = self.question.as_mut()?;
        if question.sent.is_none() && drained {
            question.sent = Some(Instant::now());
        }
        question.sent
    }

    /// The service has said something since the segment began.
    pub(super) fn has_spoken(&self) -> bool {
        self.segment.is_some_and(|segment| segment.said.is_some())
    }

    /// The service has said nothing about the last seconds before the question, nor since.
    pub(super) fn is_behind(&self) -> bool {
        let Some((question, segment)) = self.question.zip(self.segment) else { return false };
        let until = segment.said.map_or(segment.from, |said| said.max(segment.from));
        !question.heard && question.at.saturating_sub(until) >= LONG_SPEECH
    }

    /// Ready when the question has been left unanswered for so long that what was found counts.
    ///
    /// # Errors
    /// The service's silence is none that a service keeps which heard something.
    pub(super) fn poll_unanswered(
        &mut self,
        found: Found,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), ServiceError>> {
        let Some(sent) = self.sent() else { return Poll::Pending };
        let mute = self.is_mute(found);
        let limit = if mute { self.longest() } else { self.terms.patience };
        ready!(self.alarm.poll(sent + limit, cx));
        if mute || self.is_behind() {
            return Poll::Ready(Err(ServiceError::Late { phase: Phase::FirstByte, limit }));
        }
        Poll::Ready(Ok(()))
    }

    /// There is nothing to answer with, out of enough audio, and the service has not said that there is nothing.
    fn is_mute(&self, found: Found) -> bool {
        let Some((question, segment)) = self.question.zip(self.segment) else { return false };
        let enough = question.at.saturating_sub(segment.from) >= SHORT_SPEECH;
        found == Found::Nothing && enough && (self.terms.answers_all || !question.heard)
    }

    /// Where there is no other service, late words are better than none.
    fn longest(&self) -> Duration {
        (self.terms.patience * 2).min(LONGEST_WAIT).max(self.terms.patience)
    }

    /// Sends what waits and gives the next text of the service.
    ///
    /// # Errors
    /// The socket is lost, which is for [`lose`](Self::lose) to judge.
    pub(super) fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, ServiceError>> {
        let text = ready!(self.link.poll(cx));
        if text.is_ok() {
            let position = self.position();
            if let Some(segment) = &mut self.segment {
                segment.said = Some(position);
            }
            if let Some(question) = &mut self.question {
                question.heard = true;
            }
        }
        Poll::Ready(text)
    }

    /// What a loss means: words, a refusal for good, or nothing but the time to connect again.
    ///
    /// # Errors
    /// Words, or a refusal.
    pub(super) fn lose(&mut self, error: ServiceError) -> Result<(), SttError> {
        if self.is_busy() || matches!(error, ServiceError::Status { .. } | ServiceError::Unfit { .. }) {
            return Err(self.failure(error));
        }
        tracing::info!(engine = self.engine, %error, "the streaming recogniser is connected again");
        self.link.rest();
        Ok(())
    }

    pub(super) fn failure(&self, source: ServiceError) -> SttError {
        SttError::Service { engine: self.engine, source }
    }
}

/// Speech that a service may pass over without a word.
const SHORT_SPEECH: Duration = Duration::from_millis(250);

/// Speech about which any service says something.
pub(super) const LONG_SPEECH: Duration = Duration::from_secs(2);

/// How long an answer is waited for at most where there is nothing to answer with; longer, and the stage counts as stalled.
const LONGEST_WAIT: Duration = Duration::from_millis(1_800);

/// Frames that may wait for the socket while words are at stake: fifteen seconds.
const MOST_WAITING: usize = 750;
