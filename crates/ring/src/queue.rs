//! The queue under a ring: `ringbuf`, or a stand-in that loom can see into.

use ringway_frame::{Epoch, Frame, MediaTime};

#[cfg(not(loom))]
mod compact;
#[cfg(not(loom))]
#[expect(unsafe_code, reason = "it tells the system about memory that the allocator owns")]
mod pages;
#[cfg(loom)]
mod stand_in;

#[cfg(not(loom))]
pub(crate) use compact::{Consumer, Producer, queue};
#[cfg(loom)]
pub(crate) use stand_in::{Consumer, Producer, queue};

/// The end that frames enter.
pub(crate) trait Produce {
    /// Queues `frame` with that gap mark; false when the queue is full.
    fn push(&mut self, frame: &Frame, gap: bool) -> bool;

    /// Bytes of memory of all places.
    fn bytes(&self) -> usize;

    /// Free places; more may be free already, never fewer.
    fn vacant(&self) -> usize;

    /// Gives the memory of free places back to the system until they are written to.
    fn release(&mut self);
}

/// The end that frames leave.
pub(crate) trait Consume {
    /// Copies the frame `index` places behind the oldest into `frame`; false when there is none.
    fn copy(&self, index: usize, frame: &mut Frame) -> bool;

    /// The time of the frame `index` places behind the oldest.
    fn time(&self, index: usize) -> Option<MediaTime>;

    /// The epoch of the frame `index` places behind the oldest.
    fn epoch(&self, index: usize) -> Option<Epoch>;

    /// Removes the `count` oldest frames.
    fn skip(&mut self, count: usize);

    /// Queued frames; more may be there already, never fewer.
    fn len(&self) -> usize;
}
