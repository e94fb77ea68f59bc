use super::{Consume, Produce};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use ringway_frame::{Epoch, Format, Frame, MediaTime};
use std::sync::Mutex;

/// Orders memory as ringbuf does and no more: each index is stored with Release and loaded with Acquire.
///
/// The slots are behind locks that loom does not see, so that they add neither order nor interleavings.
struct Slots {
    frames: Vec<Mutex<Frame>>,
    read: AtomicUsize,
    write: AtomicUsize,
}

pub(crate) struct Producer(Arc<Slots>);
pub(crate) struct Consumer(Arc<Slots>);

pub(crate) fn queue(format: Format, capacity: usize) -> (Producer, Consumer) {
    let slots = Arc::new(Slots {
        frames: (0..capacity).map(|_| Mutex::new(Frame::silence(format))).collect(),
        read: AtomicUsize::new(0),
        write: AtomicUsize::new(0),
    });
    (Producer(slots.clone()), Consumer(slots))
}

impl Produce for Producer {
    fn push(&mut self, frame: &Frame, gap: bool) -> bool {
        if self.vacant() == 0 {
            return false;
        }
        let write = self.0.write.load(Ordering::Relaxed);
        let mut slot = self.0.slot(write);
        *slot = *frame;
        slot.gap = gap;
        drop(slot);
        self.0.write.store(write + 1, Ordering::Release);
        true
    }

    fn bytes(&self) -> usize {
        0
    }

    fn vacant(&self) -> usize {
        self.0.frames.len() - self.0.len()
    }

    fn release(&mut self) {}
}

impl Consume for Consumer {
    fn copy(&self, index: usize, frame: &mut Frame) -> bool {
        self.at(index).map(|found| *frame = found).is_some()
    }

    fn time(&self, index: usize) -> Option<MediaTime> {
        self.at(index).map(|frame| frame.time)
    }

    fn epoch(&self, index: usize) -> Option<Epoch> {
        self.at(index).map(|frame| frame.epoch)
    }

    fn skip(&mut self, count: usize) {
        let read = self.0.read.load(Ordering::Relaxed);
        self.0.read.store(read + count.min(self.len()), Ordering::Release);
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Consumer {
    fn at(&self, index: usize) -> Option<Frame> {
        let read = self.0.read.load(Ordering::Relaxed);
        (index < self.len()).then(|| *self.0.slot(read + index))
    }
}

impl Slots {
    fn len(&self) -> usize {
        self.write.load(Ordering::Acquire) - self.read.load(Ordering::Acquire)
    }

    fn slot(&self, position: usize) -> std::sync::MutexGuard<'_, Frame> {
        self.frames[position % self.frames.len()].lock().expect("no holder panics")
    }
}
