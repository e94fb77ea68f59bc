use super::record::CALL_BYTES;
use super::*;
use ringway_turn::{Latency, Speaker};

fn call(number: u128) -> CallId {
    CallId::from_bits(number)
}

fn ended(calls: &mut LiveCalls, number: u128, carrier_call_id: &str, at: Timestamp, reason: EndReason) {
    let live = LiveCall::new(call(number), EdgeKind::Twilio, Some(carrier_call_id.to_owned()));
    calls.calls.insert(call(number), live);
    calls.take(&CallEvent {
        call: call(number),
        at: MediaTime::ZERO,
        kind: CallEventKind::Ended { reason },
        record: None,
    });
    calls.ended.back_mut().expect("it ended").0 = at;
}

#[test]
fn a_call_is_forgotten_an_hour_after_its_end_although_no_other_ends() {
    let (mut calls, began) = (LiveCalls::default(), Timestamp::now());
    ended(&mut calls, 1, "CA1", began, EndReason::Caller);
    let minutes = |count: i64| jiff::SignedDuration::from_mins(count);
    calls.forget_old(began + minutes(59));
    assert!(calls.get(call(1)).is_some());
    calls.forget_old(began + minutes(61));
    assert!(calls.get(call(1)).is_none());
}

#[test]
fn the_last_thousand_calls_are_kept() {
    let (mut calls, now) = (LiveCalls::default(), Timestamp::now());
    for number in 0..1_003 {
        ended(&mut calls, number, "CA1", now, EndReason::Caller);
    }
    let kept = |number| calls.get(call(number)).is_some();
    assert!(!kept(2) && kept(3) && kept(1_002));
    assert_eq!(calls.calls.len(), KEPT);
}

#[test]
fn a_call_keeps_what_was_said_last_and_all_calls_together_keep_so_much() {
    let line = |turn| Line { turn, who: Speaker::Bot, text: "x".repeat(CALL_BYTES / 2), at_ms: 0 };
    let mut detail = Detail::default();
    (1..=3).for_each(|turn| detail.said(line(turn)));
    assert_eq!(detail.transcript.iter().map(|line| line.turn).collect::<Vec<_>>(), [3]);
    assert_eq!(detail.bytes, detail.transcript[0].bytes());

    let mut calls = LiveCalls::default();
    let bytes = KEPT_BYTES / 4;
    for number in 0..6 {
        let mut live = LiveCall::new(call(number), EdgeKind::Browser, None);
        live.detail.bytes = bytes;
        calls.calls.insert(call(number), live);
        let kind = CallEventKind::Ended { reason: EndReason::Caller };
        calls.take(&CallEvent { call: call(number), at: MediaTime::ZERO, kind, record: None });
    }
    assert_eq!((calls.kept_bytes, calls.calls.len()), (4 * bytes, 4));
    assert!(calls.get(call(1)).is_none() && calls.get(call(2)).is_some());
}

#[test]
fn a_drain_waits_for_carriers_that_are_about_to_ask_and_no_longer() {
    let (mut calls, now) = (LiveCalls::default(), Timestamp::now());
    ended(&mut calls, 1, "CA1", now, EndReason::Transferred("+49301234".into()));
    ended(&mut calls, 2, "CA2", now, EndReason::Drain);
    ended(&mut calls, 3, "CA3", now, EndReason::Caller);
    assert_eq!(calls.carriers_to_ask(now), 2);
    calls.ending("CA1");
    assert_eq!(calls.carriers_to_ask(now), 1);
    assert_eq!(calls.carriers_to_ask(now + ASKS_WITHIN + ASKS_WITHIN), 0);
}

#[test]
fn a_server_that_ends_tells_the_end_of_calls_that_are_left() {
    let mut calls = LiveCalls::default();
    ended(&mut calls, 1, "CA1", Timestamp::now(), EndReason::Caller);
    calls.calls.insert(call(2), LiveCall::new(call(2), EdgeKind::Twilio, Some("CA2".into())));
    let last = calls.last_events();
    assert_eq!(last.iter().map(|event| event.call).collect::<Vec<_>>(), [call(2)]);
    assert!(matches!(last[0].kind, CallEventKind::Ended { reason: EndReason::Drain }));
    for event in &last {
        calls.take(event);
    }
    assert!(calls.last_events().is_empty());
}

#[test]
fn the_carrier_is_told_how_its_call_ended() {
    let (mut calls, now) = (LiveCalls::default(), Timestamp::now());
    ended(&mut calls, 1, "CA1", now, EndReason::Transferred("+49301234".into()));
    ended(&mut calls, 2, "CA2", now, EndReason::Completed);
    calls.calls.insert(call(3), LiveCall::new(call(3), EdgeKind::Twilio, Some("CA3".into())));
    let endings = ["CA1", "CA2", "CA3", "CA4"].map(|id| calls.ending(id));
    let wanted = [Ending::Transferred("+49301234".into()), Ending::Over, Ending::InProgress, Ending::Unknown];
    assert_eq!(endings, wanted);
}

