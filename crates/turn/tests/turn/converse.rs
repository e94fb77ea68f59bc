//! One stage hears and speaks by itself.

use crate::line::Line;
use ringway_turn::{CallerTurn, Command, Config, Converse, Event, Input, StageKind, Stt};
use std::time::Duration;

const S2S: StageKind = StageKind::SpeechToSpeech;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

/// The caller asks for a table at 1 s; what they said is known after `known`.
fn asked(known: u64) -> Line {
    let mut line = Line::all_in_one(config());
    line.says(1_000, 1_800, "a table for two");
    line.recogniser_takes(known);
    line
}

const ANSWERED: [&str; 3] = ["Bot: Hi.", "Caller: a table for two", "Bot: You said a table for two."];

fn answers(line: &Line) -> Vec<(CallerTurn, String)> {
    let answer = |command: &Command| match command {
        Command::Converse(Converse::Answer { caller, already, .. }) => {
            Some((caller.clone(), already.clone()))
        }
        _ => None,
    };
    line.log.iter().filter_map(|(_, command)| answer(command)).collect()
}

fn cancelled(line: &Line) -> Option<u32> {
    line.log.iter().find_map(|(_, command)| match command {
        Command::Converse(Converse::Cancel { heard, .. }) => Some(*heard),
        _ => None,
    })
}

fn replays(line: &Line) {
    let report = ringway_turn::recording::replay(line.recording.as_bytes()).expect("a recording");
    assert_eq!(report.difference, None);
}

#[test]
fn a_turn_is_answered_before_its_words_are_known_and_they_find_their_place() {
    for known in [10, 300, 2_000, 4_000] {
        let mut line = asked(known);
        line.run(8_000);
        assert_eq!(line.context()[..3], ANSWERED, "known after {known} ms");
        let by_ear = CallerTurn::Said(String::new());
        assert_eq!(answers(&line)[..2], [(CallerTurn::Joined, String::new()), (by_ear, String::new())]);
        let handed_over = line.when(|it| matches!(it, Command::Stt(Stt::Flush { .. }))).unwrap();
        assert!((1_990..2_060).contains(&handed_over), "{handed_over}");
        assert_eq!(line.count(|it| matches!(it, Command::Stt(Stt::Close { .. }))), 1);
        assert_eq!(line.count(|it| matches!(it, Command::Reply { .. } | Command::Speak { .. })), 0);
        replays(&line);
    }
}

#[test]
fn words_are_told_as_a_message_once_and_before_those_that_answer_them_unless_they_come_later() {
    for known in [10, 4_000] {
        let mut line = asked(known);
        line.run(8_000);
        let messages = line
            .events()
            .filter(|(_, event)| matches!(event, Event::Message { turn, .. } if turn.number() == 1));
        assert_eq!(messages.count(), 2, "known after {known} ms");
    }
}

#[test]
fn a_caller_who_speaks_over_the_answer_ends_it_where_they_heard_it() {
    let mut line = asked(100);
    line.says(3_000, 3_900, "no, for three");
    line.run(9_000);
    let heard = cancelled(&line).expect("the answer is broken off");
    let cleared = line.when(|it| matches!(it, Command::Converse(Converse::Cancel { .. }))).unwrap();
    let sounded = line.sound.iter().filter(|(at, _)| (2_000..=cleared).contains(at)).count();
    assert_eq!(heard as usize, sounded);
    let context = line.context();
    assert_eq!(context[..2], ANSWERED[..2]);
    let heard = context[2].strip_prefix("Bot: ").unwrap();
    assert!("You said a table for two.".starts_with(heard) && heard.len() < 20, "{heard}");
    assert_eq!(context[3..5], ["Caller: no, for three", "Bot: You said no, for three."]);
    replays(&line);
}

#[test]
fn a_cough_over_the_answer_is_nothing() {
    let mut line = asked(100);
    line.coughs(3_000, 3_060);
    line.run(6_000);
    assert_eq!(cancelled(&line), None);
    assert_eq!(line.context()[..3], ANSWERED);
    let nothing = |event: &Event| matches!(event, Event::FalseInterruption { .. });
    assert_eq!(line.events().filter(|(_, event)| nothing(event)).count(), 1);
    assert_eq!(answers(&line).len(), 2, "the cough is not answered");
}

#[test]
fn a_caller_who_goes_on_before_the_answer_sounds_continues_their_turn() {
    for known in [10, 1_000] {
        let mut line = asked(known);
        line.model_delay = 900;
        line.says(2_300, 3_200, "by the window");
        line.run(9_000);
        let said: Vec<_> = line.context().into_iter().filter(|it| it.starts_with("Caller")).collect();
        assert_eq!(said, ["Caller: a table for two by the window"], "known after {known} ms");
    }
}

#[test]
fn one_that_dies_hears_again_what_it_had_not_told() {
    for lost in [2_050, 2_090] {
        let mut line = asked(300);
        line.loses(S2S, lost, 200);
        line.run(8_000);
        assert_eq!(line.context()[..3], ANSWERED, "lost at {lost}");
        assert_eq!(line.count(|it| matches!(it, Command::Stt(Stt::Flush { .. }))), 2);
        replays(&line);
    }
}

