use super::roster::Roster;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a pool does and has done since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Engines that work or wait for work; 0 while none can be built.
    pub engines: usize,
    /// Jobs that wait.
    pub queued: usize,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that ran, well or not.
    pub finished: u64,
    /// Time that engines spent on them.
    pub busy: Duration,
    /// Jobs that were refused because too many waited.
    pub overloads: u64,
    /// Jobs that panicked and cost their engine.
    pub panics: u64,
    /// Threads that were abandoned.
    pub quarantined: u64,
    /// Threads that are abandoned and have not come back.
    pub abandoned: usize,
}

/// The part that is counted as it happens.
#[derive(Debug, Default)]
pub(super) struct Meters {
    pub(super) finished: Meter,
    pub(super) busy_nanos: Meter,
    pub(super) overloads: Meter,
    pub(super) panics: Meter,
    pub(super) quarantined: Meter,
}

impl Meters {
    pub(super) fn snapshot(&self, roster: &Roster, queued: usize) -> Counters {
        Counters {
            engines: roster.len(),
            queued,
            running: roster.len() - roster.idle(),
            finished: self.finished.get(),
            busy: Duration::from_nanos(self.busy_nanos.get()),
            overloads: self.overloads.get(),
            panics: self.panics.get(),
            quarantined: self.quarantined.get(),
            abandoned: roster.abandoned,
        }
    }
}

/// A number that only grows; it decides nothing, so it orders nothing.
#[derive(Debug, Default)]
pub(super) struct Meter(AtomicU64);

impl Meter {
    pub(super) fn increment(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