fn at(millis: u64, kind: CallEventKind) -> CallEvent {
    CallEvent { call: call(1), at: MediaTime::from_millis(millis), kind, record: None }
}

#[test]
fn a_caller_who_gets_no_answer_before_the_next_words_or_the_end_has_waited_in_vain() {
    let mut live = LiveCall::new(call(1), EdgeKind::Twilio, None);
    let turn = ringway_turn::TurnNumber::new(1);
    let words = || CallEventKind::Turn(Event::Transcript { turn, text: "hello".into(), last: true });
    let answer = || CallEventKind::Turn(Event::Latency { turn, latency: Latency::default() });
    let mut waited = |millis, kind| {
        live.take(&at(millis, kind));
        live.unanswered_after()
    };
    assert_eq!(waited(1_000, words()), None);
    assert_eq!(waited(1_300, answer()), None, "it was answered");
    assert_eq!(waited(5_000, words()), None);
    assert_eq!(waited(8_000, words()), Some(Duration::from_secs(3)), "the next words");
    let ended = CallEventKind::Ended { reason: EndReason::Caller };
    assert_eq!(waited(12_000, ended), Some(Duration::from_secs(4)), "the end");
}

#[test]
fn legs_are_shown_while_they_are_there_and_counted_by_the_edges_that_they_came_by() {
    let mut live = LiveCall::new(call(1), EdgeKind::Twilio, None);
    let (leg, label) = (1, "Agent".into());
    live.take(&at(0, CallEventKind::LegCreated { leg, edge: EdgeKind::Browser, label }));
    live.take(&at(0, CallEventKind::Leg { leg, state: LegState::Up }));
    let shown = serde_json::to_value(live.whole()).expect("JSON");
    let agent = serde_json::json!({"leg": 1, "label": "Agent", "edge": "browser", "state": "up"});
    assert_eq!(shown["legs"], serde_json::json!([agent]));
    live.take(&at(0, CallEventKind::Leg { leg, state: LegState::Over }));
    assert_eq!((live.edge_of(0), live.edge_of(1)), ("twilio", "browser"));
    assert_eq!(serde_json::to_value(live.whole()).expect("JSON").get("legs"), None);
}

fn told(sequence: u64, kind: CallEventKind) -> CallEvent {
    let event = Lifecycle::of(&kind, Totals::default()).expect("a record");
    let record = Lifecycle::new(call(1), sequence, MediaTime::ZERO, event);
    CallEvent { call: call(1), at: MediaTime::ZERO, kind, record: Some(Arc::new(record)) }
}

fn said(sequence: u64, bytes: usize) -> CallEvent {
    let (turn, who) = (ringway_turn::TurnNumber::new(1), Speaker::Caller);
    told(sequence, CallEventKind::Turn(Event::Message { turn, who, text: "x".repeat(bytes) }))
}

fn numbers(calls: &LiveCalls) -> Vec<u64> {
    calls.get(call(1)).expect("a call").lifecycle().iter().map(|record| record.sequence).collect()
}

#[test]
fn the_end_of_a_call_is_taken_once_and_nothing_behind_it() {
    let mut calls = LiveCalls::default();
    calls.calls.insert(call(1), LiveCall::new(call(1), EdgeKind::Browser, None));
    assert!(calls.take(&said(0, 5)).is_some());
    let [last] = &calls.last_events()[..] else { panic!("one call is left") };
    assert!(calls.take(last).is_some(), "the server ends");
    let ended = CallEventKind::Ended { reason: EndReason::Caller };
    assert!(calls.take(&told(1, ended)).is_none() && calls.take(&said(2, 5)).is_none());
    assert_eq!((numbers(&calls), calls.ended.len()), (vec![0, 1], 1));
    assert_eq!(calls.get(call(1)).and_then(|call| call.detail.end_reason.as_deref()), Some("drain"));
    assert_eq!(calls.kept_bytes, calls.get(call(1)).map_or(0, LiveCall::bytes));
}

#[test]
fn of_a_long_call_the_last_events_are_kept() {
    let mut calls = LiveCalls::default();
    calls.calls.insert(call(1), LiveCall::new(call(1), EdgeKind::Browser, None));
    (0..3).for_each(|sequence| assert!(calls.take(&said(sequence, CALL_BYTES / 2)).is_some()));
    assert_eq!(numbers(&calls), [2]);
    assert!(calls.get(call(1)).is_some_and(|call| call.events.bytes() <= CALL_BYTES));
}

#[test]
fn each_reason_has_a_name_of_the_closed_set() {
    let reasons = [
        EndReason::Caller,
        EndReason::Completed,
        EndReason::Transferred(String::new()),
        EndReason::Silence,
        EndReason::NoMedia,
        EndReason::MaxDuration,
        EndReason::StageFailed(StageKind::Llm),
        EndReason::Protocol(String::new()),
        EndReason::SlowConsumer,
        EndReason::Operator,
        EndReason::Drain,
        EndReason::Internal,
        EndReason::NoAnswer,
        EndReason::NotResumed,
    ];
    assert_eq!(reasons.each_ref().map(reason_name), REASONS);
}
