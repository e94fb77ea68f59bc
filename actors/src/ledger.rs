//! What one call has told: it numbers the events of its lifecycle and sees to it that nothing follows the end.

use crate::call_event::CallEvent;
use crate::clock::CallClock;
use crate::core::outbox::Outbox;
use crate::event::CallEventKind;
use crate::leg::state::LegState;
use crate::lifecycle::{Lifecycle, Totals};
use ringway_frame::CallId;
use ringway_turn::{EndReason, Event};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// The events of one call, on the way out. Whoever publishes for the call has a share of it; when the last is gone
/// without having told the end, a defect has ended the call, and that is told.
#[derive(Debug)]
pub(crate) struct Ledger {
    call: CallId,
    clock: CallClock,
    outbox: Rc<Outbox>,
    /// Of the next event of the lifecycle.
    sequence: Cell<u64>,
    turns: Cell<u32>,
    restarts: Cell<u32>,
    answered: Cell<bool>,
    ended: Cell<bool>,
}

impl Ledger {
    pub(crate) fn new(call: CallId, clock: CallClock, outbox: Rc<Outbox>) -> Self {
        let (sequence, turns, restarts, answered, ended) = Default::default();
        Self { call, clock, outbox, sequence, turns, restarts, answered, ended }
    }

    /// Passes an event on; nothing follows the end.
    pub(crate) fn put(&self, kind: CallEventKind) {
        if self.ended.get() {
            return;
        }
        match &kind {
            CallEventKind::Turn(Event::Message { turn, .. }) => {
                self.turns.set(self.turns.get().max(turn.number()));
            }
            CallEventKind::StageDied { .. } => self.restarts.set(self.restarts.get() + 1),
            CallEventKind::Ended { reason } => {
                if let EndReason::Transferred(to) = reason {
                    self.tell(CallEventKind::Transferred { to: to.clone() });
                }
                self.ended.set(true);
            }
            _ => {}
        }
        let answered = self.answered_by(&kind);
        self.tell(kind);
        if let Some(leg) = answered {
            self.tell(CallEventKind::Answered { leg });
        }
    }

    /// The first leg that is up.
    fn answered_by(&self, kind: &CallEventKind) -> Option<u32> {
        let CallEventKind::Leg { leg, state: LegState::Up } = kind else { return None };
        (!self.answered.replace(true)).then_some(*leg)
    }

    fn tell(&self, kind: CallEventKind) {
        let at = self.clock.now();
        let totals = Totals { duration: at, turns: self.turns.get(), restarts: self.restarts.get() };
        let record = Lifecycle::of(&kind, totals).map(|event| {
            let sequence = self.sequence.replace(self.sequence.get() + 1);
            Arc::new(Lifecycle::new(self.call, sequence, at, event))
        });
        self.outbox.put(CallEvent { call: self.call, at, kind, record });
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if self.sequence.get() > 0 {
            self.put(CallEventKind::Ended { reason: EndReason::Internal });
        }
    }
}
