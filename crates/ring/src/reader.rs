use crate::queue::{Consume, Consumer};
use crate::shared::Shared;
use crate::sync::Arc;
use crate::{Closed, Stats};
use ringway_frame::{Epoch, Format, Frame, MediaTime};
use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::{Context, Poll};

/// The end of a ring that frames leave. Dropping it closes the ring.
///
/// There is one reader a ring, and one thread at a time uses it: it can be sent, not cloned or shared.
///
/// ```compile_fail,E0599
/// # use ringway_ring::ring;
/// # use ringway_frame::Format;
/// let (_writer, reader) = ring(Format::Mulaw8k, 4);
/// let second_reader = reader.clone();
/// ```
///
/// ```compile_fail,E0277
/// # use ringway_ring::ring;
/// # use ringway_frame::Format;
/// let (_writer, reader) = ring(Format::Mulaw8k, 4);
/// std::thread::scope(|scope| {
///     scope.spawn(|| reader.len()); // by reference
///     reader.len();
/// });
/// ```
pub struct Reader {
    queue: Consumer,
    shared: Arc<Shared>,
    format: Format,
    capacity: usize,
    /// Frames that left so far.
    popped: u64,
    _not_sync: PhantomData<Cell<()>>,
}

/// Why no frame left a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PopError {
    /// No frame is there yet.
    #[error("the ring is empty")]
    Empty,
    /// One of the ends was closed or dropped, and no frame is left.
    #[error("the ring is closed")]
    Closed,
}

impl Reader {
    pub(crate) fn new(queue: Consumer, shared: Arc<Shared>, format: Format, capacity: usize) -> Self {
        Self { queue, shared, format, capacity, popped: 0, _not_sync: PhantomData }
    }

    /// Moves the oldest frame into `frame` and wakes the writer if it has the space that it waits for.
    ///
    /// # Errors
    /// [`PopError`]; `frame` is as it was.
    pub fn pop(&mut self, frame: &mut Frame) -> Result<(), PopError> {
        self.copy(0, frame)?;
        self.skip(1);
        Ok(())
    }

    /// The epoch of the frame that [`pop`](Self::pop) would give: playout looks before it takes.
    pub fn next_epoch(&self) -> Option<Epoch> {
        self.epoch(0)
    }

    /// The time of that frame.
    pub fn next_time(&self) -> Option<MediaTime> {
        self.queue.time(0)
    }

    /// Removes at most `count` of the oldest frames unread; how many it removed.
    pub fn skip(&mut self, count: usize) -> usize {
        let count = count.min(self.len());
        self.queue.skip(count);
        self.popped += count as u64;
        self.shared.reader.popped.set(self.popped);
        self.shared.space.ring(self.popped);
        count
    }

    /// Ready once a frame is there; until then the task of `cx` waits for the writer.
    ///
    /// # Errors
    /// The ring is closed and no frame is left.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.poll_ready_for(1, cx)
    }

    /// Ready once so many frames are there, 1 or more, or fewer and no more to come: who can do nothing with less sleeps
    /// until then.
    ///
    /// # Errors
    /// The ring is closed and no frame is left.
    pub fn poll_ready_for(&mut self, frames: usize, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.poll_beyond(0, frames, cx)
    }

    /// Waits until a frame is there. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The ring is closed and no frame is left.
    pub async fn ready(&mut self) -> Result<(), Closed> {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Ends the stream: the writer is refused from now on; what is queued can still be read.
    pub fn close(&mut self) {
        self.shared.close();
    }

    /// Whether either end was closed or dropped; frames may be left.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Frames that are there; the writer may have added more.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether no frame is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Frames that the ring can hold.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The format of all its frames.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// A handle to the ring's counters.
    pub fn stats(&self) -> Stats {
        Stats(self.shared.clone())
    }

    pub(crate) fn copy(&self, index: usize, frame: &mut Frame) -> Result<(), PopError> {
        if self.queue.copy(index, frame) {
            return Ok(());
        }
        if !self.is_closed() {
            return Err(PopError::Empty);
        }
        // A frame pushed between the two looks came before the close.
        if self.queue.copy(index, frame) { Ok(()) } else { Err(PopError::Closed) }
    }

    /// Waits for `frames` behind the `read` ones.
    pub(crate) fn poll_beyond(
        &mut self,
        read: usize,
        frames: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Closed>> {
        debug_assert!(0 < frames && frames <= self.capacity - read, "{frames} frames behind {read}");
        let (queue, shared) = (&self.queue, &self.shared);
        shared.ready.poll(cx, self.popped + (read + frames) as u64, || {
            // Closed is loaded first: who sees it sees every frame before it.
            let closed = shared.is_closed();
            let there = queue.len() - read;
            match there >= frames || (closed && there > 0) {
                true => Some(Ok(())),
                false => closed.then_some(Err(Closed)),
            }
        })
    }

    pub(crate) fn epoch(&self, index: usize) -> Option<Epoch> {
        self.queue.epoch(index)
    }

    pub(crate) fn time(&self, index: usize) -> Option<MediaTime> {
        self.queue.time(index)
    }

    pub(crate) fn force_commit(&mut self) {
        self.shared.reader.forced_commits.increment();
        self.skip(1);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("format", &self.format)
            .field("capacity", &self.capacity)
            .field("len", &self.len())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
