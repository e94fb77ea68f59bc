//! The model waits for tools.

use crate::line::{Line, at};
use ringway_turn::{
    After, Command, Config, Converse, Event, Input, Memo, RequestId, ToolFiller, ToolOutcome,
};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

/// A caller who has asked for something; the model's own words are far off.
fn asked() -> (Line, RequestId) {
    Line::waiting(config(), "my order")
}

fn began(request: RequestId, words: Option<&str>) -> Input {
    let after = Duration::from_millis(500);
    let filler = words.map(|words| ToolFiller { after, words: words.into() });
    Input::ToolBegan { request, tool: "find".into(), filler }
}

fn ended(request: RequestId) -> Input {
    let (outcome, after) = (ToolOutcome::Done, Duration::from_millis(30));
    Input::ToolEnded { request, tool: "find".into(), bytes: 12, outcome, after, tokens: 0, arguments: None }
}

fn spoken_at(line: &Line, words: &str) -> Vec<u64> {
    let said = line
        .log
        .iter()
        .filter(|(_, command)| matches!(command, Command::Speak { text, .. } if text == words));
    said.map(|(at, _)| at.as_nanos() / 1_000_000).collect()
}

#[test]
fn a_slow_tool_is_bridged_once_with_its_own_words() {
    let (mut line, request) = asked();
    line.at(2_200, began(request, Some("Let me look.")));
    line.run(9_000);
    assert_eq!(spoken_at(&line, "Let me look."), [2_700]);
    assert_eq!(
        line.count(|command| matches!(command, Command::Speak { text, .. } if text == "One moment.")),
        0
    );
    assert_eq!(line.count(|command| matches!(command, Command::Event(Event::Filler { .. }))), 1);
}

#[test]
fn a_model_that_waits_for_its_tool_is_not_late_and_is_when_it_keeps_the_result_to_itself() {
    let (mut line, request) = asked();
    line.at(2_150, began(request, None));
    line.run(3_900);
    let hurried = |line: &Line| line.when(|command| matches!(command, Command::Hurry { .. }));
    assert_eq!(hurried(&line), None);
    line.at(4_000, ended(request));
    line.run(8_000);
    assert_eq!(hurried(&line), Some(4_600));
}

#[test]
fn what_speaks_by_itself_bridges_the_wait_by_itself() {
    let mut line = Line::all_in_one(config());
    line.says(1_000, 1_800, "my order");
    line.run(900);
    line.model_delay = 60_000;
    line.run(2_100);
    let request = line.log.iter().rev().find_map(|(_, command)| match command {
        Command::Converse(Converse::Answer { request, .. }) => Some(*request),
        _ => None,
    });
    line.at(2_150, began(request.expect("it was asked"), Some("Let me look.")));
    line.run(4_500);
    let wrong = |command: &&Command| matches!(command, Command::Speak { .. } | Command::Hurry { .. });
    let commands = line.log.iter().map(|(_, command)| command);
    assert_eq!(commands.filter(wrong).collect::<Vec<_>>(), Vec::<&Command>::new());
}

#[test]
fn what_speaks_by_itself_is_not_late_when_it_goes_on_behind_its_tool() {
    let mut line = Line::all_in_one(config());
    line.says(1_000, 1_800, "my order");
    line.run(900);
    line.model_delay = 60_000;
    line.run(2_100);
    let answer = line.log.iter().rev().find_map(|(_, command)| match command {
        Command::Converse(Converse::Answer { request, epoch, .. }) => Some((*request, *epoch)),
        _ => None,
    });
    let (request, epoch) = answer.expect("it was asked");
    line.at(2_150, Input::Token { request, text: "Let me look.".into() });
    line.at(2_151, Input::Voiced { epoch });
    line.at(2_200, began(request, None));
    line.at(3_500, ended(request));
    line.at(3_800, Input::Token { request, text: " It is on its way.".into() });
    line.run(5_000);
    assert_eq!(line.count(|command| matches!(command, Command::Hurry { .. })), 0);
}