#[test]
fn one_that_dies_while_it_speaks_goes_on_behind_what_was_heard() {
    for lost in (2_400..3_200).step_by(130) {
        let mut line = asked(20);
        line.loses(S2S, lost, 150);
        line.run(9_000);
        assert_eq!(line.context()[..3], ANSWERED, "lost at {lost}");
        let (_, already) = answers(&line).into_iter().find(|(_, already)| !already.is_empty()).unwrap();
        assert!("You said a table for two.".starts_with(&already), "{already}");
        replays(&line);
    }
}

#[test]
fn one_that_is_gone_leaves_the_turn_to_the_three() {
    for (known, gone) in [(5_000, 2_050), (5_000, 2_500), (20, 2_050), (20, 2_600)] {
        let mut line = asked(known);
        line.at(gone, Input::StageLost { stage: S2S });
        line.at(gone + 1, Input::StageGone { stage: S2S });
        line.recogniser_is_quick_from(gone + 2);
        for stage in [StageKind::Stt, StageKind::Llm, StageKind::Tts] {
            line.at(gone + 5, Input::StageReady { stage });
        }
        line.says(6_000, 6_900, "thank you");
        line.run(10_000);
        let context = line.context();
        assert_eq!(context[..2], ANSWERED[..2], "{known} {gone}: {context:?}");
        assert!(context[2].starts_with("Bot: You said a table"), "{known} {gone}: {context:?}");
        assert_eq!(context[context.len() - 2..], ["Caller: thank you", "Bot: You said thank you."]);
        assert!(line.asked().contains(&CallerTurn::Said("thank you".into())));
        replays(&line);
    }
}

#[test]
fn one_that_comes_back_between_two_turns_answers_the_next() {
    let mut line = asked(20);
    line.at(2_050, Input::StageLost { stage: S2S });
    line.at(2_051, Input::StageGone { stage: S2S });
    line.recogniser_is_quick_from(2_052);
    let three = [StageKind::Stt, StageKind::Llm, StageKind::Tts];
    for stage in three {
        line.at(2_055, Input::StageReady { stage });
    }
    for stage in three.into_iter().chain([S2S]) {
        line.at(6_500, Input::StageLost { stage });
    }
    line.at(6_501, Input::StageReady { stage: S2S });
    line.says(7_000, 7_900, "thank you");
    line.run(12_000);
    let context = line.context();
    assert_eq!(
        context[context.len() - 2..],
        ["Caller: thank you", "Bot: You said thank you."],
        "{context:?}"
    );
    assert!(!line.asked().contains(&CallerTurn::Said("thank you".into())), "the language model is not asked");
    replays(&line);
}

#[test]
fn a_service_that_tells_no_words_keeps_the_audio_of_a_few_turns_only() {
    let mut line = asked(60_000);
    for turn in 1..7_u64 {
        line.says(1_000 + 5_000 * turn, 1_900 + 5_000 * turn, "thank you");
    }
    line.run(40_000);
    assert_eq!(line.count(|it| matches!(it, Command::Stt(Stt::Flush { .. }))), 7);
    assert_eq!(line.count(|it| matches!(it, Command::Stt(Stt::Close { .. }))), 3);
    replays(&line);
}

#[test]
fn a_service_that_sees_the_end_of_the_turn_ends_it() {
    let mut line = Line::all_in_one(Config::default());
    line.says(1_000, 1_800, "a table for two");
    line.at(1_150, Input::SpeechStarted);
    line.at(2_050, Input::SpeechStopped);
    line.run(8_000);
    assert_eq!(line.context()[..3], ANSWERED);
    let handed_over = line.when(|it| matches!(it, Command::Stt(Stt::Flush { .. })));
    assert_eq!(handed_over, Some(2_050), "sooner than by our own hang-over of 700 ms");
    replays(&line);
}

#[test]
fn a_service_that_hears_speech_over_the_answer_confirms_it() {
    let mut line = asked(20);
    line.says(3_000, 3_900, "no");
    line.at(3_100, Input::SpeechStarted);
    line.at(4_300, Input::SpeechStopped);
    line.run(8_000);
    let broken_off = line.when(|it| matches!(it, Command::Converse(Converse::Cancel { .. }))).unwrap();
    assert_eq!(broken_off, 3_100);
    assert_eq!(line.context()[3..5], ["Caller: no", "Bot: You said no."]);
}

#[test]
fn a_turn_that_only_waited_for_its_words_is_answered_by_the_one_that_takes_over() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table for two");
    line.recogniser_takes(4_000);
    for stage in [StageKind::Stt, StageKind::Llm, StageKind::Tts, S2S] {
        line.at(2_400, Input::StageLost { stage });
    }
    line.at(2_410, Input::StageReady { stage: S2S });
    line.run(9_000);
    assert_eq!(line.context()[..3], ANSWERED);
    assert_eq!(line.when(|it| matches!(it, Command::Converse(Converse::Answer { .. }))), Some(2_410));
    replays(&line);
}
