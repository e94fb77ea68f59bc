//! Barge-in voids what is older; speculation waits to be released.

use ringway_frame::Epoch;
use ringway_ring::{EpochGate, Verdict};

#[test]
fn a_raise_voids_the_older_audio_and_only_that() {
    let gate = EpochGate::new();
    let first = gate.raise();
    assert!(gate.release(first));
    assert_eq!(gate.verdict(first), Verdict::Play);
    let second = gate.raise();
    assert_eq!(gate.verdict(first), Verdict::Void);
    assert_eq!(gate.verdict(second), Verdict::Wait);
    assert_eq!(gate.current(), second);
}

#[test]
fn speculative_audio_waits_until_its_epoch_is_released() {
    let gate = EpochGate::new();
    let playout = gate.clone();
    let answer = gate.raise();
    assert_eq!(playout.verdict(answer), Verdict::Wait);
    assert!(gate.release(answer));
    assert_eq!(playout.verdict(answer), Verdict::Play);
    assert_eq!(playout.released(), answer);
}

#[test]
fn a_late_release_of_a_void_epoch_is_refused() {
    let gate = EpochGate::new();
    let old = gate.raise();
    let new = gate.raise();
    assert!(gate.release(new));
    assert!(!gate.release(old));
    assert_eq!(gate.released(), new);
}

#[test]
fn audio_before_any_raise_may_be_played() {
    assert_eq!(EpochGate::new().verdict(Epoch::ZERO), Verdict::Play);
}
