//! An end always comes home, and never has two users.

use crate::support::{Wakes, fill, frame};
use ringway_frame::{Format, Frame, MediaTime};
use ringway_ring::{Fenced, OnLoan, Owner, PopError, PushError, Reader, ring};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

const FORMAT: Format = Format::Mulaw8k;

#[test]
fn an_end_comes_home_while_its_holder_unwinds() {
    let (mut writer, reader) = ring(FORMAT, 4);
    let mut owner = Owner::new(reader.replay(3));
    (0..3).for_each(|sequence| writer.push(&frame(FORMAT, sequence, false)).expect("room for three"));

    let mut lent = owner.lend().unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let reader = lent.get_mut().unwrap();
        assert_eq!(fill(|frame| reader.read(frame)).unwrap().sequence, 0);
        reader.commit(1);
        assert_eq!(fill(|frame| reader.read(frame)).unwrap().sequence, 1);
        panic!("the recogniser dies between reading and answering");
    }));

    assert!(panicked.is_err());
    assert!(!owner.is_on_loan());
    let mut next = owner.lend().unwrap();
    let replayed = fill(|frame| next.get_mut().unwrap().read(frame));
    assert_eq!(replayed.unwrap().sequence, 1, "starts at the last commit");
    assert!(!writer.is_closed());
}

#[test]
fn a_panic_on_another_thread_wakes_the_waiting_owner() {
    let (_writer, reader) = ring(FORMAT, 4);
    let mut owner = Owner::new(reader);
    let wakes = Wakes::new();
    let mut cx = Context::from_waker(wakes.waker());
    let lent = owner.lend().unwrap();
    assert_eq!(owner.poll_returned(&mut cx), Poll::Pending);

    let stage = std::thread::spawn(move || {
        let _lent = lent;
        panic!("the stage dies");
    });

    assert!(stage.join().is_err());
    assert_eq!(wakes.count(), 1);
    assert_eq!(owner.poll_returned(&mut cx), Poll::Ready(()));
    assert!(owner.lend().is_ok());
}

#[test]
fn a_stale_holder_is_fenced_and_keeps_the_end_until_it_goes() {
    let (writer, _reader) = ring(FORMAT, 4);
    let mut owner = Owner::new(writer);
    let mut stale = owner.lend().unwrap();
    owner.revoke();

    assert_eq!(stale.get_mut().map(|_| ()), Err(Fenced));
    assert_eq!(owner.lend().map(|_| ()), Err(OnLoan));

    drop(stale);
    let mut fresh = owner.lend().unwrap();
    assert_eq!(fresh.get_mut().unwrap().push(&frame(FORMAT, 0, false)), Ok(()));
}

#[test]
fn a_revocation_wakes_a_holder_that_waits_for_frames() {
    let (_writer, reader) = ring(FORMAT, 4);
    let mut owner = Owner::new(reader);
    let mut lent = owner.lend().unwrap();
    let wakes = Wakes::new();
    let mut cx = Context::from_waker(wakes.waker());
    assert_eq!(lent.poll_with(&mut cx, Reader::poll_ready), Poll::Pending);

    owner.revoke();

    assert_eq!(wakes.count(), 1);
    assert_eq!(lent.poll_with(&mut cx, Reader::poll_ready), Poll::Ready(Err(Fenced)));
}

#[test]
fn the_end_of_a_call_fences_its_stages_and_closes_the_ring_with_the_last_of_them() {
    let (mut writer, reader) = ring(FORMAT, 4);
    let mut owner = Owner::new(reader);
    let lent = owner.lend().unwrap();
    drop(owner);
    assert!(lent.is_fenced());
    assert_eq!(writer.push(&frame(FORMAT, 0, false)), Ok(()), "the reader still exists");
    drop(lent);
    assert_eq!(writer.push(&frame(FORMAT, 1, false)), Err(PushError::Closed));
}

#[test]
fn a_gap_outlives_the_stage_that_caused_it() {
    let (writer, mut reader) = ring(FORMAT, 1);
    let mut owner = Owner::new(writer);
    let mut vad = owner.lend().unwrap();
    assert_eq!(vad.get_mut().unwrap().push_or_drop(&frame(FORMAT, 0, false)), Ok(()));
    assert_eq!(vad.get_mut().unwrap().push_or_drop(&frame(FORMAT, 1, false)), Err(PushError::Full));
    drop(vad);
    fill(|frame| reader.pop(frame)).unwrap();

    let mut next = owner.lend().unwrap();
    assert_eq!(next.get_mut().unwrap().push_or_drop(&frame(FORMAT, 2, false)), Ok(()));
    assert!(fill(|frame| reader.pop(frame)).unwrap().gap);
}

#[test]
fn a_recogniser_that_commits_while_it_waits_is_woken_by_the_next_frame() {
    let (mut writer, reader) = ring(FORMAT, 4);
    let mut reader = reader.replay(3);
    let wakes = Wakes::new();
    let mut cx = Context::from_waker(wakes.waker());
    for sequence in 0..2 {
        writer.push(&frame(FORMAT, sequence, false)).unwrap();
        fill(|frame| reader.read(frame)).unwrap();
    }
    assert_eq!(reader.poll_ready(&mut cx), Poll::Pending);
    assert_eq!(reader.commit_until(MediaTime::from_millis(40)), 2);
    writer.push(&frame(FORMAT, 2, false)).unwrap();
    assert_eq!(wakes.count(), 1);
}

#[test]
fn only_frames_that_have_ended_are_committed() {
    let (mut writer, reader) = ring(FORMAT, 4);
    let mut reader = reader.replay(3);
    for sequence in 0..3 {
        writer.push(&frame(FORMAT, sequence, false)).unwrap();
        fill(|frame| reader.read(frame)).unwrap();
    }
    assert_eq!(reader.commit_until(MediaTime::from_millis(39)), 1, "the second ends at 40 ms");
    assert_eq!(reader.commit_until(MediaTime::from_millis(40)), 1);
    assert_eq!(reader.uncommitted(), 1);
}

#[test]
fn an_empty_ring_leaves_the_frame_as_it_was() {
    let (_writer, mut reader) = ring(FORMAT, 4);
    let mut frame = Frame::silence(Format::Pcm16k);
    assert_eq!(reader.pop(&mut frame), Err(PopError::Empty));
    assert_eq!(frame.format(), Format::Pcm16k);
}
