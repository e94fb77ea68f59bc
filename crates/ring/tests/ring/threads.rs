//! The real queue between real threads: every byte arrives, in order, once.

use crate::support::{self, frame};
use ringway_frame::{Format, Frame};
use ringway_ring::{Owner, PopError, Reader, ReplayReader, Writer, ring};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

const FRAMES: u32 = if cfg!(miri) { 200 } else { 50_000 };

#[test]
fn every_frame_arrives_in_order_with_its_bytes_in_each_format() {
    for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
        let (mut writer, mut reader) = ring(format, 7);
        let sums = thread::scope(|scope| {
            let pushed = scope.spawn(move || push_all(&mut writer, format));
            let popped = scope.spawn(move || pop_all(&mut reader));
            (pushed.join().unwrap(), popped.join().unwrap())
        });
        assert_eq!(sums.0, sums.1, "{format}");
    }
}

#[test]
fn recognisers_that_come_and_go_hear_every_frame() {
    let (mut writer, reader) = ring(Format::Mulaw8k, 16);
    let mut owner = Owner::new(reader.replay(8));
    let stats = writer.stats();
    let pushing = thread::spawn(move || push_all(&mut writer, Format::Mulaw8k));

    let mut committed = 0;
    while committed < FRAMES {
        let mut lent = owner.lend().unwrap();
        let recogniser = thread::spawn(move || recognise(lent.get_mut().unwrap(), committed));
        committed = recogniser.join().unwrap();
        block_on(owner.returned());
    }

    pushing.join().unwrap();
    let counters = stats.snapshot();
    assert_eq!((counters.pushed, counters.popped), (u64::from(FRAMES), u64::from(FRAMES)));
    assert_eq!((counters.dropped, counters.forced_commits), (0, 0));
}

#[test]
fn a_second_recogniser_waits_until_the_fenced_one_has_gone() {
    let (mut writer, reader) = ring(Format::Mulaw8k, 4);
    let mut owner = Owner::new(reader);
    let mut lent = owner.lend().unwrap();
    let stale = thread::spawn(move || {
        while lent.get_mut().is_ok() {
            thread::yield_now();
        }
    });
    owner.revoke();
    block_on(owner.returned());
    let mut fresh = owner.lend().unwrap();
    writer.push(&frame(Format::Mulaw8k, 0, false)).unwrap();
    assert!(support::fill(|frame| fresh.get_mut().unwrap().pop(frame)).is_ok());
    stale.join().unwrap();
}

fn push_all(writer: &mut Writer, format: Format) -> u64 {
    let mut sum = 0;
    for sequence in 0..FRAMES {
        let frame = frame(format, sequence, sequence % 5 == 0);
        block_on(writer.space(1)).expect("the reader reads to the end");
        writer.push(&frame).expect("space was waited for");
        sum = checksum(sum, &frame);
    }
    writer.close();
    sum
}

fn pop_all(reader: &mut Reader) -> u64 {
    let mut frame = Frame::silence(reader.format());
    let mut sum = 0;
    while block_on(reader.ready()).is_ok() {
        reader.pop(&mut frame).expect("a frame was waited for");
        sum = checksum(sum, &frame);
    }
    assert_eq!(reader.pop(&mut frame), Err(PopError::Closed));
    sum
}

/// Reads up to 700 frames from `first` on, commits most of them, and dies; the first frame not committed.
fn recognise(reader: &mut ReplayReader, first: u32) -> u32 {
    let mut frame = Frame::silence(Format::Mulaw8k);
    let mut committed = first;
    for expected in first..(first + 700).min(FRAMES) {
        block_on(reader.ready()).expect("frames are left");
        reader.read(&mut frame).expect("a frame was waited for");
        assert_eq!(frame.sequence, expected);
        if reader.uncommitted() == 5 {
            committed += reader.commit(3) as u32;
        }
    }
    let last = first + 700 >= FRAMES;
    committed + if last { reader.commit(usize::MAX) as u32 } else { 0 }
}

/// FNV-1a over header and payload.
fn checksum(sum: u64, frame: &Frame) -> u64 {
    let header = [u64::from(frame.sequence), frame.time.as_nanos(), u64::from(frame.epoch.number())];
    let header = header.iter().flat_map(|word| word.to_le_bytes()).chain([u8::from(frame.gap)]);
    header
        .chain(frame.payload().iter().copied())
        .fold(sum ^ 0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, mut cx) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
