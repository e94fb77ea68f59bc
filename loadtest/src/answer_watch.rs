use ringway_frame::MediaTime;
use std::time::Duration;

/// Waits for the answer to what the caller has said.
#[derive(Clone, Copy, Debug)]
pub struct AnswerWatch {
    /// The end of the last loud frame said.
    asked: MediaTime,
}

/// An answer that has not begun after so long is missing.
pub const MISSING_AFTER: Duration = Duration::from_secs(5);

impl AnswerWatch {
    /// The caller's last loud frame ended at `asked`.
    pub const fn new(asked: MediaTime) -> Self {
        Self { asked }
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
