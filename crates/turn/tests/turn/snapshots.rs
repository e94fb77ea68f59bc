//! A conversation is put down and taken up again, here or in another process.

use crate::line::Line;
use ringway_turn::{
    CallerTurn, Command, Config, EndReason, Event, Input, Message, Output, Playout, Snapshot, SnapshotError,
    Speaker, StageKind, Turn,
};
use serde_json::{Value, json};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

const GREETING: &str = "Bot: Hello, this is the booking line, what can I do for you.";

fn value(turn: &Turn) -> Value {
    serde_json::to_value(turn.snapshot()).expect("JSON")
}

fn restored(value: Value) -> Result<Turn, SnapshotError> {
    Turn::restore(config(), serde_json::from_value::<Snapshot>(value).expect("an envelope"))
}

/// In the middle of an answer, with things said and noted before it.
fn in_an_answer() -> Line {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table");
    line.run(2_900);
    line
}

/// The caller's and the bot's words, each speaker's messages joined.
fn said_by(line: &Line, who: &str) -> String {
    let its = |message: String| message.strip_prefix(who).map(str::to_owned);
    line.context().into_iter().filter_map(its).collect::<Vec<_>>().join("|")
}

#[test]
fn a_snapshot_of_another_version_is_refused_with_both_versions() {
    let mut future = value(&Turn::new(config()));
    future["version"] = 7.into();
    future["state"] = json!("something that this version does not know");
    future["more"] = json!(1);
    let error = restored(future).expect_err("refused");
    assert!(matches!(error, SnapshotError::Version { found: 7 }));
    assert_eq!(error.to_string(), "the snapshot has version 7, not 1");
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let whole = value(&in_an_answer().turn);
    for (path, damage) in [
        ("/state/now", json!("soon")),
        ("/state/history/weights", json!([])),
        ("/state/reply/text", json!("ä")),
        ("/state/reply/ledger/strands/0/entries/0/marks/0/upto", json!(4_000)),
        ("/state/closed/text", json!("")),
    ] {
        let mut damaged = whole.clone();
        *damaged.pointer_mut(path).unwrap_or_else(|| panic!("{path} in {whole}")) = damage;
        assert!(restored(damaged).is_err(), "{path}");
    }
    assert!(restored(whole).is_ok());
}

#[test]
fn a_snapshot_says_the_same_again_and_is_about_as_large_as_what_was_said() {
    let mut line = in_an_answer();
    let kept = value(&line.turn);
    assert_eq!(value(&restored(kept.clone()).expect("whole")), kept);
    let whole = kept.to_string().len();
    assert!(whole < 8_000, "{whole} bytes");
    line.run(5_900);
    let more = value(&line.turn).to_string().len();
    assert!(more < whole + 1_000, "an answer that is over costs its words: {more} after {whole}");
}

#[test]
fn the_rest_of_an_answer_is_said_once_by_another_process() {
    let mut line = Line::new(config());
    line.moves(1_500, 4_000);
    line.says(9_500, 10_200, "a table");
    line.run(16_000);
    assert_eq!(line.context(), [GREETING, "Caller: a table", "Bot: You said a table."]);
    let asked: Vec<_> = line.spoken().into_iter().filter(|text| !text.starts_with("You said")).collect();
    let (first, again) = asked.split_at(2);
    assert_eq!(format!("Bot: {}", first.join(" ")), GREETING);
    assert!(GREETING.ends_with(&again.join(" ")), "{again:?}");
    let heard = line.heard_before.values().next().map_or(0, |frames| *frames as usize / 3);
    let said = first.join(" ").len() - again.join(" ").len();
    assert!(said <= heard + 1 && said + 8 >= heard, "{again:?} behind {heard} letters");
}

#[test]
fn words_that_were_known_of_an_utterance_stand_and_what_follows_is_heard() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_640, "");
    line.run(1_600);
    let (utterance, _) = line.turn.hearing().expect("speech");
    line.feed(Input::Partial { utterance, text: "I would like".into(), complete: false });
    line.moves(1_640, 4_000);
    line.says(5_700, 6_400, "a table");
    line.run(12_000);
    assert_eq!(line.context()[1..], ["Caller: I would like a table", "Bot: You said I would like a table."]);
}

#[test]
fn a_turn_that_was_over_is_answered_by_another_process() {
    let (mut line, _) = Line::waiting(config(), "a table");
    line.model_delay = 100;
    line.moves(2_600, 3_000);
    line.run(12_000);
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said a table."]);
    assert_eq!(line.asked().iter().filter(|cue| **cue == CallerTurn::Said("a table".into())).count(), 2);
}

