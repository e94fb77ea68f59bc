//! The caller speaks over the bot.

use crate::line::Line;
use ringway_turn::{CallerTurn, Command, Config, Event, Input, Playout, Stt};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

fn is_pause(command: &Command) -> bool {
    *command == Command::Playout(Playout::Pause)
}

fn is_clear(command: &Command) -> bool {
    matches!(command, Command::Playout(Playout::Clear { .. }))
}

fn false_interruptions(line: &Line) -> usize {
    line.count(|command| matches!(command, Command::Event(Event::FalseInterruption { .. })))
}

/// The greeting sounds from about 300 ms to 3.6 s.
const GREETING: &str = "Bot: Hello, this is the booking line, what can I do for you.";

#[test]
fn the_bot_pauses_at_the_first_sign_and_stops_when_it_is_speech() {
    let mut line = Line::new(config());
    line.says(1_000, 1_800, "stop please");
    line.run(6_000);
    let (pause, clear) = (line.when(is_pause).unwrap(), line.when(is_clear).unwrap());
    assert!((1_000..=1_064).contains(&pause), "{pause}");
    assert!((1_200..=1_264).contains(&clear), "{clear}");
    assert!(!line.sounds_between(pause + 1, 1_800));
    assert_eq!(line.context()[1..], ["Caller: stop please", "Bot: You said stop please."]);
}

#[test]
fn the_context_keeps_only_the_words_that_were_heard() {
    let mut line = Line::new(config());
    line.says(1_500, 2_300, "stop please");
    line.run(6_000);
    let heard = &line.context()[0];
    let played = line.sound.iter().filter(|(time, _)| *time < 1_800).count();
    let whole = GREETING.strip_prefix("Bot: ").unwrap();
    let text = heard.strip_prefix("Bot: ").unwrap();
    assert!(whole.starts_with(text) && text.len() * 3 <= played, "{text} in {played} frames");
    let next = whole[text.len()..].trim_start().split(' ').next().unwrap();
    assert!((text.len() + 1 + next.len()) * 3 > played, "{text} in {played} frames, {next} was heard too");
}

#[test]
fn a_cough_pauses_the_bot_and_no_word_is_lost() {
    let mut line = Line::new(config());
    line.coughs(1_000, 1_050);
    line.run(8_000);
    assert_eq!(line.count(is_pause), 1);
    assert_eq!(line.count(is_clear), 0);
    assert_eq!(false_interruptions(&line), 1);
    assert_eq!(line.context(), [GREETING]);
    assert_eq!(line.asked(), [CallerTurn::Joined]);
}

#[test]
fn what_a_recogniser_makes_of_a_noise_does_not_stop_the_bot() {
    for noise in ["[BLANK_AUDIO]", "(wind blowing)", "*sighs*", "♪♪", "...", ".", "?"] {
        let mut line = Line::new(config());
        line.says(1_000, 1_080, noise);
        line.run(8_000);
        assert_eq!((line.count(is_clear), false_interruptions(&line)), (0, 1), "{noise}");
        assert_eq!(line.asked(), [CallerTurn::Joined], "{noise}");
        assert_eq!(line.context(), [GREETING], "{noise}");
    }
}

#[test]
fn a_guess_at_a_noise_does_not_stop_the_bot() {
    let mut line = Line::new(config());
    line.coughs(1_000, 1_080);
    let utterance = ringway_turn::UtteranceId::default();
    line.at(1_090, Input::Partial { utterance, text: "[BLANK".into(), complete: false });
    line.run(8_000);
    assert_eq!((line.count(is_clear), false_interruptions(&line)), (0, 1));
}

#[test]
fn a_phrase_that_is_heard_in_noise_is_ignored_where_it_is_configured() {
    let heard = |ignored_phrases: Vec<String>, words| {
        let mut line = Line::new(Config { ignored_phrases, ..config() });
        line.says(1_000, 1_080, words);
        line.run(8_000);
        (line.count(is_clear), line.asked().len())
    };
    let phrases = || vec!["thank you".to_owned()];
    assert_eq!(heard(Vec::new(), "Thank you."), (1, 2));
    assert_eq!(heard(phrases(), "Thank you."), (0, 1));
    assert_eq!(heard(phrases(), "Thank you. Thank you."), (0, 1));
    assert_eq!(heard(phrases(), "Thank you, Anna."), (1, 2));
}

