//! The detector of a media core fails under all its calls.

use crate::common::detector::{Trouble, troubled};
use crate::common::engines::{self, APOLOGY, GREETING, REPLY};
use crate::common::{World, with_engines};
use ringway_actors::{CallEventKind, Cause, Engines};
use ringway_turn::{EndReason, Event, Speaker, StageKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep as pass;

/// A call on a core whose detector gets into this trouble.
fn with_trouble<F: Future<Output = ()>>(test: impl FnOnce(World, Arc<Trouble>) -> F) {
    let trouble = Arc::<Trouble>::default();
    let of_core = trouble.clone();
    with_engines(
        ringway_turn::Config::default(),
        |load| Engines { vad: troubled(of_core, load.clone()), ..engines::all() },
        |world| test(world, trouble),
    );
}

fn deaths(events: &[CallEventKind]) -> Vec<(StageKind, Cause)> {
    let death = |event: &CallEventKind| match event {
        CallEventKind::StageDied { stage, cause, .. } => Some((*stage, *cause)),
        _ => None,
    };
    events.iter().filter_map(death).collect()
}

fn understood(events: &[CallEventKind]) -> Vec<String> {
    let of = |event: &CallEventKind| match event {
        CallEventKind::Turn(Event::Message { who: Speaker::Caller, text, .. }) => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// A sentence in whose middle the detector breaks is understood and costs one restart, though the detector is away for
/// far longer than a stage may be: dropping the broken one fails, and so does building the next one twice.
fn survives(break_it: fn(&Trouble)) {
    with_trouble(|mut world, trouble| async move {
        pass(Duration::from_secs(2)).await;
        world.line.say(&["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"]);
        world.line.until("the middle of the sentence", |line| line.left_to_say() <= 3).await;
        trouble.unbuildable.store(2, Ordering::Relaxed);
        break_it(&trouble);
        let whole = format!("{GREETING} {REPLY}");
        world.line.until("the answer", |line| line.heard().join(" ") == whole).await;
        world.line.say(&["golf"]);
        pass(Duration::from_secs(6)).await;
        let events = world.drain();
        assert_eq!(understood(&events), ["alpha bravo charlie delta echo foxtrot", "golf"]);
        assert_eq!(deaths(&events), [(StageKind::Vad, Cause::Error)], "waiting for it is forgiven");
        let attempts = [false; 1 + 2 + 1];
        assert_eq!(trouble.heard(), attempts, "a core without its detector does not say that it hears");
        assert!(world.load.hears() && world.line.ended().is_none());
    });
}

#[test]
fn a_call_survives_a_detector_that_panics_and_cannot_be_rebuilt_for_a_while() {
    survives(|trouble| trouble.panics.store(1, Ordering::Relaxed));
}

#[test]
fn a_call_survives_a_detector_that_fails_and_cannot_be_rebuilt_for_a_while() {
    survives(|trouble| trouble.errors.store(1, Ordering::Relaxed));
}

#[test]
fn a_caller_is_not_cut_off_while_the_detector_is_away_that_failed_for_another_call() {
    with_trouble(|mut world, trouble| async move {
        // Apart by half a window, so that their windows are not judged together.
        pass(Duration::from_millis(16)).await;
        let silent = world.another();
        pass(Duration::from_secs(2)).await;
        world.line.say(&["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"]);
        world.line.until("the middle of the sentence", |line| line.left_to_say() <= 3).await;
        trouble.unbuildable.store(2, Ordering::Relaxed);
        trouble.quiet_panics.store(1, Ordering::Relaxed);
        let whole = format!("{GREETING} {REPLY}");
        world.line.until("the answer", |line| line.heard().join(" ") == whole).await;
        pass(Duration::from_secs(1)).await;
        let events = world.drain();
        assert_eq!(understood(&events), ["alpha bravo charlie delta echo foxtrot"]);
        assert_eq!(deaths(&events), [(StageKind::Vad, Cause::Error)], "only the silent call's stage dies");
        assert_eq!(silent.heard().join(" "), GREETING);
    });
}

#[test]
fn a_detector_that_stays_away_ends_the_calls_with_an_apology_and_is_tried_on() {
    with_trouble(|world, trouble| async move {
        pass(Duration::from_secs(2)).await;
        trouble.unbuildable.store(usize::MAX, Ordering::Relaxed);
        trouble.panics.store(1, Ordering::Relaxed);
        world.line.until("the end", |line| line.ended().is_some()).await;
        assert_eq!(world.line.ended(), Some(EndReason::StageFailed(StageKind::Vad)));
        assert!(world.line.heard().ends_with(&APOLOGY), "{:?}", world.line.heard());
        assert!(!world.load.hears());
        trouble.unbuildable.store(0, Ordering::Relaxed);
        world.load.heard().await;
    });
}

#[test]
fn a_detector_that_panics_whenever_it_is_used_ends_the_calls_with_an_apology() {
    with_trouble(|world, trouble| async move {
        pass(Duration::from_secs(2)).await;
        trouble.panics.store(usize::MAX, Ordering::Relaxed);
        world.line.until("the end", |line| line.ended().is_some()).await;
        assert_eq!(world.line.ended(), Some(EndReason::StageFailed(StageKind::Vad)));
        assert!(world.line.heard().ends_with(&APOLOGY), "{:?}", world.line.heard());
    });
}
