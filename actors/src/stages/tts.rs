//! The voice's stage of one call: it fills *voice*.

use crate::error::StageError;
use crate::inbox::{Inbox, Report};
use crate::retry::Retry;
use crate::stages::driver::{AT_ONCE, ExitReason, Inject, PARTS, Pump, Rest, Stage, inject};
use actix::prelude::*;
use ringway_frame::{Epoch, FRAME, Format, Frame, MediaTime};
use ringway_ring::{Lent, PushError, Writer};
use ringway_stages::dtmf::Tones;
use ringway_stages::tts::{Clause, TtsError, TtsEvent, TtsSession};
use ringway_turn::{ClauseId, Input, StageKind};
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{self, Poll};
use std::time::Duration;

/// Where in the bot's utterance *voice* has got to; outlives the stage, so that a new one numbers on.
#[derive(Clone, Debug, Default)]
pub(crate) struct VoiceCount(Rc<Cell<(Epoch, u32)>>);

/// What a voice may do about a clause that it refuses; outlives the stage, so that one that refuses everything is found out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    /// No other voice could say it.
    alone: bool,
    /// Clauses that were refused since one was spoken.
    in_a_row: Rc<Cell<u32>>,
}

impl Refusals {
    /// One more; whether the voice goes on without it.
    fn goes_on(&self, lasting: bool) -> bool {
        self.in_a_row.set(self.in_a_row.get() + 1);
        self.alone && lasting && self.in_a_row.get() == 1
    }

    fn spoke(&self) {
        self.in_a_row.set(0);
    }
}

impl VoiceCount {
    pub(crate) fn begin(&self, epoch: Epoch) {
        if self.0.get().0 != epoch {
            self.0.set((epoch, 0));
        }
    }

    fn epoch(&self) -> Epoch {
        self.0.get().0
    }

    fn frames(&self) -> u32 {
        self.0.get().1
    }

    /// Frames of this epoch so far.
    pub(crate) fn frames_of(&self, epoch: Epoch) -> u32 {
        if self.epoch() == epoch { self.frames() } else { 0 }
    }

    fn add(&self) {
        self.0.set((self.epoch(), self.frames() + 1));
    }

    /// Dates a frame behind those before it.
    pub(crate) fn stamp(&self, frame: &mut Frame, epoch: Epoch) {
        self.begin(epoch);
        let time = MediaTime::ZERO + FRAME * self.frames();
        *frame = frame.at(self.frames(), time).in_epoch(epoch);
        self.add();
    }
}

/// Moves what the session speaks into *voice*, and tells the router which words are in it.
pub(crate) struct TtsStage {
    session: Box<dyn TtsSession>,
    /// What the session had no room for, or has to wait for what comes before it.
    backlog: VecDeque<Task>,
    /// Clauses that the session is speaking.
    owed: usize,
    /// Keys that are being pressed.
    pressing: Option<(ClauseId, Tones)>,
    refusals: Refusals,
    retry: Retry,
    voice: Lent<Writer>,
    count: VoiceCount,
    epoch: Option<Epoch>,
    frame: Frame,
    waiting: bool,
    router: Inbox,
    exit_reason: ExitReason,
}

/// What is to be made, in order.
enum Task {
    Speak(Clause),
    Press(ClauseId, String),
}

/// Clauses of one reply that wait for room in the session at most; a reply that is longer ends the stage.
const BACKLOG: usize = 1_024;

/// Until a session without room is asked again.
const TRY_AGAIN: Duration = FRAME;

/// What the router asks of it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) enum Say {
    Clause { epoch: Epoch, clause: ClauseId, text: String },
    Keys { epoch: Epoch, clause: ClauseId, keys: String },
    Cancel,
}

impl TtsStage {
    pub(crate) fn new(
        session: Box<dyn TtsSession>,
        voice: Lent<Writer>,
        count: VoiceCount,
        format: Format,
        router: Inbox,
    ) -> Self {
        let frame = Frame::silence(format);
        Self {
            session,
            backlog: VecDeque::new(),
            owed: 0,
            pressing: None,
            refusals: Refusals::default(),
            retry: Retry::default(),
            voice,
            count,
            epoch: None,
            frame,
            waiting: false,
            router,
            exit_reason: ExitReason::default(),
        }
    }

    /// With what is known of clauses that were refused before, and whether no other voice could say them.
    pub(crate) fn refusing(self, refusals: Refusals, alone: bool) -> Self {
        Self { refusals: Refusals { alone, ..refusals }, ..self }
    }

    fn take(&mut self, epoch: Epoch, task: Task) -> Result<(), StageError> {
        if self.epoch.is_some_and(|current| current != epoch) {
            self.cancel();
        }
        self.epoch = Some(epoch);
        self.count.begin(epoch);
        if self.backlog.len() == BACKLOG {
            return Err(TtsError::Overloaded { queued: self.backlog.len() }.into());
        }
        self.backlog.push_back(task);
        self.hand_over()
    }

