//! Stages die and come back inside the call.

use crate::line::Line;
use ringway_turn::{CallerTurn, Command, Config, StageKind, Stt};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

const GREETING: &str = "Bot: Hello, this is the booking line, what can I do for you.";

#[test]
fn a_voice_that_dies_while_it_speaks_repeats_at_most_the_word_in_progress() {
    for lost in (250..400).step_by(7) {
        let mut line = Line::new(config());
        line.loses(StageKind::Tts, lost, 300);
        line.run(9_000);
        assert_eq!(line.context(), [GREETING], "lost at {lost}");
        let frames = (GREETING.len() as u32 - 5) * 3;
        let heard = line.sound.len() as u32;
        assert!(heard <= frames + 8 * 3, "lost at {lost}: {heard} of {frames} frames");
    }
}

#[test]
fn a_model_that_dies_between_tokens_goes_on_behind_them() {
    for lost in (100..240).step_by(9) {
        let mut line = Line::new(config());
        line.loses(StageKind::Llm, lost, 200);
        line.run(9_000);
        assert_eq!(line.context(), [GREETING], "lost at {lost}");
        let spoken = line.spoken().join(" ");
        assert_eq!(spoken, GREETING[5..], "lost at {lost}");
    }
}

#[test]
fn a_recogniser_that_dies_while_the_caller_speaks_loses_no_word() {
    for lost in (900..2_100).step_by(97) {
        let mut line = Line::greeted(config());
        line.says(1_000, 1_800, "a table for two");
        line.loses(StageKind::Stt, lost, 250);
        line.run(8_000);
        assert_eq!(
            line.context()[1..],
            ["Caller: a table for two", "Bot: You said a table for two."],
            "lost at {lost}"
        );
        assert_eq!(line.count(|it| matches!(it, Command::Stt(Stt::Close { .. }))), 1);
    }
}

#[test]
fn detection_that_dies_while_the_caller_speaks_ends_no_turn() {
    for lost in (1_050..2_400).step_by(101) {
        let mut line = Line::greeted(config());
        line.says(1_000, 3_000, "a table for two by the window");
        line.loses(StageKind::Vad, lost, 300);
        line.run(8_000);
        assert_eq!(line.context()[1], "Caller: a table for two by the window", "lost at {lost}");
        assert_eq!(line.asked().len(), 2, "lost at {lost}");
    }
}

#[test]
fn detection_that_stays_away_is_replaced_by_the_clock() {
    let mut line = Line::greeted(config());
    line.says(1_000, 9_000, "a table");
    line.loses(StageKind::Vad, 1_500, 60_000);
    line.run(6_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said("a table".into())]);
}

#[test]
fn a_stage_that_was_not_lost_is_not_asked_twice() {
    let mut line = Line::new(config());
    for stage in [StageKind::Vad, StageKind::Stt, StageKind::Llm, StageKind::Tts] {
        line.at(300, ringway_turn::Input::StageReady { stage });
    }
    line.run(6_000);
    assert_eq!((line.asked().len(), line.context()), (1, vec![GREETING.to_owned()]));
}
