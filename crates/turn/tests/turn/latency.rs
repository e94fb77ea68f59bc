//! Where the time of an answer goes: at each moment to what its first sound then waited for.

use crate::line::{Line, millis};
use ringway_turn::{Command, Config, Event, Input, Latency, RequestId, Speculation, StageKind, ToolOutcome};
use std::time::Duration;

fn fixed(hang_over: u64) -> Config {
    let hang_over = Duration::from_millis(hang_over);
    Config { hang_over_fixed: Some(hang_over), hang_over_max: Duration::from_secs(3), ..Config::default() }
}

/// A caller who says something after the greeting.
fn line(config: Config) -> Line {
    let mut line = Line::greeted(config);
    line.run(900);
    line.says(1_000, 1_800, "a table");
    line
}

/// The first answer's parts: the end of the turn, recogniser, model, tools, voice, rebuilding, playout.
fn parts(line: &Line) -> [u64; 7] {
    let latency = line.events().find_map(|(_, event)| match event {
        Event::Latency { latency, .. } => Some(*latency),
        _ => None,
    });
    let Latency { answer, end_of_turn, stt, llm, tools, tts, rebuild, playout } =
        latency.expect("a turn was answered");
    let parts = [end_of_turn, stt, llm, tools, tts, rebuild, playout];
    assert_eq!(parts.iter().sum::<Duration>(), answer, "{parts:?}");
    parts.map(millis)
}

#[test]
fn what_is_ready_before_the_turn_is_over_was_not_waited_for() {
    let mut line = line(fixed(900));
    line.run(6_000);
    let [end_of_turn, stt, llm, tools, tts, rebuild, playout] = parts(&line);
    assert!(end_of_turn >= 900 && playout <= 20, "{:?}", parts(&line));
    assert_eq!([stt, llm, tools, tts, rebuild], [0; 5]);
}

#[test]
fn a_recogniser_beyond_the_hang_over_is_waited_for_from_its_question_on() {
    let mut line = line(fixed(200));
    line.recogniser_takes(700);
    line.run(6_000);
    let [end_of_turn, stt, llm, _, tts, ..] = parts(&line);
    assert_eq!([stt, tts], [700, 50]);
    assert!(end_of_turn < 200 && llm >= 100, "{:?}", parts(&line));
}

#[test]
fn without_work_ahead_the_hang_over_comes_first_and_each_service_after_it() {
    let mut line = line(Config { speculation: Speculation::Off, ..fixed(400) });
    line.run(6_000);
    let [end_of_turn, stt, llm, tools, tts, rebuild, _] = parts(&line);
    assert!(end_of_turn >= 400 && llm >= 100, "{:?}", parts(&line));
    assert_eq!([stt, tools, tts, rebuild], [50, 0, 50, 0]);
}

#[test]
fn a_voice_that_waits_for_the_turns_end_has_its_own_time_after_it() {
    let mut line = line(Config { speculation: Speculation::Llm, ..fixed(900) });
    line.run(6_000);
    let [end_of_turn, stt, llm, _, tts, ..] = parts(&line);
    assert!(end_of_turn >= 900, "{:?}", parts(&line));
    assert_eq!([stt, llm, tts], [0, 0, 50]);
}

#[test]
fn a_filler_is_no_answer_and_the_wait_behind_it_is_for_the_model() {
    let mut line = line(Config { filler_after: Some(Duration::from_millis(1_500)), ..fixed(200) });
    line.model_delay = 6_000;
    line.run(12_000);
    let [_, stt, llm, tools, tts, rebuild, _] = parts(&line);
    assert_eq!([stt, tools, rebuild], [50, 0, 0]);
    assert!(llm >= 6_000 && (50..60).contains(&tts), "{:?}", parts(&line));
}

#[test]
fn a_reply_that_waits_until_its_filler_was_heard_waits_for_the_playout() {
    let mut line = line(Config { filler_after: Some(Duration::from_millis(1_500)), ..fixed(200) });
    line.model_delay = 1_700;
    line.run(12_000);
    let [_, stt, _, _, tts, rebuild, playout] = parts(&line);
    assert_eq!([stt, rebuild], [50, 0]);
    assert!(tts <= 50 && playout > 200, "{:?}", parts(&line));
}

#[test]
fn a_filler_before_the_words_were_understood_leaves_the_wait_to_the_recogniser() {
    let mut line = line(Config { filler_after: Some(Duration::from_millis(1_500)), ..fixed(200) });
    line.recogniser_takes(4_000);
    line.run(12_000);
    assert_eq!(parts(&line)[1], 4_000, "{:?}", parts(&line));
}

