//! Where a call's events go.

use crate::clock::CallClock;
use crate::core::outbox::Outbox;
use crate::event::CallEventKind;
use crate::ledger::Ledger;
use crate::leg::link::{EdgeCommand, EdgeLink};
use ringway_frame::CallId;
use std::rc::Rc;

/// Puts one call's events into the stream of all calls, and before the caller's side.
#[derive(Clone)]
pub(crate) struct Publisher {
    pub(crate) call: CallId,
    pub(crate) clock: CallClock,
    pub(crate) edge: EdgeLink,
    ledger: Rc<Ledger>,
}

impl Publisher {
    pub(crate) fn new(call: CallId, clock: CallClock, edge: EdgeLink, outbox: Rc<Outbox>) -> Self {
        Self { call, clock, edge, ledger: Rc::new(Ledger::new(call, clock, outbox)) }
    }

    /// For those inside the process and for the caller's side.
    pub(crate) fn put(&self, kind: CallEventKind) {
        // An edge that does not keep up is ended by its own bound; events for show may be lost before that.
        let _ = self.edge.put(EdgeCommand::Tell(Box::new(kind.clone())));
        self.put_inside(kind);
    }

    /// For those inside the process only.
    pub(crate) fn put_inside(&self, kind: CallEventKind) {
        self.ledger.put(kind);
    }
}
