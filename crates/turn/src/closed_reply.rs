use crate::TurnNumber;
use crate::heard::Ledger;
use crate::refusals::Refusals;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The last reply that is over: how much of it was heard may be corrected.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClosedReply {
    pub(crate) turn: TurnNumber,
    text: String,
    ledger: Ledger,
    refusals: Refusals,
}

impl ClosedReply {
    pub(crate) fn new(turn: TurnNumber, text: String, ledger: Ledger, refusals: Refusals) -> Self {
        Self { turn, text, ledger, refusals }
    }

    /// What was heard of it, the filler aside.
    pub(crate) fn heard(&self) -> String {
        self.refusals.without(&self.text, self.ledger.heard(&self.text))
    }

    /// Its parts belong together.
    pub(crate) fn fits(&self) -> bool {
        self.ledger.fits(&self.text) && self.refusals.fit(&self.text)
    }

    /// No more than this was heard.
    pub(crate) fn truncate(&mut self, until: Duration) {
        self.ledger.truncate(until);
    }
}
