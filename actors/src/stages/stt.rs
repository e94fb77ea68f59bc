//! The recogniser's stage of one call: it reads *speech*, and commits only what has been answered for.

use crate::error::StageError;
use crate::inbox::{Inbox, Report};
use crate::retry::Retry;
use crate::stages::driver::{AT_ONCE, ExitReason, Inject, Pump, Rest, Stage, inject};
use crate::stages::utterance::{Job, Utterance, before_next};
use actix::prelude::*;
use ringway_frame::{FRAME, Format, Frame, MediaTime};
use ringway_ring::{Lent, PopError, ReplayReader};
use ringway_stages::Expectation;
use ringway_stages::stt::{Segment, SegmentId, SttError, SttEvent, SttMode, SttSession, Urgency};
use ringway_turn::{AskId, Input, Purpose, StageKind, Stt, UtteranceId};
use std::task::{self, Poll};
use std::time::Duration;

/// Hands one call's speech to its session, as a stream or in whole segments.
///
/// Whole segments are read out of the ring when they are asked for, so that the ring is the only store of audio: what
/// is not committed is read again after a restart, or when speech went on after a pause.
pub(crate) struct SttStage {
    speech: Lent<ReplayReader>,
    session: Box<dyn SttSession>,
    mode: SttMode,
    expectation: Expectation,
    utterance: Option<Utterance>,
    attached: bool,
    pending: Option<Ask>,
    segment: SegmentId,
    latest: MediaTime,
    frame: Frame,
    retry: Retry,
    router: Inbox,
    exit_reason: ExitReason,
}

/// A question of the turn that could not be put yet.
#[derive(Clone, Copy, Debug)]
struct Ask {
    job: Job,
    until: MediaTime,
    urgency: Urgency,
}

/// What the router asks of it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) enum Listen {
    Turn(Stt),
    Expect(Expectation),
    /// A new stage has now been told of the running utterance, if there is one: what is older may be forgotten.
    Attached,
}

/// How soon an overloaded engine is asked again, and how often a waiting segment is reported.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Frames that are worth a look when nothing is asked: what a question is about is read when it is put.
const AT_LEAST: usize = 10;

/// A trailing margin of silence helps recognisers to see the last word's end.
const POST_ROLL: Duration = Duration::from_millis(100);

impl SttStage {
    pub(crate) fn new(
        speech: Lent<ReplayReader>,
        session: Box<dyn SttSession>,
        expectation: Expectation,
        format: Format,
        router: Inbox,
    ) -> Self {
        Self {
            speech,
            mode: session.mode(),
            session,
            expectation,
            utterance: None,
            attached: false,
            pending: None,
            segment: SegmentId(0),
            latest: MediaTime::ZERO,
            frame: Frame::silence(format),
            retry: Retry::default(),
            router,
            exit_reason: ExitReason::default(),
        }
    }

    fn obey(&mut self, command: Stt) -> Result<(), StageError> {
        match command {
            Stt::Begin { utterance, from } => self.begin(utterance, from),
            Stt::Flush { utterance, ask, until, purpose } => self.flush(utterance, ask, until, purpose),
            Stt::Continue { .. } => {
                self.forget_question();
                Ok(())
            }
            Stt::Close { until, .. } => self.close(until),
            Stt::Drop { .. } => self.close(before_next(self.latest)),
        }
    }

    fn begin(&mut self, id: UtteranceId, sign: MediaTime) -> Result<(), StageError> {
        self.forget_question();
        self.utterance = Some(Utterance::new(id, sign));
        if self.mode == SttMode::Streaming {
            let segment = self.next_segment(Urgency::Turn);
            self.session.begin(segment)?;
        }
        Ok(())
    }

    fn flush(
        &mut self,
        id: UtteranceId,
        ask: AskId,
        until: MediaTime,
        purpose: Purpose,
    ) -> Result<(), StageError> {
        if self.utterance.as_ref().is_none_or(|utterance| utterance.id != id) {
            return Ok(());
        }
        let urgency = match purpose {
            Purpose::Speculation => Urgency::Speculation,
            Purpose::Turn => Urgency::Turn,
        };
        self.question(Ask { job: Job::Ask(ask), until: until + POST_ROLL, urgency })
    }

