//! A conversation that grows longer than its budget of tokens.

use crate::line::{Line, said};
use ringway_turn::{Command, Config, Context, Event, Input, SummaryId};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), context_tokens: 200, ..Config::default() }
}

fn asked(line: &Line) -> Option<(SummaryId, Context)> {
    line.log.iter().find_map(|(_, command)| match command {
        Command::Summarise { summary, context, .. } => Some((*summary, context.clone())),
        _ => None,
    })
}

fn last_context(line: &Line) -> Context {
    let context = |command: &Command| match command {
        Command::Reply { context, .. } => Some(context.clone()),
        _ => None,
    };
    line.log.iter().rev().find_map(|(_, command)| context(command)).expect("the model was asked")
}

/// A caller who says the same of many things, a turn each ten seconds, and breaks the first answer off.
fn talkative(turns: u64) -> Line {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table for two by the window");
    line.says(2_700, 3_500, "no wait a table for three by the door");
    for turn in 1..=turns {
        line.says(turn * 10_000, turn * 10_000 + 900, "and then I would also like a dish for number six");
    }
    line
}

#[test]
fn only_what_was_heard_becomes_part_of_a_summary() {
    let mut line = talkative(4);
    line.run(50_000);
    let (_, context) = asked(&line).expect("the budget came near");
    let folded = said(&context);
    let broken_off = folded.iter().find(|message| message.starts_with("Bot: You said a table for two"));
    let heard = broken_off.map_or("", |message| message.as_str());
    assert!(!heard.contains("window"), "{folded:?}");
    assert!(folded.iter().any(|message| message.contains("no wait a table for three")), "{folded:?}");
}

#[test]
fn the_next_request_has_the_summary_in_the_place_of_the_oldest_turns() {
    let mut line = talkative(4);
    line.run(50_000);
    let (summary, folded) = asked(&line).expect("the budget came near");
    let before = line.context();
    line.at(50_000, Input::Summarised { summary, text: Some("A table for three.".into()) });
    line.says(50_200, 51_000, "good bye");
    line.run(54_000);
    let context = last_context(&line);
    assert_eq!(context.summary, "A table for three.");
    let after = said(&context);
    assert!(before.ends_with(&after) && after.len() < before.len(), "{before:?} {after:?}");
    assert!(said(&context).iter().all(|message| !message.contains("table")), "{folded:?}");
}

#[test]
fn a_caller_who_speaks_does_not_end_a_summary() {
    let mut line = talkative(4);
    line.run(40_000);
    let summary = asked(&line).map_or(SummaryId::default(), |(summary, _)| summary);
    line.says(41_000, 42_000, "stop stop stop");
    line.at(41_500, Input::Summarised { summary, text: Some("A table for three.".into()) });
    line.run(50_000);
    let told = line.events().filter(|(_, event)| matches!(event, Event::Summarised { .. })).count();
    assert_eq!((told, last_context(&line).summary.as_str()), (1, "A table for three."));
}

#[test]
fn without_a_summary_the_oldest_turns_are_forgotten() {
    let mut line = talkative(9);
    line.run(100_000);
    assert!(line.events().any(|(_, event)| matches!(event, Event::Forgotten { messages: 1.., .. })));
    assert!(line.turn.context_tokens() <= 200);
    assert_eq!(line.count(|command| matches!(command, Command::Summarise { .. })), 1, "one at a time");
}
