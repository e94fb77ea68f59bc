//! Models that are later than usual, and are asked a second time.

use crate::line::Line;
use ringway_turn::{Command, Config, Event, Input, RequestId, Speculation, StageKind, recording};
use std::time::Duration;

/// Nothing is begun ahead of a turn's end: the caller's turn is over, and the model is asked, 250 ms after their last word.
fn config() -> Config {
    Config {
        hang_over_fixed: Some(Duration::from_millis(200)),
        speculation: Speculation::Off,
        hedge: true,
        ..Config::default()
    }
}

/// A model that answers after `model_delay`, 95 times of 100 within 300 ms, and a caller who says something.
fn line(config: Config, model_delay: u64) -> Line {
    let mut line = Line::greeted(config);
    line.run(900);
    line.usually = Some(300);
    line.model_delay = model_delay;
    line.says(1_000, 1_800, "a table");
    line
}

fn hedged(line: &Line) -> Vec<u64> {
    let of = |(_, command): &&(_, Command)| matches!(command, Command::Hedge { .. });
    line.log.iter().filter(of).map(|(time, _)| time.as_millis()).collect()
}

fn hurried(line: &Line) -> Vec<u64> {
    let of = |(_, command): &&(_, Command)| matches!(command, Command::Hurry { .. });
    line.log.iter().filter(of).map(|(time, _)| time.as_millis()).collect()
}

fn asked(line: &Line) -> u64 {
    line.last_asked().as_millis()
}

/// When the second model was asked, as it is told.
fn told(line: &Line) -> Vec<u64> {
    line.events().filter(|(_, event)| matches!(event, Event::Hedged { .. })).map(|(at, _)| at).collect()
}

const NEVER: [u64; 0] = [];

const ANSWERED: [&str; 2] = ["Caller: a table", "Bot: You said a table."];

#[test]
fn a_model_that_answers_as_usual_is_asked_once() {
    let mut line = line(config(), 290);
    line.run(8_000);
    assert_eq!(hedged(&line), NEVER);
    assert_eq!(line.context()[1..], ANSWERED);
}

#[test]
fn a_model_that_is_later_than_usual_is_asked_a_second_time_and_the_first_answer_counts() {
    let mut line = line(config(), 5_000);
    line.second = Some(100);
    line.run(8_000);
    assert_eq!(hedged(&line), [asked(&line) + 300]);
    assert_eq!(told(&line), hedged(&line));
    assert_eq!(line.context()[1..], ANSWERED);
    assert!(line.answered_after(1_800) < 1_000, "{}", line.answered_after(1_800));
    assert_eq!(hurried(&line), NEVER, "nobody is given up");
    assert_eq!(recording::replay(line.recording.as_bytes()).unwrap().difference, None);
}

#[test]
fn a_second_model_has_as_long_as_the_first_had() {
    let mut line = line(config(), 60_000);
    line.second = Some(60_000);
    line.run(8_000);
    assert_eq!(hurried(&line), [asked(&line) + 300 + 600]);
}

#[test]
fn a_model_for_which_there_is_no_second_is_late_when_it_ever_was() {
    let mut line = line(config(), 60_000);
    line.run(8_000);
    assert_eq!((hedged(&line).len(), told(&line).len()), (1, 0));
    assert_eq!(hurried(&line), [asked(&line) + 600]);
}

#[test]
fn one_that_always_takes_longer_than_it_may_is_asked_a_second_time_all_the_same() {
    let mut line = line(config(), 5_000);
    (line.usually, line.second) = (Some(900), Some(100));
    line.run(8_000);
    assert_eq!(hurried(&line), [asked(&line) + 600]);
    assert_eq!(hedged(&line), [asked(&line) + 900]);
    assert_eq!(line.context()[1..], ANSWERED);
}

#[test]
fn who_does_not_want_it_asks_once() {
    let mut line = line(Config { hedge: false, ..config() }, 5_000);
    line.run(8_000);
    assert_eq!(hedged(&line), NEVER);
}

#[test]
fn nobody_waits_for_what_is_begun_ahead_of_the_turns_end() {
    let ahead = Config { speculation: Speculation::Llm, hang_over_fixed: None, ..config() };
    let mut line = line(ahead, 500);
    line.second = Some(50);
    line.run(8_000);
    assert!(asked(&line) + 500 < 2_500, "it was asked in the pause, at {}", asked(&line));
    assert_eq!(hedged(&line), NEVER, "the answer came before the pause was over");
    assert_eq!(line.context()[1..], ANSWERED);
}

#[test]
fn what_was_begun_ahead_and_is_late_when_the_turn_ends_is_asked_again_then() {
    let ahead = Config {
        speculation: Speculation::Llm,
        hang_over_fixed: Some(Duration::from_millis(500)),
        ..config()
    };
    let mut line = line(ahead, 5_000);
    line.second = Some(50);
    line.run(8_000);
    assert!(asked(&line) + 300 < 2_300, "asked at {}", asked(&line));
    let at = hedged(&line);
    assert!(at.len() == 1 && at[0] >= 2_300, "{at:?}");
    assert_eq!(line.context()[1..], ANSWERED);
}

#[test]
fn a_tool_is_a_result_and_may_take_its_time() {
    let mut line = line(config(), 60_000);
    line.second = Some(100);
    line.run(2_100);
    let request = line.running().expect("it was asked");
    line.at(2_200, Input::ToolBegan { request, tool: "find".into(), filler: None });
    line.run(8_000);
    assert_eq!((hedged(&line), hurried(&line)), (vec![], vec![]));
}

#[test]
fn a_caller_who_goes_on_ends_both() {
    let mut line = line(config(), 60_000);
    line.second = Some(60_000);
    line.says(2_500, 3_400, "for two");
    line.run(3_500);
    assert_eq!(hedged(&line).len(), 1);
    assert!(line.when(|command| matches!(command, Command::CancelReply { .. })) > Some(2_500));
    line.model_delay = 100;
    line.run(9_000);
    assert_eq!(hedged(&line).len(), 1, "the new request is answered as usual");
    assert_eq!(line.context()[1..], ["Caller: a table for two", "Bot: You said a table for two."]);
}

#[test]
fn what_is_said_of_another_request_changes_nothing() {
    let mut line = line(config(), 2_000);
    line.usually = None;
    line.run(2_100);
    let request = RequestId::new(line.running().expect("it was asked").number() + 1);
    line.at(2_110, Input::Usually { request, within: Duration::from_millis(1) });
    line.at(2_120, Input::Hedged { request });
    line.run(8_000);
    assert_eq!((hedged(&line), told(&line)), (vec![], vec![]));
}

#[test]
fn a_model_that_died_is_asked_a_second_time_by_its_new_requests_own_clock() {
    let mut line = line(config(), 60_000);
    line.second = Some(100);
    line.loses(StageKind::Llm, 2_200, 50);
    line.run(8_000);
    assert_eq!(asked(&line), 2_250);
    assert_eq!(hedged(&line), [2_550]);
    assert_eq!(line.context()[1..], ANSWERED);
}
