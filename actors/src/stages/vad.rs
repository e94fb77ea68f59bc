//! The voice activity detector's stage of one call: it reads *mic*, fills *speech*, and judges windows.

use crate::clock::CallClock;
use crate::core::vad_batch::{Ticket, VadBatch};
use crate::error::StageError;
use crate::inbox::{Inbox, Report};
use crate::retry::Retry;
use crate::stages::driver::{ExitReason, Inject, Pump, Rest, Stage, inject};
use actix::prelude::*;
use ringway_frame::{Format, Frame, MediaTime, Skew};
use ringway_ring::{Lent, PopError, Reader, Writer};
use ringway_stages::level::LoudTracker;
use ringway_turn::{Input, StageKind, Window};
use std::rc::Rc;
use std::task::{self, Poll};
use std::time::Duration;

/// Passes every frame of the caller on, and tells the router how likely each window is speech.
pub(crate) struct VadStage {
    mic: Lent<Reader>,
    speech: Lent<Writer>,
    batch: Rc<VadBatch>,
    ticket: Rc<Ticket>,
    loud: LoudTracker,
    frame: Frame,
    clock: CallClock,
    early: Retry,
    judged: MediaTime,
    /// Of the newest frame in the window that is judged.
    skew: Skew,
    router: Inbox,
    exit_reason: ExitReason,
}

/// Audio that came sooner than it can have been spoken waits in *mic* until its time, but for jitter: a peer may send a
/// word in one piece.
const EARLY: Duration = Duration::from_millis(100);

impl VadStage {
    pub(crate) fn new(
        (mic, speech): (Lent<Reader>, Lent<Writer>),
        (batch, ticket): (Rc<VadBatch>, Rc<Ticket>),
        (format, clock): (Format, CallClock),
        router: Inbox,
    ) -> Self {
        Self {
            mic,
            speech,
            batch,
            ticket,
            loud: LoudTracker::new(format.rate()),
            frame: Frame::silence(format),
            clock,
            early: Retry::default(),
            judged: MediaTime::ZERO,
            skew: Skew::ZERO,
            router,
            exit_reason: ExitReason::default(),
        }
    }

    /// Takes the next frame; `false`: there is none yet, or it is to be heard later.
    fn read(&mut self, cx: &mut task::Context<'_>) -> Result<bool, StageError> {
        let mic = self.mic.get_mut().map_err(|_| StageError::Fenced)?;
        let needed = self.ticket.frames_to_window();
        loop {
            if let Some(time) = mic.next_time().filter(|time| time.since(self.clock.now()) > EARLY) {
                self.early.at(self.clock.instant(time) - EARLY);
                if self.early.poll(cx).is_pending() {
                    return Ok(false);
                }
            }
            match mic.pop(&mut self.frame) {
                Ok(()) => return Ok(true),
                Err(PopError::Closed) => return Ok(false),
                Err(PopError::Empty) if mic.poll_ready_for(needed, cx).is_pending() => return Ok(false),
                Err(PopError::Empty) => {}
            }
        }
    }

    fn hear(&mut self) -> Result<(), StageError> {
        let speech = self.speech.get_mut().map_err(|_| StageError::Fenced)?;
        // A full ring drops the newest frame, counts it and marks the gap.
        let _ = speech.push_or_drop(&self.frame);
        self.loud.hear(&self.frame);
        self.ticket.hear(&self.frame);
        Ok(())
    }

    /// Puts the next whole window into the batch; `false`: there is none.
    fn submit(&mut self) -> bool {
        let Some(until) = self.ticket.cut() else { return false };
        (self.judged, self.skew) = (until, self.frame.skew);
        self.batch.submit(&self.ticket);
        true
    }

    fn tell(&self, probability: f32) -> Result<(), StageError> {
        let loud_until = self.loud.loud_until();
        let window = Window { until: self.judged, probability, loud_until, skew: self.skew };
        self.router.report(Report::Input(Input::Window(window)))
    }
}

impl Stage for VadStage {
    const KIND: Option<StageKind> = Some(StageKind::Vad);

    /// Reads no further while a window is being judged: *mic* waits, and a dead detector loses nothing that it read.
    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        loop {
            if !self.ticket.is_idle() {
                match self.ticket.poll(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(probability) => self.tell(probability?)?,
                }
            }
            if self.submit() {
                continue;
            }
            if !self.read(cx)? {
                return Ok(());
            }
            self.hear()?;
        }
    }

    fn exit_reason(&self) -> &ExitReason {
        &self.exit_reason
    }
}

impl Actor for VadStage {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }
}

impl Handler<Inject> for VadStage {
    type Result = ();

    fn handle(&mut self, Inject(fault): Inject, ctx: &mut Self::Context) {
        inject(self, fault, ctx);
    }
}

impl Handler<Rest> for VadStage {
    type Result = ();

    fn handle(&mut self, Rest: Rest, _: &mut Self::Context) {
        if let Ok(speech) = self.speech.get_mut() {
            speech.release();
        }
    }
}
