//! The Call's side of its leg: it keeps the ends of the leg's rings, lends them to a pump, and rebuilds one that fails.

use super::*;
use crate::error::panic_text;
use crate::leg::door::{LegDoor, Seen};
use crate::leg::ends::Ends;
use crate::leg::link::EdgeCommands;
use crate::leg::mic::Mic;
use crate::leg::mixer::CALLER;
use crate::leg::playout::Playout;
use crate::leg::pump::{PumpParts, serve};
use crate::leg::state::LegState;
use crate::leg::tap::TapSource;
use crate::orders::{Order, Permit};
use ringway_frame::Frame;
use ringway_ring::{EpochGate, OnLoan};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

/// One leg of the call, whatever pump serves it.
pub(crate) struct Leg {
    handle: CallHandle,
    commands: Rc<RefCell<EdgeCommands>>,
    seen: Rc<Seen>,
    gate: EpochGate,
    /// Where a recorder or a listener taps it.
    tap: Option<TapSource>,
    /// When a pump is built that could not be yet.
    again: Retry,
}

impl Leg {
    pub(crate) fn new(
        handle: CallHandle,
        commands: EdgeCommands,
        gate: EpochGate,
        tap: Option<TapSource>,
    ) -> Self {
        let (commands, seen) = (Rc::new(RefCell::new(commands)), Seen::new(LegState::Dialling));
        Self { handle, commands, seen, gate, tap, again: Retry::default() }
    }

    /// Waits for its peer in this state.
    pub(super) fn await_peer(&self, awaits: Awaits) -> LegState {
        if let Awaits::Return(within) = awaits {
            self.seen.resume_within.set(within);
            self.seen.state.set(LegState::Detached);
        }
        self.seen.state.get()
    }

    pub(crate) fn door(&self, link: &EdgeLink, format: Format) -> LegDoor {
        LegDoor::new(link.downgrade(), self.seen.clone(), format)
    }

    pub(super) fn handle(&self) -> &CallHandle {
        &self.handle
    }

    pub(super) fn seen(&self) -> &Rc<Seen> {
        &self.seen
    }

    pub(super) fn gate(&self) -> &EpochGate {
        &self.gate
    }

    pub(super) fn poll_again(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.again.poll(cx)
    }
}

impl Call {
    /// Starts a pump for the leg, in the state that is seen of it.
    pub(super) fn start_pump(&mut self) {
        let Ok(permit) = self.orders.permit() else { return self.leg_is_lost() };
        match self.pump_parts() {
            Ok(parts) => drop(tokio::task::spawn_local(watched(serve(parts), permit, CALLER))),
            Err(OnLoan) => self.leg.again.after(COMES_HOME),
        }
    }

    fn pump_parts(&mut self) -> Result<PumpParts, OnLoan> {
        let (format, clock) = (self.profile.format, self.clock());
        let voice = self.rings.voice_out.lend()?;
        let Ends { mic, shared } = match self.shared_ends() {
            Some(ends) => ends?,
            None => Ends { mic: self.rings.mic_in.lend()?, shared: None },
        };
        let core = &self.core;
        let lead = core.config.playout.lead;
        let [mic_tap, voice_tap] = match &mut self.leg.tap {
            Some(tap) => tap.lend()?.map(Some),
            None => [None, None],
        };
        Ok(PumpParts {
            mic: Mic::new(mic, clock, format).tapped(mic_tap),
            playout: Playout::new(voice, self.leg.gate.clone(), lead, Frame::silence(format))
                .tapped(voice_tap),
            beat: core.metronome().beat(),
            commands: self.leg.commands.clone(),
            call: self.leg.handle.clone(),
            clock,
            limits: core.config.leg.clone(),
            seen: self.leg.seen.clone(),
            load: core.load().clone(),
            lead,
            leg: CALLER,
            shared,
        })
    }

    /// A defect of ours: its transport is gone with the pump, as by a network that fails. A peer that may come back finds
    /// another pump.
    pub(super) fn pump_died(&mut self, detail: &str) {
        tracing::error!(callId = %self.profile.id, detail, "the pump of a leg panicked");
        if !self.others.are_there() {
            self.rings.mic_in.revoke();
        }
        self.rings.voice_out.revoke();
        self.leg.tap.iter_mut().for_each(TapSource::revoke);
        if self.leg.seen.resume_within.get().is_zero() {
            return self.leg_is_lost();
        }
        self.leg.seen.state.set(LegState::Detached);
        let _ = self.leg.handle.tell(EdgeInput::Detached(LegState::Detached));
        self.start_pump();
    }

    /// The last words are told before the end.
    fn leg_is_lost(&mut self) {
        if !self.inbox.end(EndReason::Internal) {
            self.end(EndReason::Internal);
        }
    }
}

/// The pump, whose panic is told by this permit; and of one that is not the caller's, its end.
pub(super) fn watched(pump: impl Future<Output = ()>, permit: Permit, leg: u32) -> impl Future<Output = ()> {
    let mut pump = Some((Box::pin(pump), permit));
    poll_fn(move |cx| {
        let Some((running, _)) = &mut pump else { return Poll::Ready(()) };
        // What a panic leaves behind is dropped before anybody looks at it.
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx)));
        if matches!(polled, Ok(Poll::Pending)) {
            return Poll::Pending;
        }
        if let Some((stopped, permit)) = pump.take() {
            drop(stopped);
            match polled {
                Err(payload) => permit.put(Order::LegDied { leg, detail: panic_text(payload) }),
                Ok(_) if leg != CALLER => permit.put(Order::LegOver(leg)),
                Ok(_) => {}
            }
        }
        Poll::Ready(())
    })
}
