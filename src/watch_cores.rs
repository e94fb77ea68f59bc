//! A thread that watches the media cores from outside: a handler that blocks one freezes all its calls.

use crate::live::stage_name;
use ringway_actors::CoreLoad;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A core whose metronome is silent for so long is blocked.
const BLOCKED: Duration = Duration::from_millis(500);

/// How often the cores are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How many media cores are blocked at the moment.
#[derive(Clone, Debug, Default)]
pub struct BlockedCores(Arc<AtomicUsize>);

impl BlockedCores {
    /// Starts the thread; it ends when the last clone of the result is gone.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn watch(cores: Vec<Arc<CoreLoad>>) -> std::io::Result<Self> {
        let blocked = Arc::new(AtomicUsize::new(0));
        let count = Arc::downgrade(&blocked);
        std::thread::Builder::new().name("watch-cores".into()).spawn(move || {
            let mut known = vec![false; cores.len()];
            while let Some(count) = count.upgrade() {
                for (index, core) in cores.iter().enumerate() {
                    known[index] = look(index, core, core.silent_for(), known[index]);
                }
                count.store(known.iter().filter(|blocked| **blocked).count(), Ordering::Relaxed);
                drop(count);
                std::thread::sleep(LOOK_EVERY);
            }
        })?;
        Ok(Self(blocked))
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether a core is blocked, and a line in the log when that has changed.
fn look(index: usize, core: &CoreLoad, silent: Duration, was_blocked: bool) -> bool {
    let blocked = silent > BLOCKED;
    if blocked && !was_blocked {
        let stage = core.running().map_or("none", stage_name);
        tracing::error!(core = index, stage, silentMs = silent.as_millis() as u64, "media core blocked");
    }
    if was_blocked && !blocked {
        tracing::warn!(core = index, "media core runs again");
    }
    blocked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_blocked_while_its_metronome_is_silent_for_long() {
        let core = CoreLoad::new();
        assert!(!look(0, &core, BLOCKED, false));
        assert!(look(0, &core, BLOCKED + Duration::from_millis(1), false));
        assert!(look(0, &core, BLOCKED * 9, true));
        assert!(!look(0, &core, Duration::from_millis(20), true));
    }
}
