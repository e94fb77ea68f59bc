//! Calls whose legs lose their networks, and whose pumps fail.

use crate::common::{World, with_call};
use ringway_actors::{CallEventKind, LegFault, LegState};
use ringway_turn::EndReason;
use std::time::Duration;
use tokio::time::sleep as pass;

fn run<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    with_call(ringway_turn::Config::default(), test);
}

/// The caller, who may come back, has asked; the bot is in the middle of its answer.
async fn in_the_answer(world: &World) {
    world.line.come_back();
    pass(Duration::from_secs(2)).await;
    world.line.say(&["alpha"]);
    world.line.until("the third word of the answer", |line| line.heard().contains(&"india")).await;
}

/// Legs' states, and the bot's whole messages.
fn told(events: &[CallEventKind]) -> (Vec<LegState>, usize) {
    let states = events.iter().filter_map(|event| match event {
        CallEventKind::Leg { state, .. } => Some(*state),
        _ => None,
    });
    let messages = events
        .iter()
        .filter(|event| matches!(event, CallEventKind::Turn(ringway_turn::Event::Message { .. })));
    (states.collect(), messages.count())
}

#[test]
fn a_caller_whose_network_fails_hears_each_word_of_the_answer_once() {
    run(|mut world| async move {
        in_the_answer(&world).await;
        world.line.lose_network();
        pass(Duration::from_secs(10)).await;
        assert_eq!(world.line.door.state(), LegState::Detached);
        let before = world.line.heard();
        world.line.come_back();
        pass(Duration::from_secs(5)).await;
        let heard = world.line.heard();
        let (mut sorted, mut once) = (heard.clone(), heard.clone());
        sorted.sort_unstable();
        once.sort_unstable();
        once.dedup();
        assert_eq!(sorted, once, "{heard:?}, {before:?} before");
        assert!(heard.len() > before.len());
        world.line.say(&["bravo"]);
        let words = heard.len();
        world.line.until("the next answer", |line| line.heard().len() > words).await;
        let (states, _) = told(&world.drain());
        assert!(states.ends_with(&[LegState::Detached, LegState::Up]), "{states:?}");
    });
}

#[test]
fn while_the_network_is_away_nothing_is_prompted_and_no_time_passes() {
    run(|mut world| async move {
        world.line.come_back();
        pass(Duration::from_secs(2)).await;
        world.drain();
        world.line.lose_network();
        pass(Duration::from_secs(29)).await;
        let events = world.drain();
        assert_eq!(told(&events).1, 0, "{events:?}");
        world.line.come_back();
        pass(Duration::from_secs(1)).await;
        assert_eq!((told(&world.drain()).1, world.line.ended()), (0, None));
    });
}

#[test]
fn a_pump_that_panics_loses_the_connection_and_not_the_call_of_a_caller_who_may_come_back() {
    run(|mut world| async move {
        in_the_answer(&world).await;
        world.line.break_down();
        pass(Duration::from_secs(1)).await;
        assert_eq!(world.line.door.state(), LegState::Detached);
        assert_eq!((world.load.calls(), world.load.lines()), (1, 0));
        world.line.come_back();
        pass(Duration::from_secs(10)).await;
        let words = world.line.heard().len();
        world.line.say(&["bravo"]);
        world.line.until("the next answer", |line| line.heard().len() > words).await;
        world.line.call.hang_up(EndReason::Operator).expect("the call lives");
        pass(Duration::from_secs(1)).await;
        let events = world.drain();
        let ended =
            |event: &CallEventKind| matches!(event, CallEventKind::Ended { reason: EndReason::Operator });
        assert_eq!(events.iter().filter(|event| ended(event)).count(), 1);
        assert_eq!((world.load.calls(), world.load.lines()), (0, 0), "its place is free");
    });
}

