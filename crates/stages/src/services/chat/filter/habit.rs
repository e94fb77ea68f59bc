use std::sync::atomic::{AtomicU8, Ordering};

/// What is known of how a service's model begins its replies, for all calls.
///
/// Chat templates may open the thoughts of a model in the prompt, so that only their end is in the reply. Whether a text
/// is thought is then known when it is too late, unless it was known before.
#[derive(Debug, Default)]
pub(in crate::services) struct Habit(AtomicU8);

/// Whether the beginning of a reply may be thought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    No,
    /// Until something is heard of it, or a moment has gone by.
    Moment,
    /// Until its end.
    Reply,
}

const UNKNOWN: u8 = 0;
const SPEAKS: u8 = 1;
const THINKS: u8 = 2;

impl Habit {
    pub(super) fn doubt(&self) -> Doubt {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => Doubt::Moment,
            THINKS => Doubt::Reply,
            _ => Doubt::No,
        }
    }

    /// Thoughts ended that were not seen to begin.
    pub(super) fn thinks(&self) {
        self.0.store(THINKS, Ordering::Relaxed);
    }

    /// A whole reply had no thoughts in it; this doubt was left at its end.
    pub(super) fn spoke(&self, doubt: Doubt) {
        if doubt == Doubt::Reply {
            self.0.store(UNKNOWN, Ordering::Relaxed);
        } else {
            // What another call has learned meanwhile counts for more.
            let _ = self.0.compare_exchange(UNKNOWN, SPEAKS, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}