#[test]
fn a_model_that_waited_for_a_tool_is_asked_again() {
    let (mut line, request) = Line::waiting(config(), "my order");
    line.feed(Input::ToolBegan { request, tool: "find".into(), filler: None });
    line.model_delay = 100;
    line.moves(3_000, 3_000);
    line.run(14_000);
    assert_eq!(line.context()[1..], ["Caller: my order", "Bot: You said my order."]);
    let told = line.events().filter(|(_, event)| matches!(event, Event::Message { .. }));
    assert_eq!(told.count(), 3);
}

#[test]
fn a_bot_that_was_paused_is_paused_in_the_new_playout_and_goes_on_once() {
    let mut line = Line::new(config());
    line.coughs(1_000, 1_050);
    line.moves(1_100, 4_000);
    line.run(14_000);
    let pauses = line.count(|command| *command == Command::Playout(Playout::Pause));
    let resumes = line.count(|command| *command == Command::Playout(Playout::Resume));
    assert_eq!((pauses, resumes), (2, 1), "one for each playout, and the first of them is gone");
    assert_eq!(line.context()[0], GREETING);
}

#[test]
fn a_goodbye_that_was_heard_is_followed_and_one_that_was_not_is_said() {
    let mut line = Line::greeted(config());
    line.dialogue(|cue| match cue {
        CallerTurn::Joined => ("Hi.".into(), ringway_turn::After::Nothing),
        _ => ("Thank you and goodbye.".into(), ringway_turn::After::HangUp),
    });
    line.says(1_000, 1_500, "bye");
    line.moves(2_300, 3_000);
    line.run(12_000);
    assert!(line.turn.is_over());
    assert_eq!(said_by(&line, "Bot: "), "Hi.|Thank you and goodbye.");
}

#[test]
fn an_apology_begins_anew_in_another_process() {
    let mut line = Line::new(config());
    line.at(1_000, Input::StageGone { stage: StageKind::Tts });
    line.moves(1_200, 2_000);
    line.run(9_000);
    assert_eq!(line.count(|command| matches!(command, Command::Apologise { .. })), 2);
    let end = line.when(|command| matches!(command, Command::HangUp { .. }));
    assert!(end.is_some_and(|end| end > 3_200), "{end:?}");
}

#[test]
fn wherever_a_call_moves_nothing_is_said_twice_or_lost() {
    let script = |line: &mut Line| {
        line.says(4_500, 5_100, "one");
        line.says(8_500, 9_300, "two");
    };
    let mut whole = Line::new(config());
    script(&mut whole);
    whole.run(20_000);
    for moved in (300..4_400).step_by(130).chain((5_700..8_300).step_by(130)) {
        let mut line = Line::new(config());
        script(&mut line);
        // Nobody speaks into the hole.
        line.moves(moved, 150);
        line.run(20_000);
        assert_eq!(line.context(), whole.context(), "at {moved}");
        let told = line.events().filter(|(_, event)| matches!(event, Event::Message { .. }));
        assert_eq!(told.count(), whole.context().len(), "at {moved}");
    }
}

#[test]
fn wherever_a_call_moves_to_one_that_hears_and_speaks_by_itself_nothing_is_lost() {
    for moved in (300..4_400).chain(5_340..8_300).step_by(70) {
        let mut line = Line::new(config());
        line.says(4_500, 5_100, "one");
        // Nobody speaks into the hole.
        line.moves_to_one(moved, 150);
        line.says(10_500, 11_300, "two");
        line.run(20_000);
        let said = said_by(&line, "Caller: ");
        assert_eq!(said, "one|two", "at {moved}");
        let expected = ["You said one.", "You said two."];
        let bot = said_by(&line, "Bot: ");
        assert!(expected.iter().all(|answer| bot.contains(answer)), "at {moved}: {bot}");
    }
}

#[test]
fn a_call_that_is_over_stays_over() {
    let mut line = in_an_answer();
    line.feed(Input::Ended { reason: EndReason::Caller });
    let mut turn = Turn::take_over(config(), line.turn.snapshot()).expect("whole");
    assert!(turn.is_over() && matches!(turn.poll(), Output::Timeout(_)));
}

#[test]
fn the_parties_of_a_call_and_an_absent_bot_move_with_it() {
    let mut line = Line::greeted(config());
    line.at(900, Input::BotAway { away: true });
    line.at(950, Input::Speaking { party: Some("Agent".into()) });
    line.moves(1_000, 2_000);
    line.says(3_500, 4_000, "hello");
    line.run(9_000);
    let agents = Message { who: Speaker::Caller, party: Some("Agent".into()), text: "hello".into() };
    assert_eq!(line.turn.context().messages.last(), Some(&agents));
    assert!(line.turn.is_bot_away());
}
