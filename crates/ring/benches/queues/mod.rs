//! The queues compared: a ring, and the bare queues with slots as large as a ring's.

use ringbuf::traits::{Consumer as _, Producer as _, Split as _};
use ringway_frame::{Epoch, Format, Frame, MediaTime};
use ringway_ring::{Reader, Writer};

const CAPACITY: usize = 64;
const FORMAT: Format = Format::Mulaw8k;

/// A mu-law frame with something in it.
pub fn frame() -> Frame {
    Frame::new(FORMAT, &[0x55; FORMAT.bytes()]).expect("as long as its format says")
}

/// A queue of frames between two threads.
pub trait Queue {
    /// Where frames enter.
    type Input: Send;
    /// Where frames leave.
    type Output: Send;
    /// An empty queue.
    fn ends() -> (Self::Input, Self::Output);
    /// False when full.
    fn push(input: &mut Self::Input, frame: &Frame) -> bool;
    /// False when empty.
    fn pop(output: &mut Self::Output, frame: &mut Frame) -> bool;
}

/// A ring of this crate.
pub struct Ring;
/// `ringbuf` alone.
pub struct Bare;
/// `rtrb` alone.
pub struct Rtrb;

/// As large as a slot of a ring.
pub struct Slot {
    time: MediaTime,
    sequence: u32,
    epoch: Epoch,
    gap: bool,
    payload: [u8; FORMAT.bytes()],
}

impl Slot {
    fn of(frame: &Frame) -> Self {
        let mut payload = [0; FORMAT.bytes()];
        payload.copy_from_slice(frame.payload());
        Self { time: frame.time, sequence: frame.sequence, epoch: frame.epoch, gap: frame.gap, payload }
    }

    fn copy(&self, frame: &mut Frame) {
        frame.time = self.time;
        frame.sequence = self.sequence;
        frame.epoch = self.epoch;
        frame.gap = self.gap;
        frame.payload_mut().copy_from_slice(&self.payload);
    }
}

impl Queue for Ring {
    type Input = Writer;
    type Output = Reader;

    fn ends() -> (Writer, Reader) {
        ringway_ring::ring(FORMAT, CAPACITY)
    }

    fn push(writer: &mut Writer, frame: &Frame) -> bool {
        writer.push(frame).is_ok()
    }

    fn pop(reader: &mut Reader, frame: &mut Frame) -> bool {
        reader.pop(frame).is_ok()
    }
}

impl Queue for Bare {
    type Input = ringbuf::HeapProd<Slot>;
    type Output = ringbuf::HeapCons<Slot>;

    fn ends() -> (Self::Input, Self::Output) {
        ringbuf::HeapRb::new(CAPACITY).split()
    }

    fn push(input: &mut Self::Input, frame: &Frame) -> bool {
        input.try_push(Slot::of(frame)).is_ok()
    }

    fn pop(output: &mut Self::Output, frame: &mut Frame) -> bool {
        output.try_pop().map(|slot| slot.copy(frame)).is_some()
    }
}

impl Queue for Rtrb {
    type Input = rtrb::Producer<Slot>;
    type Output = rtrb::Consumer<Slot>;

    fn ends() -> (Self::Input, Self::Output) {
        rtrb::RingBuffer::new(CAPACITY)
    }

    fn push(input: &mut Self::Input, frame: &Frame) -> bool {
        input.push(Slot::of(frame)).is_ok()
    }

    fn pop(output: &mut Self::Output, frame: &mut Frame) -> bool {
        output.pop().map(|slot| slot.copy(frame)).is_ok()
    }
}
