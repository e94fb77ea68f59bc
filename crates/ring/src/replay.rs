use crate::{Closed, Lend, PopError, Reader, Stats};
use ringway_frame::{Epoch, FRAME, Format, Frame, MediaTime};
use std::future::poll_fn;
use std::task::{Context, Poll};

/// A reader that consumes only what it commits: what was read since can be read again.
///
/// ```text
///    committed │ read, kept for a second reading │ not read yet     │ free
///   ───────────┼─────────────────────────────────┼──────────────────┼──────►
///              ▲ last commit      ▲ at most the  ▲ cursor           ▲ writer
///                                   window
/// ```
/// A recogniser commits what it has answered for. When it dies, the next one starts at the last commit and no
/// word is lost. Reading past the window commits the oldest frame by force, so that a long utterance never
/// stops a healthy recogniser. The writer is refused only when window and slack (capacity less window) are
/// both used up.
#[derive(Debug)]
pub struct ReplayReader {
    reader: Reader,
    window: usize,
    /// Frames read since the last commit.
    cursor: usize,
}

impl Reader {
    /// Reads without consuming from now on: at most `window` frames are kept for a second reading.
    ///
    /// # Panics
    /// Unless `0 < window < capacity`: the writer needs places beside the window.
    #[must_use]
    pub fn replay(self, window: usize) -> ReplayReader {
        let capacity = self.capacity();
        assert!(0 < window && window < capacity, "a window of {window} frames in a ring of {capacity}");
        ReplayReader { reader: self, window, cursor: 0 }
    }
}

impl ReplayReader {
    /// Copies the next frame into `frame`; it stays in the ring until it is committed.
    ///
    /// # Errors
    /// [`PopError`]; after a [`rewind`](Self::rewind) there may be frames again.
    pub fn read(&mut self, frame: &mut Frame) -> Result<(), PopError> {
        self.reader.copy(self.cursor, frame)?;
        if self.cursor == self.window {
            self.reader.force_commit();
        } else {
            self.cursor += 1;
        }
        Ok(())
    }

    /// Copies into `frame` the one `index` places behind the last commit; it must have been read.
    ///
    /// # Errors
    /// It was not.
    pub fn look_back(&self, index: usize, frame: &mut Frame) -> Result<(), PopError> {
        if index < self.cursor { self.reader.copy(index, frame) } else { Err(PopError::Empty) }
    }

    /// Consumes at most `frames` of the oldest frames that were read; how many it consumed.
    pub fn commit(&mut self, frames: usize) -> usize {
        let committed = frames.min(self.cursor);
        self.cursor -= committed;
        self.reader.skip(committed)
    }

    /// Consumes the frames that were read and end at `until` or earlier; how many those are.
    pub fn commit_until(&mut self, until: MediaTime) -> usize {
        let ended = |index: &usize| self.reader.time(*index).is_some_and(|time| time + FRAME <= until);
        let frames = (0..self.cursor).take_while(ended).count();
        self.commit(frames)
    }

    /// The epoch of the frame that [`read`](Self::read) would give.
    pub fn next_epoch(&self) -> Option<Epoch> {
        self.reader.epoch(self.cursor)
    }

    /// Consumes all frames that were read, and at most `frames` behind them unread; how many of the latter.
    pub fn skip(&mut self, frames: usize) -> usize {
        let read = std::mem::take(&mut self.cursor);
        self.reader.skip(read + frames) - read
    }

    /// Sets the cursor back to the last commit; how many frames will be read a second time.
    pub fn rewind(&mut self) -> usize {
        std::mem::take(&mut self.cursor)
    }

    /// Frames read since the last commit, at most the window.
    pub const fn uncommitted(&self) -> usize {
        self.cursor
    }

    /// Frames that were not read since the last commit or rewind.
    pub fn unread(&self) -> usize {
        self.reader.len() - self.cursor
    }

    /// Frames that are kept for a second reading at most.
    pub const fn window(&self) -> usize {
        self.window
    }

    /// Ready once a frame can be read; until then the task of `cx` waits for the writer.
    ///
    /// # Errors
    /// The ring is closed and every frame was read.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.poll_ready_for(1, cx)
    }

    /// Ready once so many frames can be read, 1 or more, or fewer and no more to come. As many as the ring
    /// holds beside the window can be waited for.
    ///
    /// # Errors
    /// The ring is closed and every frame was read.
    pub fn poll_ready_for(&mut self, frames: usize, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.reader.poll_beyond(self.cursor, frames, cx)
    }

    /// Waits until a frame can be read. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The ring is closed and every frame was read.
    pub async fn ready(&mut self) -> Result<(), Closed> {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Ends the stream: the writer is refused from now on; what is queued can still be read.
    pub fn close(&mut self) {
        self.reader.close();
    }

    /// Whether either end was closed or dropped; frames may be left.
    pub fn is_closed(&self) -> bool {
        self.reader.is_closed()
    }

    /// The format of all its frames.
    pub const fn format(&self) -> Format {
        self.reader.format()
    }

    /// A handle to the ring's counters; a commit counts as `popped`.
    pub fn stats(&self) -> Stats {
        self.reader.stats()
    }
}

impl Lend for ReplayReader {
    /// Who borrows it next starts at the last commit.
    fn lent_anew(&mut self) {
        self.rewind();
    }
}
