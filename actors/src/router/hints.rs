//! What the dialogue expects to hear.

use ringway_stages::Expectation;
use ringway_turn::RequestId;

/// What the dialogue expects next; it counts once the reply that says so may be heard.
#[derive(Default)]
pub(super) struct Hints {
    pub(super) request: RequestId,
    pub(super) accepted: bool,
    pub(super) pending: Option<Expectation>,
    pub(super) current: Expectation,
}

impl Hints {
    pub(super) fn begin(&mut self, request: RequestId) {
        (self.request, self.accepted, self.pending) = (request, false, None);
    }

    /// The reply may be heard: what it makes the dialogue expect is now current.
    pub(super) fn accept(&mut self) -> Option<Expectation> {
        self.accepted = true;
        self.current = self.pending.take()?;
        Some(self.current.clone())
    }

    pub(super) fn learn(&mut self, request: RequestId, expectation: Expectation) -> Option<Expectation> {
        if request != self.request {
            return None;
        }
        self.pending = Some(expectation);
        if self.accepted { self.accept() } else { None }
    }
}
