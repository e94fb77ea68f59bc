//! What is recorded of a call: every event, in order, and the end last, whatever befalls it.

use crate::common::engines::{self, REPLY, Reciter};
use crate::common::hooked::{Act, Hooked};
use crate::common::{with_call, with_engines, with_room};
use ringway_actors::{Engines, Fault, Lifecycle, LifecycleEvent, Record};
use ringway_frame::{CallId, MediaTime};
use ringway_stages::llm::LanguageModel;
use ringway_turn::{EndReason, Input, Output, Speaker, StageKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep as pass;

/// The lifecycle of a call that is over, which has no gap and ends once, with the last event.
pub fn whole(told: &[Arc<Lifecycle>], call: u128) -> Vec<LifecycleEvent> {
    let of_call: Vec<_> = told.iter().filter(|event| event.call == CallId::from_bits(call)).collect();
    let numbers: Vec<_> = of_call.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (0..of_call.len() as u64).collect::<Vec<_>>(), "{told:?}");
    assert!(of_call.iter().all(|event| event.version == Lifecycle::VERSION));
    assert!(of_call.is_sorted_by_key(|event| event.at_ms));
    let events: Vec<_> = of_call.into_iter().map(|told| told.event.clone()).collect();
    assert!(matches!(events.first(), Some(LifecycleEvent::Started(_))), "{events:?}");
    let ends = events.iter().position(|event| matches!(event, LifecycleEvent::Ended { .. }));
    assert_eq!(ends, Some(events.len() - 1), "{events:?}");
    events
}

/// Why it ended.
pub fn reason(events: &[LifecycleEvent]) -> &str {
    match events.last() {
        Some(LifecycleEvent::Ended { reason, .. }) => reason,
        other => panic!("no end: {other:?}"),
    }
}

#[test]
fn a_call_tells_how_it_began_what_was_said_and_how_it_ended() {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        pass(Duration::from_secs(2)).await;
        world.line.say(&["alpha", "bravo"]);
        world.line.until("the answer", |line| line.heard().contains(&"papa")).await;
        assert_eq!(world.line.call.inject(StageKind::Tts, Fault::Error), Ok(()));
        pass(Duration::from_secs(1)).await;
        world.line.call.hang_up(EndReason::Operator).expect("the call lives");
        world.line.until("the end", |line| line.ended().is_some()).await;
        let events = whole(&world.lifecycle(), 0);
        let LifecycleEvent::Started(started) = &events[0] else { panic!("{events:?}") };
        assert_eq!(started.edge, "twilio");
        let said = |wanted| {
            let of = |event: &LifecycleEvent| match event {
                LifecycleEvent::Message { who, text, .. } if *who == wanted => Some(text.clone()),
                _ => None,
            };
            events.iter().filter_map(of).collect::<Vec<_>>()
        };
        assert_eq!(said(Speaker::Caller), ["alpha bravo"]);
        assert_eq!(said(Speaker::Bot).last().map(String::as_str), Some(REPLY));
        let restarted = |event: &LifecycleEvent| {
            matches!(event, LifecycleEvent::StageRestarted { stage: StageKind::Tts, restarts: 1, .. })
        };
        assert!(events.iter().any(restarted), "{events:?}");
        let ended = events.last();
        assert!(matches!(ended, Some(LifecycleEvent::Ended { turns: 1, restarts: 1, .. })), "{ended:?}");
    });
}

#[test]
fn nothing_of_it_is_lost_while_nobody_takes_it() {
    with_room(
        4,
        ringway_turn::Config::default(),
        |_| engines::all(),
        |mut world| async move {
            let other = world.another();
            pass(Duration::from_secs(2)).await;
            world.line.say(&["alpha"]);
            other.say(&["bravo"]);
            pass(Duration::from_secs(10)).await;
            assert!(world.load.lifecycle_backlog() > 0);
            for line in [&world.line, &other] {
                line.call.hang_up(EndReason::Operator).expect("the call lives");
                line.until("the end", |line| line.ended().is_some()).await;
            }
            pass(Duration::from_millis(20)).await;
            assert_eq!(world.load.calls(), 0, "the calls are over, and what they told is not");
            let mut told = Vec::new();
            while world.load.lifecycle_backlog() > 0 {
                told.extend(world.lifecycle());
                pass(Duration::from_millis(20)).await;
            }
            told.extend(world.lifecycle());
            for call in [0, 1] {
                let events = whole(&told, call);
                let messages = events.iter().filter(|event| matches!(event, LifecycleEvent::Message { .. }));
                assert_eq!((messages.count(), reason(&events)), (3, "operator"));
            }
        },
    );
}

fn only_model(opens: impl Fn(Act) -> bool + Send + Sync + 'static) -> Engines {
    let model = Hooked::new(Arc::new(Reciter) as Arc<dyn LanguageModel>, opens);
    Engines { llm: vec![model], ..engines::all() }
}

#[test]
fn a_supervisor_that_panics_ends_its_call_with_its_end_told_once_and_its_place_free() {
    let opened = AtomicUsize::new(0);
    let model = only_model(move |act| {
        let again = act == Act::Open && opened.fetch_add(1, Ordering::Relaxed) > 0;
        assert!(!again, "a defect that shows when the stage is rebuilt");
        false
    });
    with_engines(
        ringway_turn::Config::default(),
        |_| model,
        |mut world| async move {
            pass(Duration::from_secs(2)).await;
            assert_eq!(world.line.call.inject(StageKind::Llm, Fault::Error), Ok(()));
            world.line.until("the end", |line| line.ended().is_some()).await;
            pass(Duration::from_secs(1)).await;
            assert_eq!(world.line.ended(), Some(EndReason::Internal));
            assert_eq!(reason(&whole(&world.lifecycle(), 0)), "internal");
            assert_eq!((world.load.calls(), world.load.lines()), (0, 0), "its place is free");
        },
    );
}

#[test]
fn a_call_whose_stages_cannot_even_be_built_for_a_defect_tells_its_end() {
    let broken = Arc::new(AtomicBool::new(false));
    let breaks = broken.clone();
    let model = only_model(move |act| {
        assert!(act != Act::Open || !breaks.load(Ordering::Relaxed), "a defect that shows at the begin");
        false
    });
    with_engines(
        ringway_turn::Config::default(),
        |_| model,
        |mut world| async move {
            pass(Duration::from_millis(20)).await;
            broken.store(true, Ordering::Relaxed);
            assert!(catch_unwind(AssertUnwindSafe(|| world.another())).is_err());
            pass(Duration::from_secs(1)).await;
            assert_eq!(reason(&whole(&world.lifecycle(), 1)), "internal");
            assert_eq!(world.load.calls(), 1, "its place is free, and the other call goes on");
        },
    );
}

/// Has a defect that shows when the caller is heard.
struct Broken;

impl Record for Broken {
    fn input(&mut self, _: MediaTime, input: &Input) {
        assert!(!matches!(input, Input::Final { .. }), "a defect of the record");
    }

    fn output(&mut self, _: &Output) {}
}

#[test]
fn a_router_that_panics_ends_its_call_with_its_end_told_once_and_its_place_free() {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        let line = world.another_recorded(Broken);
        pass(Duration::from_secs(2)).await;
        line.say(&["alpha"]);
        line.until("the end", |line| line.ended().is_some()).await;
        pass(Duration::from_secs(1)).await;
        assert_eq!(line.ended(), Some(EndReason::Internal));
        assert_eq!(reason(&whole(&world.lifecycle(), 1)), "internal");
        assert_eq!((world.load.calls(), world.load.lines()), (1, 1), "its place is free");
    });
}
