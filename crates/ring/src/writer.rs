use crate::queue::{Produce, Producer};
use crate::shared::Shared;
use crate::sync::Arc;
use crate::{Closed, Stats};
use ringway_frame::{Format, Frame};
use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::{Context, Poll};

/// The end of a ring that frames enter. Dropping it closes the ring.
///
/// There is one writer a ring, and one thread at a time uses it: it can be sent, not cloned or shared.
///
/// ```compile_fail,E0599
/// # use ringway_ring::ring;
/// # use ringway_frame::Format;
/// let (writer, _reader) = ring(Format::Mulaw8k, 4);
/// let second_writer = writer.clone();
/// ```
///
/// ```compile_fail,E0277
/// # use ringway_ring::ring;
/// # use ringway_frame::Format;
/// let (writer, _reader) = ring(Format::Mulaw8k, 4);
/// std::thread::scope(|scope| {
///     scope.spawn(|| writer.free()); // by reference
///     writer.free();
/// });
/// ```
pub struct Writer {
    queue: Producer,
    shared: Arc<Shared>,
    format: Format,
    capacity: usize,
    /// Frames that entered so far.
    pushed: u64,
    /// Frames between two releases of memory, and how many are in when the next one is due.
    stride: u64,
    release_at: u64,
    /// The next frame accepted follows one that was dropped.
    gap: bool,
    _not_sync: PhantomData<Cell<()>>,
}

/// Why a frame did not enter a ring; the caller still has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// No place is free.
    #[error("the ring is full")]
    Full,
    /// One of the ends was closed or dropped.
    #[error("the ring is closed")]
    Closed,
    /// The ring holds another format.
    #[error("a ring of {ring} takes no {frame} frame")]
    WrongFormat {
        /// What the ring holds.
        ring: Format,
        /// What was offered.
        frame: Format,
    },
}

/// Rings of so many bytes keep them.
const KEPT: usize = 12 * 1_024;

/// After how many bytes a larger one of `bytes` releases what is free.
fn stride(bytes: usize) -> usize {
    (bytes / 8).clamp(8 * 1_024, 32 * 1_024)
}

impl Writer {
    pub(crate) fn new(queue: Producer, shared: Arc<Shared>, format: Format, capacity: usize) -> Self {
        let keeps = queue.bytes() <= KEPT;
        let stride =
            if keeps { u64::MAX } else { (stride(queue.bytes()) * capacity / queue.bytes()).max(1) as u64 };
        Self {
            queue,
            shared,
            format,
            capacity,
            pushed: 0,
            gap: false,
            stride,
            release_at: stride,
            _not_sync: PhantomData,
        }
    }

    /// Copies `frame` into the ring and wakes the reader.
    ///
    /// # Errors
    /// [`PushError`]; the ring is as it was.
    pub fn push(&mut self, frame: &Frame) -> Result<(), PushError> {
        if frame.format() != self.format {
            return Err(PushError::WrongFormat { ring: self.format, frame: frame.format() });
        }
        if self.is_closed() {
            return Err(PushError::Closed);
        }
        if !self.queue.push(frame, frame.gap || self.gap) {
            return Err(PushError::Full);
        }
        self.gap = false;
        self.pushed += 1;
        self.shared.writer.pushed.set(self.pushed);
        self.shared.ready.ring(self.pushed);
        if self.pushed == self.release_at {
            self.release_at += self.stride;
            self.release();
        }
        Ok(())
    }

    /// As [`push`](Self::push), for audio that cannot wait: a full ring drops `frame`, the newest, counts it,
    /// and marks the next frame that enters with [`gap`](Frame::gap).
    ///
    /// # Errors
    /// [`PushError::Full`] tells of the drop; the others are as in `push`, and count nothing.
    pub fn push_or_drop(&mut self, frame: &Frame) -> Result<(), PushError> {
        let pushed = self.push(frame);
        if pushed == Err(PushError::Full) {
            self.drop_newest();
        }
        pushed
    }

    /// Counts a frame that its owner had to drop, and marks the next one that enters with [`gap`](Frame::gap).
    pub fn drop_newest(&mut self) {
        self.gap = true;
        self.shared.writer.dropped.increment();
    }

    /// Ready once `frames` places are free, at most the capacity; until then the task of `cx` waits for the
    /// reader, which wakes it once, when there are enough.
    ///
    /// # Errors
    /// The ring is closed.
    pub fn poll_space(&mut self, cx: &mut Context<'_>, frames: usize) -> Poll<Result<(), Closed>> {
        let frames = frames.clamp(1, self.capacity);
        let (queue, shared) = (&self.queue, &self.shared);
        let popped = (self.pushed + frames as u64).saturating_sub(self.capacity as u64);
        shared.space.poll(cx, popped, || match shared.is_closed() {
            true => Some(Err(Closed)),
            false => (queue.vacant() >= frames).then_some(Ok(())),
        })
    }

    /// Waits until `frames` places are free, at most the capacity. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The ring is closed.
    pub async fn space(&mut self, frames: usize) -> Result<(), Closed> {
        poll_fn(|cx| self.poll_space(cx, frames)).await
    }

    /// Gives the memory of free places back to the system; it comes again as frames do, without a word of ours: one
    /// system call, and a page fault for every 4 KiB that is written to later.
    ///
    /// A large ring does it by itself now and then: else one that holds a word would keep the memory of all that it could
    /// hold, since it writes to all of its places in turn.
    pub fn release(&mut self) {
        self.queue.release();
    }

    /// Ends the stream: the reader still gets what is queued, then `Closed`.
    pub fn close(&mut self) {
        self.shared.close();
    }

    /// Whether either end was closed or dropped.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Places that are free; the reader may have freed more.
    pub fn free(&self) -> usize {
        self.queue.vacant()
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
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("format", &self.format)
            .field("capacity", &self.capacity)
            .field("free", &self.free())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
