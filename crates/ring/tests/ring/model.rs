//! Rings against a `VecDeque`: any sequence of operations has the same results, counters and wakes.

use crate::support::{self, Wakes};
use proptest::prelude::*;
use ringway_frame::{FRAME, Format, Frame, MediaTime};
use ringway_ring::{Closed, Fenced, Lent, OnLoan, Owner, PopError, PushError, ReplayReader, Snapshot};
use ringway_ring::{Reader, Stats, Writer, ring};
use std::collections::VecDeque;
use std::task::{Context, Poll};

const CAPACITY: usize = 5;
const WINDOW: usize = 3;
const MOST_AWAITED: usize = CAPACITY - WINDOW;

#[derive(Clone, Debug)]
enum WriterOp {
    Push { gap: bool },
    PushOrDrop { gap: bool },
    PushWrongFormat,
    PollSpace(usize),
    Close,
    Drop,
}

#[derive(Clone, Debug)]
enum ReaderOp {
    Pop,
    NextEpoch,
    Skip(usize),
    PollReadyFor(usize),
    Close,
    Drop,
}

#[derive(Clone, Debug)]
enum ReplayOp {
    Read,
    NextEpoch,
    LookBack(usize),
    Skip(usize),
    Commit(usize),
    CommitUntil(u64),
    Rewind,
    PollReadyFor(usize),
    Close,
    Lend,
    GiveBack,
    Revoke,
    DropOwner,
}

#[derive(Clone, Debug)]
enum Op<R> {
    Writer(WriterOp),
    Reader(R),
}

fn writer_op() -> impl Strategy<Value = WriterOp> {
    prop_oneof![
        8 => any::<bool>().prop_map(|gap| WriterOp::Push { gap }),
        8 => any::<bool>().prop_map(|gap| WriterOp::PushOrDrop { gap }),
        1 => Just(WriterOp::PushWrongFormat),
        5 => (0..CAPACITY + 2).prop_map(WriterOp::PollSpace),
        1 => Just(WriterOp::Close),
        1 => Just(WriterOp::Drop),
    ]
}

fn reader_op() -> impl Strategy<Value = ReaderOp> {
    prop_oneof![
        12 => Just(ReaderOp::Pop),
        3 => Just(ReaderOp::NextEpoch),
        3 => (0..CAPACITY + 2).prop_map(ReaderOp::Skip),
        6 => (1..=MOST_AWAITED).prop_map(ReaderOp::PollReadyFor),
        1 => Just(ReaderOp::Close),
        1 => Just(ReaderOp::Drop),
    ]
}

fn replay_op() -> impl Strategy<Value = ReplayOp> {
    prop_oneof![
        16 => Just(ReplayOp::Read),
        3 => Just(ReplayOp::NextEpoch),
        3 => (0..CAPACITY).prop_map(ReplayOp::LookBack),
        2 => (0..CAPACITY).prop_map(ReplayOp::Skip),
        4 => (0..CAPACITY).prop_map(ReplayOp::Commit),
        4 => (0..600_u64).prop_map(ReplayOp::CommitUntil),
        3 => Just(ReplayOp::Rewind),
        8 => (1..=MOST_AWAITED).prop_map(ReplayOp::PollReadyFor),
        1 => Just(ReplayOp::Close),
        6 => Just(ReplayOp::Lend),
        2 => Just(ReplayOp::GiveBack),
        2 => Just(ReplayOp::Revoke),
        1 => Just(ReplayOp::DropOwner),
    ]
}