#[test]
fn a_backchannel_does_not_stop_the_bot() {
    let mut line = Line::new(config());
    line.says(1_000, 1_080, "mhm");
    line.run(8_000);
    assert_eq!((line.count(is_clear), false_interruptions(&line)), (0, 1));
    assert_eq!(line.context(), [GREETING]);
    assert_eq!(line.count(|command| matches!(command, Command::Stt(Stt::Drop { .. }))), 1);
}

#[test]
fn a_long_backchannel_known_from_its_partial_does_not_stop_the_bot() {
    let mut line = Line::new(config());
    line.says(1_000, 1_400, "mm-hmm");
    let utterance = ringway_turn::UtteranceId::default();
    line.at(1_100, Input::Partial { utterance, text: "Mm-hmm,".into(), complete: false });
    line.run(8_000);
    assert_eq!((line.count(is_clear), false_interruptions(&line)), (0, 1));
    assert_eq!(line.context(), [GREETING]);
}

#[test]
fn a_short_word_stops_the_bot_when_it_is_understood() {
    let mut line = Line::new(config());
    line.says(1_000, 1_080, "no");
    line.run(6_000);
    assert_eq!(line.count(|command| matches!(command, Command::Event(Event::BargeIn { .. }))), 1);
    assert_eq!(line.context()[1..], ["Caller: no", "Bot: You said no."]);
}

#[test]
fn a_short_word_counts_even_when_the_bot_has_gone_on_meanwhile() {
    let mut line = Line::new(config());
    line.recogniser_takes(900);
    line.says(1_000, 1_080, "no");
    line.run(8_000);
    assert_eq!(false_interruptions(&line), 1);
    assert!(line.sounds_between(1_600, 1_900), "the bot went on");
    assert_eq!(line.count(|command| matches!(command, Command::Event(Event::BargeIn { .. }))), 1);
    assert_eq!(line.context()[1..], ["Caller: no", "Bot: You said no."]);
}

#[test]
fn a_word_counts_even_when_the_bot_has_finished_meanwhile() {
    let mut line = Line::greeted(config());
    line.recogniser_takes(1_500);
    line.says(300, 380, "tuesday");
    line.run(8_000);
    assert_eq!(line.context(), ["Bot: Hi.", "Caller: tuesday", "Bot: You said tuesday."]);
}

#[test]
fn a_barge_in_of_which_nothing_was_understood_is_answered() {
    let mut line = Line::new(config());
    line.says(1_000, 1_300, "");
    line.run(6_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said(String::new())]);
}

#[test]
fn several_words_can_be_asked_for() {
    let mut line = Line::new(Config { barge_in_words: 2, ..config() });
    line.says(1_000, 1_080, "no");
    line.run(8_000);
    assert_eq!(line.context(), [GREETING]);
}

#[test]
fn the_caller_may_ask_the_bot_to_be_quiet() {
    let mut line = Line::new(config());
    line.at(1_000, Input::Interrupt);
    line.run(5_000);
    assert!(!line.sounds_between(1_001, 5_000));
    assert_eq!(line.context().len(), 1);
    assert!(line.context()[0].len() < GREETING.len());
}

#[test]
fn speech_before_the_bot_is_audible_cancels_its_answer() {
    let mut line = Line::greeted(config());
    line.model_delay = 500;
    line.says(1_500, 2_000, "a table");
    line.says(2_400, 3_000, "no wait");
    line.run(8_000);
    assert!(!line.sounds_between(1_500, 3_000));
    assert_eq!(line.context()[1..], ["Caller: a table no wait", "Bot: You said a table no wait."]);
}

#[test]
fn a_cough_before_the_bot_is_audible_only_delays_its_answer() {
    let mut line = Line::greeted(config());
    line.model_delay = 500;
    line.says(1_500, 2_000, "a table");
    line.coughs(2_400, 2_440);
    line.run(8_000);
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said a table."]);
    assert_eq!(line.asked().len(), 2);
}