#[test]
fn a_fault_that_is_put_into_the_callers_leg_costs_its_connection_and_not_the_call() {
    for fault in [LegFault::Panic, LegFault::Disconnect] {
        run(|mut world| async move {
            in_the_answer(&world).await;
            world.line.call.inject_leg(0, fault).expect("the call lives");
            pass(Duration::from_secs(1)).await;
            assert_eq!(world.line.door.state(), LegState::Detached, "{fault:?}");
            assert_eq!((world.load.calls(), world.load.lines()), (1, 0), "{fault:?}");
            assert_eq!(world.line.ended(), None, "a network that is gone takes no goodbye");
            world.line.come_back();
            pass(Duration::from_secs(10)).await;
            let words = world.line.heard().len();
            world.line.say(&["bravo"]);
            world.line.until("the next answer", |line| line.heard().len() > words).await;
            world.line.call.hang_up(EndReason::Operator).expect("the call lives");
            pass(Duration::from_secs(1)).await;
            let (states, _) = told(&world.drain());
            assert!(states.ends_with(&[LegState::Detached, LegState::Up]), "{states:?}");
            assert_eq!((world.load.calls(), world.load.lines()), (0, 0), "its place is free");
        });
    }
}

#[test]
fn a_fault_ends_the_call_of_a_caller_who_may_not_come_back_and_frees_its_place() {
    for (fault, reason) in [(LegFault::Panic, EndReason::Internal), (LegFault::Disconnect, EndReason::Caller)]
    {
        run(|mut world| async move {
            pass(Duration::from_secs(2)).await;
            world.line.call.inject_leg(0, fault).expect("the call lives");
            pass(Duration::from_secs(1)).await;
            let events = world.drain();
            let ended = |event: &CallEventKind| matches!(event, CallEventKind::Ended { reason: why } if *why == reason);
            assert!(events.last().is_some_and(ended), "{fault:?}: {:?}", events.last());
            assert_eq!((world.load.calls(), world.load.lines()), (0, 0), "{fault:?}");
        });
    }
}

#[test]
fn a_network_that_is_lost_before_it_is_there_changes_nothing() {
    run(|world| async move {
        world.line.come_back();
        pass(Duration::from_secs(2)).await;
        for _ in 0..2 {
            world.line.call.inject_leg(0, LegFault::Disconnect).expect("the call lives");
            pass(Duration::from_secs(1)).await;
        }
        world.line.call.inject_leg(7, LegFault::Panic).expect("the call lives");
        pass(Duration::from_secs(1)).await;
        assert_eq!((world.line.door.state(), world.load.calls()), (LegState::Detached, 1));
    });
}

#[test]
fn a_caller_who_does_not_come_back_in_time_is_waited_for_no_longer() {
    run(|mut world| async move {
        in_the_answer(&world).await;
        world.line.lose_network();
        pass(Duration::from_secs(31)).await;
        let events = world.drain();
        let ended =
            |event: &CallEventKind| matches!(event, CallEventKind::Ended { reason: EndReason::NotResumed });
        assert!(events.last().is_some_and(ended), "{events:?}");
        assert!(told(&events).1 >= 2, "what was said is in the record: {events:?}");
        assert_eq!(world.load.calls(), 0);
    });
}

#[test]
fn a_call_that_is_kept_in_the_middle_of_its_answer_goes_on_in_another_one() {
    run(|world| async move {
        in_the_answer(&world).await;
        let kept = world.line.call.keep().await.expect("the call lives");
        let kept = serde_json::to_string(&kept).expect("JSON");
        let before = world.line.heard();
        world.line.call.hang_up(EndReason::Drain).expect("the call lives");
        pass(Duration::from_secs(1)).await;
        let line = world.take_over(serde_json::from_str(&kept).expect("a snapshot"));
        pass(Duration::from_secs(5)).await;
        let heard = line.heard();
        assert_eq!(heard.last(), Some(&"papa"), "{before:?} before, {heard:?} after");
        assert!(!heard.contains(&"tango"), "it is not greeted again: {heard:?}");
        assert!(
            !heard.contains(&"golf"),
            "what was heard is not said again: {before:?} before, {heard:?} after"
        );
        line.say(&["bravo"]);
        let words = heard.len();
        line.until("the next answer", |line| line.heard().len() > words).await;
        assert_eq!(line.call.keep().await.map(|_| ()), Ok(()));
        line.call.hang_up(EndReason::Operator).expect("the call lives");
        pass(Duration::from_secs(1)).await;
        assert_eq!(line.call.keep().await.map(|_| ()), Err(ringway_actors::CallOver));
    });
}