fn ops<R: Clone + std::fmt::Debug>(reader: impl Strategy<Value = R>) -> impl Strategy<Value = Vec<Op<R>>> {
    let op = prop_oneof![writer_op().prop_map(Op::Writer), reader.prop_map(Op::Reader)];
    prop::collection::vec(op, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_ring_behaves_like_a_deque(ops in ops(reader_op())) {
        let (writer, reader) = ring(Format::Mulaw8k, CAPACITY);
        let (mut model, mut input) = (Model::default(), Input::new(writer));
        let mut output = Output { reader: Some(reader), wakes: Wakes::new() };
        for op in ops {
            match op {
                Op::Writer(op) => input.apply(&mut model, &op),
                Op::Reader(op) => output.apply(&mut model, &op),
            }
            model.agrees(&input, &output.wakes);
        }
    }

    #[test]
    fn a_replayed_ring_lent_and_revoked_behaves_like_a_deque(ops in ops(replay_op())) {
        let (writer, reader) = ring(Format::Mulaw8k, CAPACITY);
        let (mut model, mut input) = (Model::default(), Input::new(writer));
        let mut output = ReplayOutput::new(reader.replay(WINDOW));
        for op in ops {
            match op {
                Op::Writer(op) => input.apply(&mut model, &op),
                Op::Reader(op) => output.apply(&mut model, &op),
            }
            model.agrees(&input, &output.wakes);
        }
    }
}

/// What the ring must do, written for clarity.
#[derive(Default)]
struct Model {
    queue: VecDeque<Frame>,
    closed: bool,
    dropped_last: bool,
    cursor: usize,
    counters: Snapshot,
    ready: Bell,
    space: Bell,
}

/// A doorbell: the position waited for, and how often it woke.
#[derive(Default)]
struct Bell {
    wanted: Option<u64>,
    wakes: usize,
}

impl Bell {
    fn poll<T>(&mut self, position: u64, answer: Option<T>) -> Poll<T> {
        self.wanted = answer.is_none().then_some(position);
        answer.map_or(Poll::Pending, Poll::Ready)
    }

    fn ring(&mut self, position: u64) {
        if self.wanted.take_if(|wanted| *wanted <= position).is_some() {
            self.wakes += 1;
        }
    }
}

impl Model {
    fn push(&mut self, frame: &Frame) -> Result<(), PushError> {
        if self.closed {
            return Err(PushError::Closed);
        }
        if self.queue.len() == CAPACITY {
            return Err(PushError::Full);
        }
        let mut frame = *frame;
        frame.gap |= std::mem::take(&mut self.dropped_last);
        self.queue.push_back(frame);
        self.counters.pushed += 1;
        self.ready.ring(self.counters.pushed);
        Ok(())
    }

    fn push_or_drop(&mut self, frame: &Frame) -> Result<(), PushError> {
        let pushed = self.push(frame);
        if pushed == Err(PushError::Full) {
            self.counters.dropped += 1;
            self.dropped_last = true;
        }
        pushed
    }

    fn poll_space(&mut self, frames: usize) -> Poll<Result<(), Closed>> {
        let frames = frames.clamp(1, CAPACITY);
        let free = CAPACITY - self.queue.len();
        let answer = if self.closed { Some(Err(Closed)) } else { (free >= frames).then_some(Ok(())) };
        let position = self.counters.popped + frames.saturating_sub(free) as u64;
        self.space.poll(position, answer)
    }

    fn read(&mut self) -> Result<Frame, PopError> {
        match self.queue.get(self.cursor) {
            Some(frame) => Ok(*frame),
            None if self.closed => Err(PopError::Closed),
            None => Err(PopError::Empty),
        }
    }

    fn skip(&mut self, count: usize) -> usize {
        let count = self.queue.drain(..count.min(self.queue.len())).count();
        self.counters.popped += count as u64;
        self.space.ring(self.counters.popped);
        count
    }

    fn poll_ready_for(&mut self, frames: usize) -> Poll<Result<(), Closed>> {
        let there = self.queue.len() - self.cursor;
        let answer = match there {
            0 => self.closed.then_some(Err(Closed)),
            there => (there >= frames || self.closed).then_some(Ok(())),
        };
        self.ready.poll(self.counters.popped + (self.cursor + frames) as u64, answer)
    }

    fn replay(&mut self) -> Result<Frame, PopError> {
        let frame = self.read()?;
        self.cursor += 1;
        if self.cursor > WINDOW {
            self.counters.forced_commits += 1;
            self.commit(1);
        }
        Ok(frame)
    }

    fn commit(&mut self, count: usize) -> usize {
        let count = count.min(self.cursor);
        self.cursor -= count;
        self.skip(count)
    }

    fn commit_until(&mut self, until: MediaTime) -> usize {
        let read = self.queue.iter().take(self.cursor);
        let count = read.filter(|frame| frame.time + FRAME <= until).count();
        self.commit(count)
    }

    fn close(&mut self) {
        self.closed = true;
        self.ready.ring(u64::MAX);
        self.space.ring(u64::MAX);
    }

    fn agrees(&self, input: &Input, ready: &Wakes) {
        assert_eq!(input.stats.snapshot(), self.counters);
        assert_eq!(self.counters.depth(), self.queue.len() as u64);
        assert_eq!((ready.count(), input.wakes.count()), (self.ready.wakes, self.space.wakes));
    }
}

struct Input {
    writer: Option<Writer>,
    stats: Stats,
    wakes: Wakes,
    next: u32,
}

impl Input {
    fn new(writer: Writer) -> Self {
        let stats = writer.stats();
        Self { writer: Some(writer), stats, wakes: Wakes::new(), next: 0 }
    }

    fn apply(&mut self, model: &mut Model, op: &WriterOp) {
        let Some(mut writer) = self.writer.take() else { return };
        match *op {
            WriterOp::Push { gap } => {
                let frame = self.frame(gap);
                assert_eq!(writer.push(&frame), model.push(&frame));
            }
            WriterOp::PushOrDrop { gap } => {
                let frame = self.frame(gap);
                assert_eq!(writer.push_or_drop(&frame), model.push_or_drop(&frame));
            }
            WriterOp::PushWrongFormat => {
                let wrong = PushError::WrongFormat { ring: Format::Mulaw8k, frame: Format::Pcm16k };
                assert_eq!(writer.push_or_drop(&Frame::silence(Format::Pcm16k)), Err(wrong));
            }
            WriterOp::PollSpace(frames) => {
                let mut cx = Context::from_waker(self.wakes.waker());
                assert_eq!(writer.poll_space(&mut cx, frames), model.poll_space(frames));
            }
            WriterOp::Close => {
                writer.close();
                model.close();
            }
            WriterOp::Drop => {
                drop(writer);
                return model.close();
            }
        }
        assert_eq!(writer.free(), CAPACITY - model.queue.len());
        assert_eq!(writer.is_closed(), model.closed);
        self.writer = Some(writer);
    }

    fn frame(&mut self, gap: bool) -> Frame {
        let sequence = self.next;
        self.next += 1;
        support::frame(Format::Mulaw8k, sequence, gap)
    }
}

struct Output {
    reader: Option<Reader>,
    wakes: Wakes,
}

impl Output {
    fn apply(&mut self, model: &mut Model, op: &ReaderOp) {
        let Some(mut reader) = self.reader.take() else { return };
        match *op {
            ReaderOp::Pop => {
                let expected = model.read().inspect(|_| assert_eq!(model.skip(1), 1));
                assert_eq!(support::fill(|frame| reader.pop(frame)), expected);
            }
            ReaderOp::NextEpoch => {
                assert_eq!(reader.next_epoch(), model.queue.front().map(|frame| frame.epoch));
            }
            ReaderOp::Skip(count) => assert_eq!(reader.skip(count), model.skip(count)),
            ReaderOp::PollReadyFor(frames) => {
                let mut cx = Context::from_waker(self.wakes.waker());
                assert_eq!(reader.poll_ready_for(frames, &mut cx), model.poll_ready_for(frames));
            }
            ReaderOp::Close => {
                reader.close();
                model.close();
            }
            ReaderOp::Drop => {
                drop(reader);
                return model.close();
            }
        }
        assert_eq!((reader.len(), reader.is_closed()), (model.queue.len(), model.closed));
        self.reader = Some(reader);
    }
}

struct ReplayOutput {
    owner: Option<Owner<ReplayReader>>,
    lent: Option<Lent<ReplayReader>>,
    fenced: bool,
    wakes: Wakes,
}

impl ReplayOutput {
    fn new(reader: ReplayReader) -> Self {
        Self { owner: Some(Owner::new(reader)), lent: None, fenced: false, wakes: Wakes::new() }
    }

    fn apply(&mut self, model: &mut Model, op: &ReplayOp) {
        match op {
            ReplayOp::Lend => self.lend(model),
            ReplayOp::GiveBack => self.give_back(model),
            ReplayOp::Revoke => {
                if let Some(owner) = &mut self.owner {
                    owner.revoke();
                    self.fenced = self.lent.is_some();
                }
            }
            ReplayOp::DropOwner => {
                self.owner = None;
                self.fenced = self.lent.is_some();
                self.dies_without_holder(model);
            }
            op => self.access(model, op),
        }
    }

    fn lend(&mut self, model: &mut Model) {
        let Some(owner) = &mut self.owner else { return };
        match owner.lend() {
            Ok(lent) => {
                assert!(self.lent.is_none(), "two holders of one end");
                model.cursor = 0;
                self.lent = Some(lent);
            }
            Err(OnLoan) => assert!(self.lent.is_some() && owner.is_on_loan()),
        }
    }

    fn give_back(&mut self, model: &mut Model) {
        if self.lent.take().is_some() {
            self.fenced = false;
            self.dies_without_holder(model);
        }
    }

    /// An end that neither an owner nor a holder has is dropped, which closes the ring.
    fn dies_without_holder(&self, model: &mut Model) {
        if self.owner.is_none() && self.lent.is_none() {
            model.close();
        }
    }

    fn access(&mut self, model: &mut Model, op: &ReplayOp) {
        let Some(lent) = &mut self.lent else { return };
        assert_eq!(lent.is_fenced(), self.fenced);
        match lent.get_mut() {
            Err(Fenced) => assert!(self.fenced),
            Ok(reader) => {
                assert!(!self.fenced);
                use_replay(reader, model, op, &self.wakes);
            }
        }
    }
}

fn use_replay(reader: &mut ReplayReader, model: &mut Model, op: &ReplayOp, wakes: &Wakes) {
    match *op {
        ReplayOp::Read => assert_eq!(support::fill(|frame| reader.read(frame)), model.replay()),
        ReplayOp::NextEpoch => {
            assert_eq!(reader.next_epoch(), model.queue.get(model.cursor).map(|frame| frame.epoch));
        }
        ReplayOp::LookBack(index) => {
            let read =
                model.queue.get(index).filter(|_| index < model.cursor).copied().ok_or(PopError::Empty);
            assert_eq!(support::fill(|frame| reader.look_back(index, frame)), read);
        }
        ReplayOp::Skip(frames) => {
            let read = std::mem::take(&mut model.cursor);
            assert_eq!(reader.skip(frames), model.skip(read + frames) - read);
        }
        ReplayOp::Commit(frames) => assert_eq!(reader.commit(frames), model.commit(frames)),
        ReplayOp::CommitUntil(millis) => {
            let until = MediaTime::from_millis(millis);
            assert_eq!(reader.commit_until(until), model.commit_until(until));
        }
        ReplayOp::Rewind => assert_eq!(reader.rewind(), std::mem::take(&mut model.cursor)),
        ReplayOp::PollReadyFor(frames) => {
            let mut cx = Context::from_waker(wakes.waker());
            assert_eq!(reader.poll_ready_for(frames, &mut cx), model.poll_ready_for(frames));
        }
        ReplayOp::Close => {
            reader.close();
            model.close();
        }
        _ => unreachable!("not an access"),
    }
    assert_eq!(reader.uncommitted(), model.cursor);
    assert_eq!(reader.unread(), model.queue.len() - model.cursor);
    assert_eq!(reader.is_closed(), model.closed);
}
