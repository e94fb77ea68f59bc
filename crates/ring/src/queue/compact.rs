use super::{Consume, Produce, pages};
use pages::Paged;
use ringbuf::traits::{Consumer as _, Observer as _, Producer as _, Split as _};
use ringbuf::{CachingCons, CachingProd};
use ringway_frame::{Epoch, Format, Frame, MediaTime, Skew};
use std::sync::Arc;

/// Header and exactly the payload of its format: 184 bytes of mu-law instead of a [`Frame`]'s 664.
pub(crate) struct Slot<const BYTES: usize> {
    time: MediaTime,
    sequence: u32,
    epoch: Epoch,
    skew: Skew,
    gap: bool,
    payload: [u8; BYTES],
}

type Prod<T> = CachingProd<Arc<Paged<T>>>;
type Cons<T> = CachingCons<Arc<Paged<T>>>;

type Mulaw8k = Slot<{ Format::Mulaw8k.bytes() }>;
type Pcm8k = Slot<{ Format::Pcm8k.bytes() }>;
type Pcm16k = Slot<{ Format::Pcm16k.bytes() }>;

pub(crate) enum Producer {
    Mulaw8k(Prod<Mulaw8k>),
    Pcm8k(Prod<Pcm8k>),
    Pcm16k(Prod<Pcm16k>),
}

pub(crate) enum Consumer {
    Mulaw8k(Cons<Mulaw8k>),
    Pcm8k(Cons<Pcm8k>),
    Pcm16k(Cons<Pcm16k>),
}

/// An empty queue; the only allocation of its life.
pub(crate) fn queue(format: Format, capacity: usize) -> (Producer, Consumer) {
    match format {
        Format::Mulaw8k => {
            let (producer, consumer) = pages::ring(capacity).split();
            (Producer::Mulaw8k(producer), Consumer::Mulaw8k(consumer))
        }
        Format::Pcm8k => {
            let (producer, consumer) = pages::ring(capacity).split();
            (Producer::Pcm8k(producer), Consumer::Pcm8k(consumer))
        }
        Format::Pcm16k => {
            let (producer, consumer) = pages::ring(capacity).split();
            (Producer::Pcm16k(producer), Consumer::Pcm16k(consumer))
        }
    }
}

macro_rules! on_slots {
    ($end:expr, $slots:ident => $body:expr) => {
        match $end {
            Self::Mulaw8k($slots) => $body,
            Self::Pcm8k($slots) => $body,
            Self::Pcm16k($slots) => $body,
        }
    };
}

impl Produce for Producer {
    fn push(&mut self, frame: &Frame, gap: bool) -> bool {
        on_slots!(self, slots => slots.try_push(Slot::of(frame, gap)).is_ok())
    }

    fn bytes(&self) -> usize {
        on_slots!(self, slots => bytes(slots))
    }

    fn vacant(&self) -> usize {
        on_slots!(self, slots => slots.vacant_len())
    }

    fn release(&mut self) {
        on_slots!(self, slots => {
            let capacity = slots.capacity().get();
            let (older, newer) = slots.vacant_slices_mut();
            if older.len() + newer.len() == capacity {
                pages::release_all(older, newer);
            } else {
                pages::release(older);
                pages::release(newer);
            }
        });
    }
}

impl Consume for Consumer {
    fn copy(&self, index: usize, frame: &mut Frame) -> bool {
        let format = self.format();
        on_slots!(self, slots => at(slots, index).map(|slot| slot.copy(format, frame)).is_some())
    }

    fn time(&self, index: usize) -> Option<MediaTime> {
        on_slots!(self, slots => at(slots, index).map(|slot| slot.time))
    }

    fn epoch(&self, index: usize) -> Option<Epoch> {
        on_slots!(self, slots => at(slots, index).map(|slot| slot.epoch))
    }

    fn skip(&mut self, count: usize) {
        on_slots!(self, slots => slots.skip(count));
    }

    fn len(&self) -> usize {
        on_slots!(self, slots => slots.occupied_len())
    }
}

impl Consumer {
    const fn format(&self) -> Format {
        match self {
            Self::Mulaw8k(_) => Format::Mulaw8k,
            Self::Pcm8k(_) => Format::Pcm8k,
            Self::Pcm16k(_) => Format::Pcm16k,
        }
    }
}

impl<const BYTES: usize> Slot<BYTES> {
    fn of(frame: &Frame, gap: bool) -> Self {
        let mut payload = [0; BYTES];
        payload.copy_from_slice(frame.payload());
        Self {
            time: frame.time,
            sequence: frame.sequence,
            epoch: frame.epoch,
            skew: frame.skew,
            gap,
            payload,
        }
    }

    fn copy(&self, format: Format, frame: &mut Frame) {
        if frame.format() != format {
            *frame = Frame::silence(format);
        }
        frame.sequence = self.sequence;
        frame.time = self.time;
        frame.epoch = self.epoch;
        frame.skew = self.skew;
        frame.gap = self.gap;
        frame.payload_mut().copy_from_slice(&self.payload);
    }
}

fn bytes<const BYTES: usize>(slots: &Prod<Slot<BYTES>>) -> usize {
    slots.capacity().get() * size_of::<Slot<BYTES>>()
}

fn at<const BYTES: usize>(slots: &Cons<Slot<BYTES>>, index: usize) -> Option<&Slot<BYTES>> {
    let (older, newer) = slots.as_slices();
    older.get(index).or_else(|| newer.get(index - older.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_of_telephone_audio_stay_under_100_kb() {
        assert_eq!(size_of::<Mulaw8k>(), 184);
        assert!(512 * size_of::<Mulaw8k>() < 100_000);
    }
}
