//! Where a call's events go.

use crate::clock::CallClock;
use crate::event::{CallEvent, CallEventKind};
use crate::leg::link::{EdgeCommand, EdgeLink};
use crate::sink::EventSink;
use ringway_frame::CallId;

/// Puts one call's events into the stream of all calls, and before the caller's side.
#[derive(Clone)]
pub(crate) struct Publisher {
    pub(crate) call: CallId,
    pub(crate) clock: CallClock,
    pub(crate) sink: EventSink,
    pub(crate) edge: EdgeLink,
}

impl Publisher {
    /// For those inside the process and for the caller's side.
    pub(crate) fn put(&self, kind: CallEventKind) {
        // An edge that does not keep up is ended by its own bound; events for show may be lost before that.
        let _ = self.edge.put(EdgeCommand::Tell(Box::new(kind.clone())));
        self.put_inside(kind);
    }

    /// For those inside the process only.
    pub(crate) fn put_inside(&self, kind: CallEventKind) {
        self.sink.put(CallEvent { call: self.call, at: self.clock.now(), kind });
    }
}
