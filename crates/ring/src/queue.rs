//! The queue under a ring: `ringbuf`, or a stand-in that loom can see into.

use ringway_frame::{Epoch, Frame, MediaTime};

#[cfg(not(loom))]
mod compact;
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

    /// Free places; more may be free already, never fewer.
    fn vacant(&self) -> usize;
}

/// The end that frames leave.
pub(crate) trait Consume {
    /// Copies the frame `index` places behind the oldest into `frame`; false when there is none.
    fn copy(&self, index: usize, frame: &mut Frame) -> bool;

    /// What is known of the frame `index` places behind the oldest, its audio aside.
    fn header(&self, index: usize) -> Option<Header>;

    /// Removes the `count` oldest frames.
    fn skip(&mut self, count: usize);

    /// Queued frames; more may be there already, never fewer.
    fn len(&self) -> usize;
}

/// A frame without its audio.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) time: MediaTime,
    pub(crate) sequence: u32,
    pub(crate) epoch: Epoch,
    pub(crate) gap: bool,
}

impl Header {
    fn of(frame: &Frame, gap: bool) -> Self {
        Self { time: frame.time, sequence: frame.sequence, epoch: frame.epoch, gap }
    }
}
