//! Every interleaving of two threads on one ring, within the C11 memory model as loom explores it.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p ringway-ring --release --lib loom
//! ```
//!
//! Modelled: doorbell (its flag, fences and second look), close, generation, lending and return, the replay
//! cursor over a moving queue, the epoch gate. Not modelled: ringbuf itself, whose atomics loom cannot see (a
//! queue with the same orderings stands in, see `queue/stand_in.rs`; `tests/ring/threads.rs` runs the real one);
//! `atomic-waker` (a lock stands in, which the flag protocol does not touch unless someone waits); the
//! counters, which decide nothing. Rings hold two or three frames: more only repeats the same states. The three
//! longest models leave out interleavings with more than three preemptions; all others are complete.

use crate::{Closed, EpochGate, Owner, PopError, PushError, Reader, ReplayReader, Verdict, Writer, ring};
use loom::future::block_on;
use loom::thread;
use ringway_frame::{Format, Frame, MediaTime};

#[test]
fn a_reader_that_waits_is_woken_by_a_frame() {
    loom::model(|| {
        let (mut writer, mut reader) = ring(Format::Mulaw8k, 2);
        let pushing = thread::spawn(move || {
            push(&mut writer, 0);
            writer
        });
        block_on(reader.ready()).unwrap();
        assert_eq!(pop(&mut reader), Ok(0));
        drop(pushing.join().unwrap());
    });
}

#[test]
fn a_writer_that_waits_is_woken_by_space() {
    loom::model(|| {
        let (mut writer, mut reader) = ring(Format::Mulaw8k, 2);
        push(&mut writer, 0);
        push(&mut writer, 1);
        let popping = thread::spawn(move || {
            assert_eq!(pop(&mut reader), Ok(0));
            assert_eq!(pop(&mut reader), Ok(1));
            reader
        });
        block_on(writer.space(2)).unwrap();
        push(&mut writer, 2);
        push(&mut writer, 3);
        drop(popping.join().unwrap());
    });
}

#[test]
fn three_frames_pass_a_ring_of_two_in_order() {
    with_preemptions(3, || {
        let (mut writer, mut reader) = ring(Format::Mulaw8k, 2);
        let pushing = thread::spawn(move || {
            for sequence in 0..3 {
                block_on(writer.space(1)).unwrap();
                push(&mut writer, sequence);
            }
            writer
        });
        for sequence in 0..3 {
            block_on(reader.ready()).unwrap();
            assert_eq!(pop(&mut reader), Ok(sequence));
        }
        drop(pushing.join().unwrap());
    });
}

#[test]
fn what_was_pushed_before_the_close_is_read() {
    loom::model(|| {
        let (mut writer, mut reader) = ring(Format::Mulaw8k, 2);
        let pushing = thread::spawn(move || push(&mut writer, 0));
        let first = loop {
            match pop(&mut reader) {
                Err(PopError::Empty) => thread::yield_now(),
                other => break other,
            }
        };
        assert_eq!(first, Ok(0));
        pushing.join().unwrap();
        assert_eq!(pop(&mut reader), Err(PopError::Closed));
    });
}

#[test]
fn a_waiting_reader_gets_the_last_frame_and_the_close() {
    with_preemptions(3, || {
        let (mut writer, mut reader) = ring(Format::Mulaw8k, 2);
        let pushing = thread::spawn(move || push(&mut writer, 0));
        assert_eq!(block_on(reader.ready()), Ok(()));
        assert_eq!(pop(&mut reader), Ok(0));
        assert_eq!(block_on(reader.ready()), Err(Closed));
        pushing.join().unwrap();
    });
}

#[test]
fn a_waiting_writer_learns_that_the_reader_has_gone() {
    loom::model(|| {
        let (mut writer, reader) = ring(Format::Mulaw8k, 2);
        push(&mut writer, 0);
        let dropping = thread::spawn(move || drop(reader));
        assert_eq!(block_on(writer.space(2)), Err(Closed));
        assert_eq!(writer.push(&frame(1)), Err(PushError::Closed));
        dropping.join().unwrap();
    });
}

#[test]
fn an_end_comes_home_and_its_next_holder_starts_at_the_last_commit() {
    loom::model(|| {
        let (mut writer, reader) = ring(Format::Mulaw8k, 3);
        (0..2).for_each(|sequence| push(&mut writer, sequence));
        let mut owner = Owner::new(reader.replay(2));
        let mut lent = owner.lend().unwrap();
        let holder = thread::spawn(move || {
            let mut committed = 0;
            while committed < 2 {
                let Ok(reader) = lent.get_mut() else { break };
                assert_eq!(read(reader), Ok(committed));
                let Ok(reader) = lent.get_mut() else { break };
                committed += reader.commit(1) as u32;
            }
            committed
        });
        owner.revoke();
        block_on(owner.returned());
        let mut lent = owner.lend().unwrap();
        let next = read(lent.get_mut().unwrap());
        let committed = holder.join().unwrap();
        assert_eq!(next, if committed < 2 { Ok(committed) } else { Err(PopError::Empty) });
    });
}

