use crate::shared::Shared;
use crate::sync::Arc;
use std::fmt;

/// Reads the counters of one ring from any thread; outlives the ring, and does not keep its frames.
#[derive(Clone)]
pub struct Stats(pub(crate) Arc<Shared>);

/// The counters of one ring at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Frames that entered.
    pub pushed: u64,
    /// Frames that left: popped, skipped, committed, and committed by force.
    pub popped: u64,
    /// Frames that a full ring did not take, the newest ones.
    pub dropped: u64,
    /// Frames committed by force because a replay window was full; counted in `popped` too.
    pub forced_commits: u64,
}

impl Stats {
    /// The counters now. They are read one after the other while the ends may go on.
    pub fn snapshot(&self) -> Snapshot {
        let (writer, reader) = (&self.0.writer, &self.0.reader);
        // Left before entered: a frame that passes in between must not make the depth negative.
        let popped = reader.popped.get();
        Snapshot {
            popped,
            forced_commits: reader.forced_commits.get(),
            pushed: writer.pushed.get(),
            dropped: writer.dropped.get(),
        }
    }
}

impl Snapshot {
    /// Frames in the ring.
    pub const fn depth(&self) -> u64 {
        self.pushed.saturating_sub(self.popped)
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}
