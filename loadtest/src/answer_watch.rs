use ringway_frame::MediaTime;
use std::time::Duration;

/// Waits for the answer to what the caller has said, or to the key that it has pressed.
#[derive(Clone, Copy, Debug)]
pub struct AnswerWatch {
    /// The end of the last loud frame said, or the last key.
    asked: MediaTime,
    to: AnswerTo,
}

/// What is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerTo {
    /// Something said.
    Words,
    /// A key.
    Key,
}

/// An answer that has not begun after so long is missing.
pub const MISSING_AFTER: Duration = Duration::from_secs(5);

impl AnswerWatch {
    /// The caller asked at `asked`.
    pub const fn new(asked: MediaTime, to: AnswerTo) -> Self {
        Self { asked, to }
    }

    /// What is to be answered.
    pub const fn to(self) -> AnswerTo {
        self.to
    }

    /// How long the answer took whose first loud frame began at `at`.
    pub const fn answered(self, at: MediaTime) -> Duration {
        at.since(self.asked)
    }

    /// No answer came in time.
    pub fn is_missing(self, now: MediaTime) -> bool {
        now.since(self.asked) >= MISSING_AFTER
    }
}