#[test]
fn tools_in_several_rounds_are_not_the_models_time() {
    let config = Config { filler_after: None, ..fixed(200) };
    let (mut line, request) = Line::waiting(config, "a table");
    let began = || Input::ToolBegan { request, tool: "find".into(), filler: None };
    for (from, to) in [(2_200, 2_700), (2_750, 3_050)] {
        line.at(from, began());
        line.at(to, ended(request));
    }
    line.at(3_100, Input::Token { request, text: "It is on its way. ".into() });
    line.run(6_000);
    let [end_of_turn, stt, llm, tools, tts, rebuild, _] = parts(&line);
    assert_eq!([stt, tools, tts, rebuild], [50, 800, 50, 0]);
    assert_eq!(end_of_turn + stt + llm + tools, 1_300);
}

fn ended(request: RequestId) -> Input {
    let (outcome, after) = (ToolOutcome::Done, Duration::from_millis(30));
    Input::ToolEnded { request, tool: "find".into(), bytes: 12, outcome, after, tokens: 0, arguments: None }
}

#[test]
fn a_stage_that_died_is_waited_for_as_such_until_it_is_back() {
    for (stage, dies) in [(StageKind::Stt, 1_940), (StageKind::Llm, 2_000), (StageKind::Tts, 2_150)] {
        let mut line = line(fixed(200));
        line.recogniser_takes(100);
        line.voice_delay = 200;
        line.loses(stage, dies, 300);
        line.run(6_000);
        assert_eq!(parts(&line)[5], 300, "{stage:?} {:?}", parts(&line));
    }
}

#[test]
fn a_detector_that_died_in_the_hang_over_is_waited_for() {
    let mut line = line(fixed(900));
    line.loses(StageKind::Vad, 2_100, 400);
    line.run(8_000);
    let [end_of_turn, stt, llm, _, tts, rebuild, _] = parts(&line);
    assert_eq!([stt, llm, tts, rebuild], [0, 0, 0, 400]);
    assert!(end_of_turn >= 400, "{:?}", parts(&line));
}

#[test]
fn a_guess_that_was_wrong_leaves_the_wait_to_the_recogniser() {
    let config = Config { speculate_on_guess: Some(Duration::from_secs(1)), ..fixed(200) };
    let mut line = line(config);
    line.recogniser_takes(600);
    let (utterance, text) = (ringway_turn::UtteranceId::default(), "a cable".to_owned());
    line.at(1_700, Input::Partial { utterance, text, complete: false });
    line.run(6_000);
    assert_eq!(parts(&line)[1], 600, "{:?}", parts(&line));
}

#[test]
fn a_guess_that_was_right_waits_for_the_transcript_at_most() {
    let config = Config { speculate_on_guess: Some(Duration::from_secs(1)), ..fixed(200) };
    let mut line = line(config);
    line.recogniser_takes(600);
    let (utterance, text) = (ringway_turn::UtteranceId::default(), "a table".to_owned());
    line.at(1_700, Input::Partial { utterance, text, complete: false });
    line.run(6_000);
    let [_, stt, llm, _, tts, ..] = parts(&line);
    assert_eq!([stt, llm, tts], [600, 0, 0]);
}

#[test]
fn two_models_that_are_asked_the_same_are_one_wait() {
    let config = Config { speculation: Speculation::Off, hedge: true, ..fixed(200) };
    let mut line = line(config);
    (line.usually, line.model_delay, line.second) = (Some(300), 5_000, Some(100));
    line.run(8_000);
    assert_eq!(line.count(|command| matches!(command, Command::Hedge { .. })), 1);
    let [_, stt, llm, tools, tts, rebuild, _] = parts(&line);
    assert_eq!([stt, tools, tts, rebuild], [50, 0, 50, 0]);
    assert!(llm >= 400, "{llm}");
}

#[test]
fn what_hears_and_speaks_by_itself_is_waited_for_as_a_model_is() {
    let mut line = Line::all_in_one(fixed(200));
    line.run(900);
    line.model_delay = 400;
    line.says(1_000, 1_800, "a table");
    line.run(6_000);
    let [end_of_turn, stt, llm, tools, tts, rebuild, _] = parts(&line);
    assert_eq!([stt, tools, tts, rebuild], [0; 4]);
    assert!(end_of_turn >= 200 && llm >= 400, "{:?}", parts(&line));
}

#[test]
fn keys_are_an_answer_at_once() {
    let mut line = Line::greeted(fixed(200));
    line.run(900);
    line.at(1_800, Input::Text { text: "a table".into() });
    line.run(6_000);
    let [end_of_turn, stt, llm, _, tts, ..] = parts(&line);
    assert_eq!([end_of_turn, stt, tts], [0, 0, 50]);
    assert!(llm >= 100, "{llm}");
}