#[test]
fn a_fast_tool_is_not_bridged_and_is_told() {
    let (mut line, request) = asked();
    line.at(2_200, began(request, Some("Let me look.")));
    line.at(2_300, ended(request));
    line.run(3_000);
    assert!(spoken_at(&line, "Let me look.").is_empty());
    let told = line.count(|command| {
        matches!(command, Command::Event(Event::Tool { turn, bytes: 12, .. }) if turn.number() == 1)
    });
    assert_eq!(told, 1);
}

#[test]
fn what_the_model_said_before_is_spoken_whole_and_counts_as_a_sound() {
    let (mut line, request) = asked();
    line.at(2_150, Input::Token { request, text: "Let me see".into() });
    line.at(2_200, began(request, Some("Still looking.")));
    line.run(9_000);
    assert_eq!(spoken_at(&line, "Let me see"), [2_200]);
    // Ten letters of 60 ms, and then half a second of silence.
    let at = spoken_at(&line, "Still looking.");
    assert!(at.len() == 1 && at[0] >= 2_200 + 600 + 500, "{at:?}");
}

#[test]
fn the_reply_goes_on_behind_the_words_of_its_tool() {
    let (mut line, request) = asked();
    line.at(2_200, began(request, Some("Let me look.")));
    line.at(4_000, ended(request));
    line.at(4_010, Input::Token { request, text: "It is on its way.".into() });
    line.at(4_020, Input::ReplyEnd { request, after: After::Nothing, memo: Memo("m".into()) });
    line.run(8_000);
    assert_eq!(line.context()[1..], ["Caller: my order", "Bot: It is on its way."]);
    assert_eq!(line.turn.context().memo, Memo("m".into()));
}

#[test]
fn a_tool_that_ends_after_its_reply_is_told_all_the_same() {
    let (mut line, request) = asked();
    line.at(2_200, began(request, None));
    line.at(2_300, Input::Interrupt);
    line.at(2_400, ended(request));
    line.run(3_000);
    assert_eq!(line.turn.tools_running(request), None);
    assert_eq!(line.count(|command| matches!(command, Command::Event(Event::Tool { .. }))), 1);
    assert!(line.log.iter().all(|(when, _)| *when <= at(3_000)));
}

#[test]
fn passages_are_told_of_the_running_reply_alone() {
    let (mut line, request) = asked();
    let given = |request| Input::Cited { request, passages: vec!["shop.md, Hours".into()] };
    line.at(2_200, given(request));
    line.at(2_210, given(RequestId::new(request.number() + 7)));
    line.run(3_000);
    let told = line.log.iter().filter_map(|(_, command)| match command {
        Command::Event(Event::Cited { turn, passages }) => Some((turn.number(), passages.as_slice())),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [(1, &["shop.md, Hours".to_owned()][..])]);
}

#[test]
fn what_a_reply_notes_of_the_call_counts_once_the_reply_is_accepted() {
    let (mut line, request) = asked();
    let slots = vec![("day".to_owned(), "monday".to_owned())];
    line.at(2_200, Input::Slots { request, slots });
    line.at(2_250, Input::Slot { name: "name".into(), value: "Ada".into() });
    line.run(2_300);
    let noted = |line: &Line| -> Vec<String> {
        let events = line.log.iter().filter_map(|(_, command)| match command {
            Command::Event(Event::Slot { name, value, .. }) => Some(format!("{name}={value}")),
            _ => None,
        });
        events.collect()
    };
    assert_eq!(noted(&line), ["name=Ada"], "a tool acts at once");
    line.at(2_400, Input::Token { request, text: "Fine.".into() });
    let after = After::Listen { digits: None };
    line.at(2_450, Input::ReplyEnd { request, after, memo: Memo::default() });
    line.run(8_000);
    assert_eq!(noted(&line), ["name=Ada", "day=monday"]);
}
