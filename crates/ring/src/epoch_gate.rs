use crate::sync::{Arc, AtomicU32, Ordering};
use ringway_frame::Epoch;
use std::fmt;

/// Which of the bot's audio may be played: nothing of an older epoch, nothing of one not released yet.
///
/// Barge-in [raises](Self::raise) the epoch and playout discards what is older; no queue is flushed from
/// outside. An answer spoken on speculation waits in the ring until its epoch is [released](Self::release).
///
/// # Memory ordering
/// The number is the whole message, so coherence of the one atomic is enough to void frames: who has seen
/// epoch *n* never sees an older one again. A frame cannot be newer than the gate of its reader: its maker
/// learnt the epoch after the raise (a message), stored the frame in a ring with Release, and the reader
/// loaded it with Acquire, so the raise happens before the reader's look at the gate. The raise itself is
/// Release and the look Acquire, so that playout also sees what was decided before the raise.
#[derive(Clone)]
pub struct EpochGate {
    state: Arc<State>,
}

/// What playout does with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its epoch is current and released.
    Play,
    /// Its epoch is current and not released: it stays in the ring.
    Wait,
    /// Its epoch is over: it is discarded.
    Void,
}

#[derive(Default)]
struct State {
    current: AtomicU32,
    released: AtomicU32,
}

impl EpochGate {
    /// A gate at [`Epoch::ZERO`], which is released.
    pub fn new() -> Self {
        Self { state: Arc::default() }
    }

    /// Begins the next epoch, which makes all audio so far void: one atomic store.
    pub fn raise(&self) -> Epoch {
        Epoch::new(self.state.current.fetch_add(1, Ordering::AcqRel)).next()
    }

    /// Lets audio of `epoch` be played; false, and no change, when it is void already.
    pub fn release(&self, epoch: Epoch) -> bool {
        if self.is_void(epoch) {
            return false;
        }
        let newer = |released| is_older(Epoch::new(released), epoch).then_some(epoch.number());
        // An error means that this epoch or a newer one has been released, which is as well.
        let _ = self.state.released.fetch_update(Ordering::AcqRel, Ordering::Acquire, newer);
        true
    }

    /// The epoch that new audio belongs to.
    pub fn current(&self) -> Epoch {
        Epoch::new(self.state.current.load(Ordering::Acquire))
    }

    /// The newest epoch that was released; it may be void by now.
    pub fn released(&self) -> Epoch {
        Epoch::new(self.state.released.load(Ordering::Acquire))
    }

    /// Whether audio of `epoch` must not be played any more.
    pub fn is_void(&self, epoch: Epoch) -> bool {
        is_older(epoch, self.current())
    }

    /// What to do with a frame of `epoch`.
    pub fn verdict(&self, epoch: Epoch) -> Verdict {
        if self.is_void(epoch) {
            Verdict::Void
        } else if is_older(self.released(), epoch) {
            Verdict::Wait
        } else {
            Verdict::Play
        }
    }
}

impl Default for EpochGate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EpochGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpochGate")
            .field("current", &self.current().number())
            .field("released", &self.released().number())
            .finish()
    }
}

/// Serial number arithmetic, [RFC 1982](https://www.rfc-editor.org/rfc/rfc1982): numbers may wrap.
const fn is_older(epoch: Epoch, than: Epoch) -> bool {
    (epoch.number().wrapping_sub(than.number()) as i32) < 0
}