    fn close(&mut self, until: MediaTime) -> Result<(), StageError> {
        self.forget_question();
        if self.utterance.take().is_some() && self.mode == SttMode::Streaming {
            self.session.abandon();
        }
        self.speech()?.commit_until(until);
        Ok(())
    }

    /// An answer that is still to come is not wanted.
    fn forget_question(&mut self) {
        self.pending = None;
        if let Some(utterance) = &mut self.utterance
            && utterance.job.take().is_some()
            && self.mode == SttMode::Segments
        {
            self.session.abandon();
        }
    }

    /// Puts a question to the session; one that is too busy is asked again shortly.
    fn question(&mut self, ask: Ask) -> Result<(), StageError> {
        let Some(utterance) = &mut self.utterance else { return Ok(()) };
        utterance.job = Some(ask.job);
        let from = utterance.from;
        if self.mode == SttMode::Streaming && !self.attached {
            self.pending = Some(ask);
            return Ok(());
        }
        let asked = match self.mode {
            SttMode::Streaming => {
                self.catch_up()?;
                self.session.flush()
            }
            SttMode::Segments => self.decode(from, ask)?,
        };
        match asked {
            Ok(()) => self.pending = None,
            Err(SttError::Overloaded { .. }) => self.overloaded(ask)?,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// All that has come is heard before it is asked about: by a new stage, the whole utterance.
    fn catch_up(&mut self) -> Result<(), StageError> {
        loop {
            let speech = self.speech.get_mut().map_err(|_| StageError::Fenced)?;
            match speech.read(&mut self.frame) {
                Ok(()) => self.hear()?,
                Err(PopError::Closed | PopError::Empty) => return Ok(()),
            }
        }
    }

    fn overloaded(&mut self, ask: Ask) -> Result<(), StageError> {
        if ask.job == Job::Partial {
            self.forget_question();
            return Ok(());
        }
        self.pending = Some(ask);
        self.retry.after(TRY_AGAIN);
        self.tell(Input::StageBusy { stage: StageKind::Stt })
    }

    /// Reads the segment out of the ring, from the last commit on, into the session.
    fn decode(&mut self, from: MediaTime, ask: Ask) -> Result<Result<(), SttError>, StageError> {
        let segment = self.next_segment(ask.urgency);
        if let Err(refused) = self.session.begin(segment) {
            return Ok(Err(refused));
        }
        let speech = self.speech.get_mut().map_err(|_| StageError::Fenced)?;
        speech.rewind();
        while speech.read(&mut self.frame).is_ok() {
            if self.frame.time + FRAME > from && self.frame.time < ask.until {
                self.session.hear(&self.frame)?;
            }
        }
        self.retry.after(TRY_AGAIN);
        Ok(self.session.flush())
    }

    fn next_segment(&mut self, urgency: Urgency) -> Segment {
        self.segment = SegmentId(self.segment.0.wrapping_add(1));
        Segment { id: self.segment, urgency, expectation: self.expectation.clone() }
    }

    /// Takes in all frames that have come.
    fn listen(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        // What is heard again belongs to an utterance that a stream has to be told of first.
        if self.mode == SttMode::Streaming && !self.attached {
            return Ok(());
        }
        let at_least = match self.mode {
            SttMode::Streaming => 1,
            SttMode::Segments => AT_LEAST,
        };
        loop {
            let speech = self.speech.get_mut().map_err(|_| StageError::Fenced)?;
            match speech.read(&mut self.frame) {
                Ok(()) => self.hear()?,
                Err(PopError::Closed) => return Ok(()),
                Err(PopError::Empty) if speech.poll_ready_for(at_least, cx).is_pending() => return Ok(()),
                Err(PopError::Empty) => {}
            }
        }
    }

    fn hear(&mut self) -> Result<(), StageError> {
        self.latest = self.frame.time + FRAME;
        if self.mode == SttMode::Streaming {
            self.session.hear(&self.frame)?;
        }
        match &mut self.utterance {
            Some(utterance) => utterance.hear(&self.frame),
            None if self.attached => {
                let until = before_next(self.latest);
                self.speech()?.commit_until(until);
            }
            None => {}
        }
        Ok(())
    }

    /// Asks what nobody asked for yet: a guess to show, or the first part of an utterance that gets too long.
    fn ask_by_itself(&mut self) -> Result<(), StageError> {
        let latest = self.latest;
        let Some(utterance) = &mut self.utterance else { return Ok(()) };
        if self.mode == SttMode::Streaming {
            return Ok(());
        }
        let deciding = matches!(utterance.job, Some(Job::Ask(_) | Job::Cut(_)));
        if let Some(cut) = utterance.cut(latest).filter(|_| !deciding) {
            return self.question(Ask { job: Job::Cut(cut), until: cut, urgency: Urgency::Speculation });
        }
        if utterance.wants_partial(latest) {
            return self.question(Ask { job: Job::Partial, until: latest, urgency: Urgency::Partial });
        }
        Ok(())
    }

    fn relay(&mut self, event: SttEvent) -> Result<(), StageError> {
        let Some(utterance) = &self.utterance else { return Ok(()) };
        match event {
            SttEvent::Partial { segment, text } if segment == self.segment => {
                let complete = self.expectation.completes(&utterance.with(&text));
                self.tell(Input::Partial { utterance: utterance.id, text, complete })
            }
            SttEvent::Final { segment, text, flushed } if segment == self.segment => {
                self.answer(&text, flushed)
            }
            SttEvent::EndOfTurn { segment, probability } if segment == self.segment => {
                self.tell(Input::EndOfTurn { probability })
            }
            SttEvent::Partial { .. } | SttEvent::Final { .. } | SttEvent::EndOfTurn { .. } => Ok(()),
        }
    }

    fn answer(&mut self, text: &str, flushed: bool) -> Result<(), StageError> {
        let Some(utterance) = &mut self.utterance else { return Ok(()) };
        let id = utterance.id;
        let complete = self.expectation.completes(&utterance.with(text));
        match if flushed { utterance.job.take() } else { None } {
            Some(Job::Partial) => self.tell(Input::Partial { utterance: id, text: text.into(), complete }),
            Some(Job::Ask(ask)) => {
                self.retry.stop();
                self.tell(Input::Final { utterance: id, ask, text: text.into(), complete })
            }
            Some(Job::Cut(at)) => self.stands(at, text),
            // Speech went on behind the question: the next answer says this again.
            None if flushed => self.tell(Input::Partial { utterance: id, text: text.into(), complete }),
            // A stream's words for good: what it has heard is answered for.
            None => self.stands(self.latest, text),
        }
    }

    /// Words that will not change: their audio is not needed any more.
    fn stands(&mut self, until: MediaTime, text: &str) -> Result<(), StageError> {
        let Some(utterance) = &mut self.utterance else { return Ok(()) };
        utterance.advance(until, text);
        let id = utterance.id;
        self.speech()?.commit_until(until);
        if text.is_empty() { Ok(()) } else { self.tell(Input::Segment { utterance: id, text: text.into() }) }
    }

    /// Time to ask again, or to say that the answer will be late.
    fn again(&mut self) -> Result<(), StageError> {
        if let Some(ask) = self.pending {
            return self.question(ask);
        }
        let asked =
            self.utterance.as_ref().is_some_and(|utterance| matches!(utterance.job, Some(Job::Ask(_))));
        if !asked {
            return Ok(());
        }
        self.retry.after(TRY_AGAIN);
        if self.session.is_queued() { self.tell(Input::StageBusy { stage: StageKind::Stt }) } else { Ok(()) }
    }

    /// Nobody has spoken for long: the audio before their next words is not that before these.
    fn rest(&mut self) -> Result<(), StageError> {
        if self.utterance.is_some() || !self.attached {
            return Ok(());
        }
        let speech = self.speech.get_mut().map_err(|_| StageError::Fenced)?;
        while speech.read(&mut self.frame).is_ok() {
            self.latest = self.frame.time + FRAME;
        }
        speech.commit_until(self.latest);
        Ok(())
    }

    fn speech(&mut self) -> Result<&mut ReplayReader, StageError> {
        self.speech.get_mut().map_err(|_| StageError::Fenced)
    }

    fn tell(&self, input: Input) -> Result<(), StageError> {
        self.router.report(Report::Input(input))
    }
}

impl Stage for SttStage {
    const KIND: Option<StageKind> = Some(StageKind::Stt);

    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        self.listen(cx)?;
        self.ask_by_itself()?;
        while self.retry.poll(cx).is_ready() {
            self.again()?;
        }
        for _ in 0..AT_ONCE {
            if !self.router.has_room() {
                break;
            }
            match self.session.poll_event(cx) {
                Poll::Pending => return Ok(()),
                // A guess gave way to another call's turn: the next one is due when more was said.
                Poll::Ready(Err(SttError::Overloaded { .. })) => self.forget_question(),
                Poll::Ready(event) => self.relay(event?)?,
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn exit_reason(&self) -> &ExitReason {
        &self.exit_reason
    }
}

impl Actor for SttStage {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }
}

crate::post::takes_orders!(SttStage, Listen);

impl Handler<Listen> for SttStage {
    type Result = ();

    fn handle(&mut self, listen: Listen, ctx: &mut Self::Context) {
        let done = match listen {
            Listen::Turn(command) => self.obey(command),
            Listen::Attached => {
                self.attached = true;
                self.pending.take().map_or(Ok(()), |ask| self.question(ask))
            }
            Listen::Expect(expectation) => {
                self.expectation = expectation;
                Ok(())
            }
        };
        if let Err(error) = done {
            self.exit_reason.write(error);
            ctx.stop();
        }
    }
}

impl Handler<Inject> for SttStage {
    type Result = ();

    fn handle(&mut self, Inject(fault): Inject, ctx: &mut Self::Context) {
        inject(self, fault, ctx);
    }
}

impl Handler<Rest> for SttStage {
    type Result = ();

    fn handle(&mut self, Rest: Rest, ctx: &mut Self::Context) {
        if let Err(error) = self.rest() {
            self.exit_reason.write(error);
            ctx.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_ring::{Owner, Writer, ring};
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::task::Waker;

    /// Keeps the times of the frames of its newest segment.
    #[derive(Clone, Default)]
    struct Listener(Rc<RefCell<Vec<MediaTime>>>);

    impl SttSession for Listener {
        fn mode(&self) -> SttMode {
            SttMode::Segments
        }

        fn begin(&mut self, _: Segment) -> Result<(), SttError> {
            self.0.borrow_mut().clear();
            Ok(())
        }

        fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
            self.0.borrow_mut().push(frame.time);
            Ok(())
        }

        fn flush(&mut self) -> Result<(), SttError> {
            Ok(())
        }

        fn abandon(&mut self) {}

        fn poll_event(&mut self, _: &mut task::Context<'_>) -> Poll<Result<SttEvent, SttError>> {
            Poll::Pending
        }
    }

    /// So many more frames come, and are read.
    fn come(writer: &mut Writer, stage: &mut SttStage, frames: std::ops::Range<u32>) {
        for number in frames {
            let frame = Frame::silence(Format::Mulaw8k).at(number, MediaTime::ZERO + FRAME * number);
            writer.push(&frame).expect("there is room");
        }
        stage.pump(&mut task::Context::from_waker(Waker::noop())).expect("it lives");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_no_speech_takes_nothing_of_the_utterance_behind_it() {
        let (mut writer, reader) = ring(Format::Mulaw8k, 200);
        let mut owner = Owner::new(reader.replay(150));
        let speech = owner.lend().expect("nobody has it");
        let heard = Listener::default();
        let (inbox, _mail) = Inbox::new();
        let anything = Expectation::anything();
        let mut stage = SttStage::new(speech, Box::new(heard.clone()), anything, Format::Mulaw8k, inbox);
        stage.attached = true;
        let at = MediaTime::from_millis;
        come(&mut writer, &mut stage, 0..50);
        let noise = UtteranceId::default();
        stage.obey(Stt::Begin { utterance: noise, from: at(500) }).expect("it lives");
        stage.obey(Stt::Drop { utterance: noise }).expect("it lives");
        come(&mut writer, &mut stage, 50..60);
        let utterance = noise.next();
        stage.obey(Stt::Begin { utterance, from: at(1_040) }).expect("it lives");
        let ask = Stt::Flush { utterance, ask: AskId::default(), until: at(1_200), purpose: Purpose::Turn };
        stage.obey(ask).expect("it lives");
        assert_eq!(heard.0.borrow().first(), Some(&at(740)), "300 ms before its first sign");
        assert_eq!(heard.0.borrow().len(), 23);
    }
}
