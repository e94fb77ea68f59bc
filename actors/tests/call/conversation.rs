//! Conversations through all actors, on virtual time.

use crate::common::engines::{CLAUSES, GREETING, REPLY, WORD_FRAMES};
use crate::common::with_call;
use ringway_actors::CallEventKind;
use ringway_frame::FRAME;
use ringway_turn::{Event, Speaker, TurnNumber};
use std::time::Duration;
use tokio::time::sleep as pass;

fn said(events: &[CallEventKind], by: Speaker) -> Vec<String> {
    let of = |event: &CallEventKind| match event {
        CallEventKind::Turn(Event::Message { who, text, .. }) if *who == by => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn a_caller_is_greeted_heard_and_answered() {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        let line = &world.line;
        line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
        pass(Duration::from_millis(500)).await;
        line.say(&["alpha", "bravo", "charlie"]);
        let whole = format!("{GREETING} {REPLY}");
        line.until("the answer", |line| line.heard().join(" ") == whole).await;
        pass(Duration::from_secs(1)).await;
        let events = world.drain();
        assert_eq!(said(&events, Speaker::Caller), ["alpha bravo charlie"]);
        assert_eq!(said(&events, Speaker::Bot), [GREETING, REPLY]);
    });
}

#[test]
fn a_caller_who_speaks_over_the_bot_silences_it_and_is_answered() {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        let line = &world.line;
        pass(Duration::from_secs(2)).await;
        line.say(&["alpha"]);
        line.until("the third word of the answer", |line| line.heard().contains(&"india")).await;
        line.say(&["bravo", "charlie"]);
        line.until("the second answer", |line| line.heard().ends_with(&["oscar", "papa"])).await;
        pass(Duration::from_secs(1)).await;
        let events = world.drain();
        assert_eq!(said(&events, Speaker::Caller), ["alpha", "bravo charlie"]);
        let bot = said(&events, Speaker::Bot);
        assert!(
            REPLY.starts_with(&bot[1]) && bot[1].len() < REPLY.len(),
            "the context holds what was heard: {bot:?}"
        );
        assert_eq!(bot[2], REPLY);
        assert!(events.iter().any(|event| matches!(event, CallEventKind::Turn(Event::BargeIn { .. }))));
    });
}

#[test]
fn what_a_client_that_plays_by_itself_has_not_played_is_not_in_the_conversation() {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        let line = &world.line;
        pass(Duration::from_secs(2)).await;
        line.say(&["alpha"]);
        line.until("the answer", |line| line.heard().ends_with(&["oscar", "papa"])).await;
        pass(Duration::from_secs(1)).await;
        let three_words = 3 * WORD_FRAMES as u32 * FRAME;
        line.truncate(TurnNumber::new(1), three_words);
        pass(Duration::from_millis(100)).await;
        let heard = world.drain().into_iter().rev().find_map(|event| match event {
            CallEventKind::Turn(Event::Heard { turn, text, last: true }) => Some((turn.number(), text)),
            _ => None,
        });
        assert_eq!(heard, Some((1, "golf hotel india".to_owned())));
    });
}

#[test]
fn clauses_that_the_voice_has_no_room_for_wait_and_are_all_spoken() {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        let line = &world.line;
        pass(Duration::from_secs(2)).await;
        line.say(&["quebec"]);
        let whole = format!("{GREETING} {}", CLAUSES.replace('.', ""));
        line.until("all clauses", |line| line.heard().join(" ") == whole).await;
        pass(Duration::from_secs(1)).await;
        let events = world.drain();
        assert_eq!(said(&events, Speaker::Bot), [GREETING, CLAUSES]);
        assert!(!events.iter().any(|event| matches!(event, CallEventKind::StageDied { .. })));
    });
}