    /// Hands clauses to the session in order; what it has no room for waits until it has spoken one, or a moment. Keys are
    /// pressed when all before them was spoken, and what is behind them waits for that.
    fn hand_over(&mut self) -> Result<(), StageError> {
        while self.pressing.is_none() {
            let clause = match self.backlog.front() {
                Some(Task::Speak(clause)) => clause.clone(),
                Some(Task::Press(clause, keys)) if self.owed == 0 => {
                    self.pressing = Some((*clause, Tones::of(keys)));
                    self.backlog.pop_front();
                    return Ok(());
                }
                Some(Task::Press(..)) | None => return Ok(()),
            };
            match self.session.speak(clause) {
                Ok(()) => {
                    self.owed += 1;
                    self.backlog.pop_front();
                }
                Err(TtsError::Overloaded { .. }) => {
                    self.retry.after(TRY_AGAIN);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn cancel(&mut self) {
        self.backlog.clear();
        (self.owed, self.pressing) = (0, None);
        self.retry.stop();
        self.session.cancel();
        self.waiting = false;
    }

    /// The frame at hand goes into the ring; `false`: it has to wait for room.
    fn push(&mut self, cx: &mut task::Context<'_>) -> Result<bool, StageError> {
        let voice = self.voice.get_mut().map_err(|_| StageError::Fenced)?;
        loop {
            match voice.push(&self.frame) {
                Ok(()) => break,
                Err(PushError::Full) => match voice.poll_space(cx, voice.capacity() / PARTS) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return Err(StageError::Fenced),
                    Poll::Pending => return Ok(false),
                },
                Err(_) => return Err(StageError::Fenced),
            }
        }
        self.waiting = false;
        Ok(true)
    }

    fn relay(&mut self, event: TtsEvent, epoch: Epoch) -> Result<(), StageError> {
        let frames = self.count.frames();
        let input = match event {
            TtsEvent::Audio => {
                self.count.stamp(&mut self.frame, epoch);
                self.waiting = true;
                if frames > 0 {
                    return Ok(());
                }
                Input::Voiced { epoch }
            }
            TtsEvent::Word { clause, upto } => {
                Input::Word { epoch, clause: ClauseId::new(clause), upto, frames }
            }
            TtsEvent::Done { clause } => {
                self.refusals.spoke();
                self.owed = self.owed.saturating_sub(1);
                Input::ClauseEnd { epoch, clause: ClauseId::new(clause), frames }
            }
        };
        self.router.report(Report::Input(input))?;
        if matches!(event, TtsEvent::Done { .. }) { self.hand_over() } else { Ok(()) }
    }

    /// The turn is told which clause it was. A voice that would refuse it again goes on with the next, if there is no other
    /// that could say it; one that refuses two in a row does not.
    fn refused(&mut self, error: TtsError, epoch: Epoch) -> Result<(), StageError> {
        let TtsError::Refused { clause, lasting, .. } = error else { return Err(error.into()) };
        let left_out = self.refusals.goes_on(lasting).then(|| self.count.frames());
        let clause = ClauseId::new(clause);
        self.router.report(Report::Input(Input::ClauseRefused { epoch, clause, left_out }))?;
        if left_out.is_none() {
            return Err(error.into());
        }
        tracing::warn!(%error, "a clause is left out");
        self.owed = self.owed.saturating_sub(1);
        self.hand_over()
    }

    /// The next of what is made, tones before words that come behind them.
    fn poll_next(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<TtsEvent, TtsError>> {
        let Some((clause, tones)) = &mut self.pressing else {
            return self.session.poll_next(cx, &mut self.frame);
        };
        if tones.next_frame(&mut self.frame) {
            return Poll::Ready(Ok(TtsEvent::Audio));
        }
        let clause = clause.number();
        // It is owed by nobody but here.
        (self.pressing, self.owed) = (None, self.owed + 1);
        Poll::Ready(Ok(TtsEvent::Done { clause }))
    }
}

impl Stage for TtsStage {
    const KIND: Option<StageKind> = Some(StageKind::Tts);

    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        let Some(epoch) = self.epoch else { return Ok(()) };
        while self.retry.poll(cx).is_ready() {
            self.hand_over()?;
        }
        for _ in 0..AT_ONCE {
            if self.waiting && !self.push(cx)? {
                return Ok(());
            }
            if !self.router.has_room() {
                break;
            }
            match self.poll_next(cx) {
                Poll::Ready(Ok(event)) => self.relay(event, epoch)?,
                Poll::Ready(Err(error)) => self.refused(error, epoch)?,
                Poll::Pending => return Ok(()),
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn exit_reason(&self) -> &ExitReason {
        &self.exit_reason
    }
}

impl Actor for TtsStage {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }
}

crate::post::takes_orders!(TtsStage, Say);

impl Handler<Say> for TtsStage {
    type Result = ();

    fn handle(&mut self, say: Say, ctx: &mut Self::Context) {
        let done = match say {
            Say::Clause { epoch, clause, text } => {
                self.take(epoch, Task::Speak(Clause { id: clause.number(), text }))
            }
            Say::Keys { epoch, clause, keys } => self.take(epoch, Task::Press(clause, keys)),
            Say::Cancel => {
                self.cancel();
                Ok(())
            }
        };
        if let Err(error) = done {
            self.exit_reason.write(error);
            ctx.stop();
        }
    }
}

impl Handler<Inject> for TtsStage {
    type Result = ();

    fn handle(&mut self, Inject(fault): Inject, ctx: &mut Self::Context) {
        inject(self, fault, ctx);
    }
}

impl Handler<Rest> for TtsStage {
    type Result = ();

    fn handle(&mut self, Rest: Rest, _: &mut Self::Context) {
        if let Ok(voice) = self.voice.get_mut() {
            voice.release();
        }
    }
}