/// A leg's pump that fails between two frames, and the one that is built in its place: the reader sees one stream.
#[test]
fn a_writer_that_is_lent_again_goes_on_behind_the_last_frame_of_the_one_before() {
    loom::model(|| {
        let (writer, mut reader) = ring(Format::Mulaw8k, 3);
        let mut owner = Owner::new(writer);
        let mut lent = owner.lend().unwrap();
        let holder = thread::spawn(move || {
            let mut written = 0;
            while written < 2 {
                let Ok(writer) = lent.get_mut() else { break };
                push(writer, written);
                written += 1;
            }
            written
        });
        owner.revoke();
        block_on(owner.returned());
        let mut lent = owner.lend().unwrap();
        let written = holder.join().unwrap();
        push(lent.get_mut().unwrap(), written);
        for sequence in 0..=written {
            assert_eq!(pop(&mut reader), Ok(sequence));
        }
        assert_eq!(pop(&mut reader), Err(PopError::Empty));
    });
}

/// What was sent and not heard when a leg's pump fails is read again by the next one; what was heard is not.
#[test]
fn a_frame_that_was_read_and_not_committed_is_read_again_by_the_next_holder_while_the_writer_goes_on() {
    with_preemptions(2, || {
        let (mut writer, reader) = ring(Format::Mulaw8k, 3);
        push(&mut writer, 0);
        push(&mut writer, 1);
        let mut owner = Owner::new(reader.replay(2));
        let mut pump = owner.lend().unwrap();
        let reader = pump.get_mut().unwrap();
        assert_eq!([read(reader), read(reader)], [Ok(0), Ok(1)]);
        assert_eq!(reader.commit(1), 1);
        let voice = thread::spawn(move || {
            push(&mut writer, 2);
            writer
        });
        owner.revoke();
        drop(pump);
        let mut next = owner.lend().unwrap();
        let reader = next.get_mut().unwrap();
        for sequence in 1..3 {
            block_on(reader.ready()).unwrap();
            assert_eq!(read(reader), Ok(sequence));
        }
        drop(voice.join().unwrap());
    });
}

#[test]
fn a_holder_that_waits_for_frames_learns_that_it_is_fenced() {
    loom::model(|| {
        let (_writer, reader) = ring(Format::Mulaw8k, 2);
        let mut owner = Owner::new(reader);
        let mut lent = owner.lend().unwrap();
        let holder = thread::spawn(move || {
            let ready = std::future::poll_fn(|cx| lent.poll_with(cx, Reader::poll_ready));
            assert!(block_on(ready).is_err());
        });
        owner.revoke();
        block_on(owner.returned());
        assert!(owner.lend().is_ok());
        holder.join().unwrap();
    });
}

#[test]
fn a_second_holder_is_refused_until_the_first_has_gone() {
    loom::model(|| {
        let (_writer, reader) = ring(Format::Mulaw8k, 2);
        let mut owner = Owner::new(reader);
        let first = owner.lend().unwrap();
        let holder = thread::spawn(move || drop(first));
        owner.revoke();
        let early = owner.lend();
        holder.join().unwrap();
        assert_eq!(early.is_ok(), owner.is_on_loan());
    });
}

#[test]
fn a_replaying_reader_reads_the_uncommitted_frames_again_while_the_writer_goes_on() {
    with_preemptions(3, || {
        let (mut writer, reader) = ring(Format::Mulaw8k, 3);
        let mut reader = reader.replay(2);
        push(&mut writer, 0);
        push(&mut writer, 1);
        let pushing = thread::spawn(move || {
            block_on(writer.space(2)).unwrap();
            push(&mut writer, 2);
            push(&mut writer, 3);
            writer
        });
        assert_eq!([read(&mut reader), read(&mut reader)], [Ok(0), Ok(1)]);
        assert_eq!(reader.commit_until(MediaTime::from_millis(20)), 1);
        assert_eq!(reader.rewind(), 1);
        for sequence in 1..4 {
            block_on(reader.ready()).unwrap();
            assert_eq!(read(&mut reader), Ok(sequence));
        }
        drop(pushing.join().unwrap());
    });
}

#[test]
fn a_released_frame_is_played_and_a_raise_voids_it_for_good() {
    loom::model(|| {
        let (mut writer, mut reader) = ring(Format::Mulaw8k, 2);
        let gate = EpochGate::new();
        let router = gate.clone();
        let deciding = thread::spawn(move || {
            let epoch = router.raise();
            router.release(epoch);
            writer.push(&frame(0).in_epoch(epoch)).unwrap();
            router.raise();
            writer
        });
        block_on(reader.ready()).unwrap();
        let epoch = reader.next_epoch().unwrap();
        let (first, second) = (gate.verdict(epoch), gate.verdict(epoch));
        assert_ne!(first, Verdict::Wait);
        assert!(first == Verdict::Play || second == Verdict::Void);
        drop(deciding.join().unwrap());
        assert_eq!(gate.verdict(epoch), Verdict::Void);
    });
}

/// Leaves out interleavings with more preemptions than that, where all would take minutes.
fn with_preemptions(bound: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(bound);
    builder.check(model);
}

fn frame(sequence: u32) -> Frame {
    let time = MediaTime::from_millis(20 * u64::from(sequence));
    Frame::silence(Format::Mulaw8k).at(sequence, time)
}

fn push(writer: &mut Writer, sequence: u32) {
    writer.push(&frame(sequence)).unwrap();
}

fn pop(reader: &mut Reader) -> Result<u32, PopError> {
    let mut frame = Frame::silence(Format::Mulaw8k);
    reader.pop(&mut frame).map(|()| frame.sequence)
}

fn read(reader: &mut ReplayReader) -> Result<u32, PopError> {
    let mut frame = Frame::silence(Format::Mulaw8k);
    reader.read(&mut frame).map(|()| frame.sequence)
}
