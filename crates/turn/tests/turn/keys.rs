//! Keys that the caller presses, and what they type.

use crate::line::Line;
use ringway_turn::{After, CallerTurn, Command, Config, Event, Input, Speculation};
use std::time::Duration;

fn fixed() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

#[test]
fn keys_are_an_answer_and_interrupt_the_bot() {
    let mut line = Line::new(fixed());
    line.presses(1_000, "12#");
    line.run(5_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Pressed("12".into())]);
    assert!(!line.sounds_between(1_040, 1_350));
    let greeting = &line.context()[0];
    assert!(
        greeting.len() < 30 && "Bot: Hello, this is the booking line".starts_with(greeting.as_str()),
        "{greeting}"
    );
    assert_eq!(line.context()[1..], ["Caller: 12", "Bot: You pressed 12."]);
}

#[test]
fn a_pause_ends_the_keys() {
    let mut line = Line::greeted(fixed());
    line.presses(1_000, "7");
    line.run(6_000);
    assert_eq!(line.when(|command| matches!(command, Command::Event(Event::Keys { .. }))), Some(3_000));
}

#[test]
fn as_many_keys_as_the_dialogue_expects_are_an_answer_at_once() {
    let mut line = Line::greeted(fixed());
    line.dialogue(|_| ("Hi.".into(), After::Listen { digits: Some(2) }));
    line.presses(1_000, "42");
    line.run(2_000);
    assert_eq!(line.when(|command| matches!(command, Command::Event(Event::Keys { .. }))), Some(1_150));
}

#[test]
fn keys_pressed_while_speaking_wait_for_the_words() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "it is");
    line.presses(1_200, "42#");
    line.run(6_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Pressed("42".into())]);
    assert_eq!(line.context()[1..], ["Caller: it is", "Caller: 42", "Bot: You pressed 42."]);
}

#[test]
fn what_was_begun_on_words_is_void_when_keys_follow_them() {
    let mut line = Line::greeted(Config { speculation: Speculation::Tts, ..fixed() });
    line.says(1_000, 1_800, "it is");
    line.presses(1_950, "4");
    line.run(8_000);
    assert_eq!(line.asked().last(), Some(&CallerTurn::Pressed("4".into())));
    assert_eq!(line.context()[1..], ["Caller: it is", "Caller: 4", "Bot: You pressed 4."]);
}

#[test]
fn typed_text_is_a_turn_at_once_and_interrupts_the_bot() {
    let mut line = Line::new(fixed());
    line.at(1_000, Input::Text { text: "on Monday".into() });
    line.run(5_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said("on Monday".into())]);
    assert!(!line.sounds_between(1_040, 1_100));
    assert!(line.context().contains(&"Caller: on Monday".to_owned()), "{:?}", line.context());
}

#[test]
fn typed_text_takes_the_place_of_what_is_being_said_and_takes_waiting_keys_with_it() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "it is");
    line.presses(1_200, "4");
    line.at(1_500, Input::Text { text: "on Monday".into() });
    line.run(8_000);
    assert_eq!(line.asked()[1], CallerTurn::Said("4 on Monday".into()));
}
