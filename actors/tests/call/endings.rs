//! Whoever ends a call: the last words are in its books before it is over.

use crate::common::engines::REPLY;
use crate::common::line::Line;
use crate::common::with_call;
use crate::lifecycle::{reason, whole};
use ringway_actors::{CallEventKind, CallOver, EdgeInput, Fault, LifecycleEvent};
use ringway_turn::{EndReason, Event, Speaker, StageKind};
use std::time::Duration;
use tokio::time::sleep as pass;

/// The first words of the answer were heard in the end.
fn last_heard(event: &CallEventKind) -> bool {
    let begins = |text: &str| !text.is_empty() && REPLY.starts_with(text);
    matches!(event, CallEventKind::Turn(Event::Heard { text, last: true, .. }) if begins(text))
}

fn bots_message(event: &CallEventKind) -> bool {
    matches!(event, CallEventKind::Turn(Event::Message { who: Speaker::Bot, .. }))
}

/// A call that is ended so in the middle of an answer.
fn ends(how: impl FnOnce(&Line), reason: EndReason) {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        pass(Duration::from_secs(2)).await;
        world.line.say(&["alpha"]);
        world.line.until("the third word of the answer", |line| line.heard().contains(&"india")).await;
        world.drain();
        how(&world.line);
        world.line.until("the end", |line| line.ended().is_some()).await;
        assert_eq!(world.line.ended(), Some(reason.clone()));
        let events = world.drain();
        let heard = events.iter().position(last_heard);
        let message = events.iter().position(bots_message);
        let ended = events.iter().position(|event| matches!(event, CallEventKind::Ended { .. }));
        assert!(heard.is_some() && heard < message && message < ended, "{reason:?}: {events:?}");
        assert!(world.line.shown().iter().any(last_heard), "{reason:?}: {:?}", world.line.shown());
    });
}

#[test]
fn an_operator_who_hangs_up_leaves_the_last_words_in_the_record() {
    ends(|line| line.call.hang_up(EndReason::Operator).expect("the call lives"), EndReason::Operator);
}

#[test]
fn a_drain_leaves_the_last_words_in_the_record() {
    ends(|line| line.call.hang_up(EndReason::Drain).expect("the call lives"), EndReason::Drain);
}

#[test]
fn a_peer_that_is_gone_leaves_the_last_words_in_the_record() {
    let closed = EdgeInput::Closed(EndReason::Caller);
    ends(|line| line.call.tell(closed).expect("the call lives"), EndReason::Caller);
}

#[test]
fn a_peer_that_does_not_read_leaves_the_last_words_in_the_record() {
    let closed = EdgeInput::Closed(EndReason::SlowConsumer);
    ends(|line| line.call.tell(closed).expect("the call lives"), EndReason::SlowConsumer);
}

#[test]
fn a_call_with_more_news_than_it_can_take_ends_all_the_same() {
    ends(
        |line| {
            while line.call.tell(EdgeInput::ProtocolError("bad_field")).is_ok() {}
            line.call.hang_up(EndReason::Operator).expect("the call lives");
        },
        EndReason::Operator,
    );
}

#[test]
fn the_first_reason_to_end_a_call_counts() {
    ends(
        |line| {
            line.call.hang_up(EndReason::Operator).expect("the call lives");
            line.call.hang_up(EndReason::Drain).expect("it has not ended yet");
        },
        EndReason::Operator,
    );
}

#[test]
fn a_pump_that_panics_ends_the_call_as_a_defect_of_ours_with_its_last_words() {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        pass(Duration::from_secs(2)).await;
        world.line.say(&["alpha"]);
        world.line.until("the third word of the answer", |line| line.heard().contains(&"india")).await;
        world.line.break_down();
        pass(Duration::from_secs(1)).await;
        let told = whole(&world.lifecycle(), 0);
        let of_bot =
            |event: &LifecycleEvent| matches!(event, LifecycleEvent::Message { who: Speaker::Bot, .. });
        assert!(told.iter().any(of_bot), "{told:?}");
        assert_eq!(reason(&told), "internal");
        assert_eq!((world.load.calls(), world.load.lines()), (0, 0), "its place is free");
    });
}

#[test]
fn a_call_that_is_over_takes_no_fault_and_says_so() {
    with_call(ringway_turn::Config::default(), |world| async move {
        pass(Duration::from_secs(2)).await;
        let call = world.line.call.clone();
        assert_eq!(call.inject(StageKind::Llm, Fault::Error), Ok(()));
        call.hang_up(EndReason::Operator).expect("the call lives");
        world.line.until("the end", |line| line.ended().is_some()).await;
        pass(Duration::from_millis(20)).await;
        assert_eq!(call.inject(StageKind::Llm, Fault::Error), Err(CallOver));
    });
}
