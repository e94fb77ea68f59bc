// Counters decide nothing, so loom does not explore them.
use std::sync::atomic::{AtomicU64, Ordering};

/// Written by the writer's end only.
#[derive(Default)]
pub(crate) struct WriterCounters {
    pub(crate) pushed: Counter,
    pub(crate) dropped: Counter,
}

/// Written by the reader's end only.
#[derive(Default)]
pub(crate) struct ReaderCounters {
    pub(crate) popped: Counter,
    pub(crate) forced_commits: Counter,
}

/// A counter that one thread at a time writes: a load and a store, no read-modify-write.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.set(self.0.load(Ordering::Relaxed) + 1);
    }

    pub(crate) fn set(&self, count: u64) {
        // Release: see the order of loads in `Stats::snapshot`.
        self.0.store(count, Ordering::Release);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}
