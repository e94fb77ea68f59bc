//! Frames that tell where they come from, and a waker that counts.

use ringway_frame::{Epoch, Format, Frame, MediaTime};
use ringway_ring::PopError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

/// Frame number `sequence` of a stream; every byte of it depends on the number.
pub fn frame(format: Format, sequence: u32, gap: bool) -> Frame {
    let payload: Vec<u8> = (0..format.bytes()).map(|at| (sequence as usize * 31 + at) as u8).collect();
    let time = MediaTime::from_millis(20 * u64::from(sequence));
    let mut frame = Frame::new(format, &payload).expect("as long as its format says");
    frame.gap = gap;
    frame.at(sequence, time).in_epoch(Epoch::new(sequence / 3))
}

/// The frame that `take` fills in.
pub fn fill(take: impl FnOnce(&mut Frame) -> Result<(), PopError>) -> Result<Frame, PopError> {
    let mut frame = Frame::silence(Format::Mulaw8k);
    take(&mut frame).map(|()| frame)
}

/// A waker that counts its wakes.
pub struct Wakes {
    count: Arc<Count>,
    waker: Waker,
}

struct Count(AtomicUsize);

impl Wakes {
    pub fn new() -> Self {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        Self { waker: count.clone().into(), count }
    }

    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    pub fn count(&self) -> usize {
        self.count.0.load(Ordering::Relaxed)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
