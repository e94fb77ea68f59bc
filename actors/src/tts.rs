//! The voice's stage of one call: it fills *voice*.

use crate::inbox::{Inbox, Report};
use crate::retry::Retry;
use crate::stage::{Inject, Obituary, Pump, Rest, Stage, StageError, inject};
use actix::prelude::*;
use ringway_frame::{Epoch, FRAME, Format, Frame, MediaTime};
use ringway_ring::{Lent, PushError, Writer};
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
    /// Clauses that the session had no room for.
    backlog: VecDeque<Clause>,
    retry: Retry,
    voice: Lent<Writer>,
    count: VoiceCount,
    epoch: Option<Epoch>,
    frame: Frame,
    waiting: bool,
    router: Inbox,
    obituary: Obituary,
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
            retry: Retry::default(),
            voice,
            count,
            epoch: None,
            frame,
            waiting: false,
            router,
            obituary: Obituary::default(),
        }
    }

    fn say(&mut self, epoch: Epoch, clause: ClauseId, text: String) -> Result<(), StageError> {
        if self.epoch.is_some_and(|current| current != epoch) {
            self.cancel();
        }
        self.epoch = Some(epoch);
        self.count.begin(epoch);
        if self.backlog.len() == BACKLOG {
            return Err(TtsError::Overloaded { queued: self.backlog.len() }.into());
        }
        self.backlog.push_back(Clause { id: clause.number(), text });
        self.hand_over()
    }

    /// Hands clauses to the session in order; what it has no room for waits until it has spoken one, or a moment.
    fn hand_over(&mut self) -> Result<(), StageError> {
        while let Some(clause) = self.backlog.front() {
            match self.session.speak(clause.clone()) {
                Ok(()) => drop(self.backlog.pop_front()),
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
                Err(PushError::Full) => match voice.poll_space(cx, 1) {
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
            TtsEvent::Done { clause } => Input::ClauseEnd { epoch, clause: ClauseId::new(clause), frames },
        };
        self.router.report(Report::Input(input))
    }
}

impl Stage for TtsStage {
    const KIND: Option<StageKind> = Some(StageKind::Tts);

    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        let Some(epoch) = self.epoch else { return Ok(()) };
        while self.retry.poll(cx).is_ready() {
            self.hand_over()?;
        }
        loop {
            if self.waiting && !self.push(cx)? {
                return Ok(());
            }
            match self.session.poll_next(cx, &mut self.frame) {
                Poll::Ready(event) => self.relay(event?, epoch)?,
                Poll::Pending => return Ok(()),
            }
        }
    }

    fn obituary(&self) -> &Obituary {
        &self.obituary
    }
}

impl Actor for TtsStage {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }
}

impl Handler<Say> for TtsStage {
    type Result = ();

    fn handle(&mut self, say: Say, ctx: &mut Self::Context) {
        let done = match say {
            Say::Clause { epoch, clause, text } => self.say(epoch, clause, text),
            Say::Cancel => {
                self.cancel();
                Ok(())
            }
        };
        if let Err(error) = done {
            self.obituary.write(error);
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
