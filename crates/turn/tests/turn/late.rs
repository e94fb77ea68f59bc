//! Stages that keep the caller waiting.

use crate::line::{Line, at};
use ringway_turn::{Command, Config, EndReason, Event, Input, Output, RequestId, StageKind, Turn};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

fn line() -> Line {
    let mut line = Line::greeted(config());
    line.substitutes = true;
    line.says(1_000, 1_800, "a table");
    line
}

fn hurried(line: &Line) -> Vec<(u64, StageKind)> {
    let hurry = |command: &Command| if let Command::Hurry { stage } = command { Some(*stage) } else { None };
    line.log.iter().filter_map(|(time, command)| Some((time.as_millis(), hurry(command)?))).collect()
}

const ANSWERED: [&str; 2] = ["Caller: a table", "Bot: You said a table."];

#[test]
fn a_stage_that_answers_in_time_is_left_in_peace() {
    let mut line = line();
    line.run(8_000);
    assert_eq!(hurried(&line), []);
}

#[test]
fn a_recogniser_that_is_late_gives_way_and_the_caller_is_answered_within_two_seconds() {
    let mut line = line();
    line.recogniser_takes(60_000);
    line.run(8_000);
    assert_eq!(hurried(&line), [(2_488, StageKind::Stt)], "600 ms after it was asked");
    assert_eq!(line.context()[1..], ANSWERED);
    assert!(line.answered_after(1_800) < 2_000, "{}", line.answered_after(1_800));
}

#[test]
fn a_model_that_is_late_gives_way_and_is_asked_the_same_again() {
    let mut line = line();
    line.model_delay = 60_000;
    line.run(8_000);
    assert_eq!(hurried(&line).iter().map(|(_, stage)| *stage).collect::<Vec<_>>(), [StageKind::Llm]);
    assert_eq!(line.context()[1..], ANSWERED);
    assert!(line.answered_after(1_800) < 1_500, "{}", line.answered_after(1_800));
}

#[test]
fn a_voice_that_is_late_gives_way_and_nothing_is_said_twice() {
    let mut line = line();
    line.voice_delay = 60_000;
    line.run(8_000);
    assert!(hurried(&line).iter().all(|(_, stage)| *stage == StageKind::Tts), "{:?}", hurried(&line));
    assert_eq!(line.context()[1..], ANSWERED);
    let told = line.events().filter(|(_, event)| matches!(event, Event::Late { .. })).count();
    assert_eq!(told, hurried(&line).len());
}

#[test]
fn work_ahead_of_the_turns_end_may_take_its_time() {
    let mut line = Line::greeted(Config::default());
    line.substitutes = true;
    line.recogniser_takes(610);
    line.says(1_000, 1_800, "a table");
    line.run(8_000);
    assert_eq!(hurried(&line), [], "it answers as the pause ends, 700 ms after the last sound");
    assert_eq!(line.context()[1..], ANSWERED);
}

#[test]
fn a_stage_without_a_substitute_is_hurried_once_and_may_still_answer() {
    let mut line = Line::greeted(config());
    line.model_delay = 3_000;
    line.says(6_000, 6_800, "a table");
    line.run(12_000);
    assert_eq!(hurried(&line).len(), 2, "over the greeting, and over the answer");
    assert_eq!(line.context()[1..], ANSWERED);
}

#[test]
fn a_voice_that_has_begun_is_not_late_with_its_next_clause() {
    let mut turn = Turn::new(config());
    let mut hurried = Vec::new();
    let mut spoken = Vec::new();
    let mut feed = |input, millis| {
        turn.handle(input, at(millis));
        while let Output::Command(command) = turn.poll() {
            match command {
                Command::Hurry { stage } => hurried.push(stage),
                Command::Speak { epoch, clause, .. } => spoken.push((epoch, clause)),
                _ => {}
            }
        }
        spoken.last().copied()
    };
    feed(Input::Started, 0);
    let token = |text: &str| Input::Token { request: RequestId::default(), text: text.into() };
    let (epoch, clause) = feed(token("The first one. And"), 100).expect("a clause");
    feed(Input::Voiced { epoch }, 150);
    feed(Input::ClauseEnd { epoch, clause, frames: 40 }, 200);
    feed(token(" the second one. And"), 1_000);
    (1_000..9_000).step_by(20).for_each(|millis| {
        let _ = feed(Input::Tick, millis);
    });
    assert_eq!((hurried, spoken.len()), (vec![], 2));
}

#[test]
fn without_a_budget_nobody_is_late() {
    let mut line = Line::greeted(Config { answer_budget: None, ..config() });
    line.model_delay = 5_000;
    line.says(6_000, 6_800, "a table");
    line.run(15_000);
    assert_eq!(hurried(&line), []);
}

fn ends_after_the_apology(config: Config) -> Line {
    let mut line = Line::greeted(Config { give_up_after: Some(Duration::from_secs(5)), ..config });
    line.says(1_000, 1_800, "a table");
    line.loses(StageKind::Llm, 900, 60_000);
    line.run(12_000);
    assert_eq!(line.when(|command| matches!(command, Command::Apologise { .. })), Some(6_800));
    assert!(line.turn.is_over());
    line
}

#[test]
fn an_answer_that_never_comes_ends_the_call_with_an_apology() {
    let line = ends_after_the_apology(config());
    let hang_up =
        |command: &Command| *command == Command::HangUp { reason: EndReason::StageFailed(StageKind::Llm) };
    assert!(line.when(hang_up) > Some(7_000));
}

#[test]
fn after_the_apology_somebody_else_may_take_the_call() {
    let to = "+49301234".to_owned();
    let line = ends_after_the_apology(Config { transfer_on_failure: Some(to.clone()), ..config() });
    assert!(line.when(|command| *command == Command::Transfer { to: to.clone() }) > Some(7_000));
    assert_eq!(line.count(|command| matches!(command, Command::HangUp { .. })), 0);
}
