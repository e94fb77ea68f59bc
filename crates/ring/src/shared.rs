use crate::counters::{ReaderCounters, WriterCounters};
use crate::doorbell::Doorbell;
use crate::sync::{AtomicBool, Ordering};
use crossbeam::utils::CachePadded;

/// What both ends of a ring share besides the queue; each line of cache has one usual writer.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) writer: CachePadded<WriterCounters>,
    pub(crate) reader: CachePadded<ReaderCounters>,
    /// The reader waits here for frames.
    pub(crate) ready: CachePadded<Doorbell>,
    /// The writer waits here for free places.
    pub(crate) space: CachePadded<Doorbell>,
    closed: AtomicBool,
}

impl Shared {
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Release: who sees the ring closed sees every frame pushed before.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.ready.ring_for_all();
        self.space.ring_for_all();
    }
}
