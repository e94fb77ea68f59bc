//! Recordings and their replay.

use crate::line::Line;
use ringway_turn::recording::{CutAt, MAX_LINE, ReplayError, replay, replay_cut};
use ringway_turn::{Config, Input, Output, StageKind, Window};

/// A call with a cough, a barge-in, a dead voice and keys.
fn recorded() -> String {
    let mut line = Line::new(Config::default());
    line.coughs(600, 640);
    line.says(1_500, 2_200, "stop please");
    line.loses(StageKind::Tts, 3_100, 200);
    line.presses(6_000, "12#");
    line.run(30_000);
    line.recording
}

#[test]
fn a_call_replays_as_it_was() {
    let recording = recorded();
    let report = replay(recording.as_bytes()).unwrap();
    assert_eq!(report.difference, None);
    assert!(report.inputs > 900 && report.outputs > report.inputs, "{} {}", report.inputs, report.outputs);
    assert_eq!(report.inputs + report.outputs + 1, recording.lines().count() as u64);
}

#[test]
fn a_call_of_the_time_before_there_was_a_budget_replays_as_it_was() {
    let without =
        Config { answer_budget: None, give_up_after: None, speculate_on_guess: None, ..Config::default() };
    let mut line = Line::new(without);
    line.model_delay = 4_000;
    line.says(6_000, 6_800, "a table");
    line.run(20_000);
    let mut lines: Vec<String> = line.recording.lines().map(str::to_owned).collect();
    let mut header: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    header["version"] = 1.into();
    for key in ["answer_budget", "late_share", "give_up_after", "transfer_on_failure", "speculate_on_guess"] {
        header["config"].as_object_mut().unwrap().remove(key).expect("a key of this version");
    }
    lines[0] = header.to_string();
    assert_eq!(replay(lines.join("\n").as_bytes()).unwrap().difference, None);
    header["version"] = 2.into();
    lines[0] = header.to_string();
    assert!(replay(lines.join("\n").as_bytes()).unwrap().difference.is_some(), "today the model is hurried");
}

#[test]
fn the_parts_of_an_answer_that_an_older_version_told_otherwise_are_no_difference() {
    let recording = recorded();
    let told: Vec<serde_json::Value> =
        recording.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let with = |version: u32, changed: &str| {
        let mut lines = told.clone();
        lines[0]["version"] = version.into();
        let latency = lines
            .iter_mut()
            .find_map(|line| line.pointer_mut("/output/command/event/latency/latency"))
            .expect("a turn was answered");
        latency[changed]["nanos"] = 17.into();
        latency
            .as_object_mut()
            .expect("its parts")
            .retain(|part, _| version > 3 || part != "tools" && part != "rebuild");
        let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
        replay(lines.join("\n").as_bytes()).unwrap().difference
    };
    assert_eq!(with(3, "llm"), None);
    assert!(with(3, "answer").is_some() && with(4, "llm").is_some());
}

#[test]
fn a_call_that_is_cut_anywhere_replays_as_it_was() {
    let recording = recorded();
    let inputs = replay(recording.as_bytes()).unwrap().inputs;
    for behind in (1..=inputs).step_by(37).chain([inputs]) {
        let report = replay_cut(recording.as_bytes(), CutAt::Input(behind)).unwrap();
        assert_eq!((report.cut.map(|cut| cut.inputs), report.difference), (Some(behind), None));
    }
    let at = CutAt::Time(crate::line::at(2_000));
    let report = replay_cut(recording.as_bytes(), at).unwrap();
    let cut = report.cut.expect("it is longer");
    assert!(cut.at < crate::line::at(2_000) && cut.at > crate::line::at(1_900), "{cut:?}");
    assert!(report.difference.is_none() && (500..20_000).contains(&cut.bytes), "{cut:?}");
    let report = replay_cut(recording.as_bytes(), CutAt::Input(inputs + 1)).unwrap();
    assert_eq!((report.cut, report.difference), (None, None));
}

#[test]
fn recorded_timeouts_may_be_left_out() {
    let recording = recorded();
    let short: String = recording
        .lines()
        .filter(|line| !line.contains("{\"timeout\""))
        .map(|line| format!("{line}\n"))
        .collect();
    let report = replay(short.as_bytes()).unwrap();
    assert_eq!(report.difference, None);
    assert!(short.len() < recording.len());
}

#[test]
fn the_first_difference_is_named_by_its_line() {
    let recording = recorded().replacen("\"stop please\"", "\"stop it\"", 1);
    let line = 1 + recording.lines().position(|line| line.contains("stop it")).unwrap() as u64;
    let difference = replay(recording.as_bytes()).unwrap().difference.unwrap();
    assert!(difference.line > line && difference.line <= line + 2, "{} {line}", difference.line);
    assert!(format!("{:?}", difference.recorded).contains("stop please"));
    assert!(format!("{:?}", difference.replayed).contains("stop it"));
}

#[test]
fn a_command_that_is_missing_from_the_recording_is_a_difference() {
    let recording = recorded();
    let reply = recording.lines().position(|line| line.contains("\"reply\"")).unwrap();
    let without: String = recording
        .lines()
        .enumerate()
        .filter(|(at, _)| *at != reply)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    let difference = replay(without.as_bytes()).unwrap().difference.unwrap();
    assert_eq!(difference.line, reply as u64 + 1);
}

#[test]
fn a_recording_that_ends_too_early_is_a_difference() {
    let recording = recorded();
    let upto = recording.find("{\"output\":{\"command\":{\"reply\"").unwrap();
    let difference = replay(&recording.as_bytes()[..upto]).unwrap().difference.unwrap();
    assert_eq!(difference.recorded, None);
    assert!(matches!(difference.replayed, Some(Output::Command(_))));
}

#[test]
fn a_probability_that_is_no_number_is_read_back() {
    let window = Window {
        until: crate::line::at(32),
        probability: f32::NAN,
        loud_until: crate::line::at(0),
        skew: ringway_frame::Skew::ZERO,
    };
    let line = ringway_turn::recording::input_line(&Input::Window(window), crate::line::at(32));
    let header = recorded().lines().next().unwrap().to_owned();
    let report = replay(format!("{header}\n{line}").as_bytes()).unwrap();
    assert_eq!((report.inputs, report.difference), (1, None));
}

#[test]
fn malformed_recordings_are_refused_with_their_line() {
    let header = recorded().lines().next().unwrap().to_owned();
    let with = |line: &str| format!("{header}\n{line}");
    let corpus = [
        ("", "the recording is empty"),
        ("\n", "line 1: EOF"),
        ("garbage\n", "line 1: expected value"),
        ("{}\n", "line 1: missing field `version`"),
        ("[1]\n", "line 1: invalid"),
        ("{\"version\":99}\n", "the recording has version 99, not 1"),
        ("{\"version\":\"one\"}\n", "line 1: invalid type"),
        (
            "{\"version\":1,\"call\":\"\",\"started\":\"\",\"config\":{\"hang_over_open\":\"soon\"}}\n",
            "line 1: must be a number with a unit",
        ),
        (
            "{\"version\":1,\"call\":\"\",\"started\":\"\",\"config\":{\"barge_in_words\":0}}\n",
            "the recorded configuration: barge_in_words: must not be zero",
        ),
        (
            "{\"version\":1,\"call\":\"\",\"started\":\"\",\"config\":{},\"more\":1}\n",
            "line 1: unknown field `more`",
        ),
        (&with("{\"input\":{\"at\":-1,\"input\":\"tick\"}}\n"), "line 2: invalid value"),
        (&with("{\"input\":{\"at\":0,\"input\":\"shout\"}}\n"), "line 2: unknown variant `shout`"),
        (&with("{\"input\":{\"at\":0}}\n"), "line 2: missing field `input`"),
        (&with("{\"input\":{\"at\":0,\"input\":\"tick\"}} {}\n"), "line 2: trailing characters"),
        (&with("\n"), "line 2: EOF"),
        (&with("{\"input\":{\"at\":0,\"inp"), "line 2 breaks off"),
        (&with("\u{0}\n"), "line 2: expected value"),
        (&with("{\"output\":{\"timeout\":1e30}}\n"), "line 2: invalid type"),
        (&format!("{}\n", "[".repeat(10_000)), "line 1: recursion limit exceeded"),
        (&"x".repeat(MAX_LINE + 1), "line 1 is longer than 1048576 bytes"),
    ];
    for (recording, reason) in corpus {
        let error = replay(recording.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{:.60}: {error}", recording.trim_start_matches(&header));
    }
    let error = replay(&b"\xff\xfe\n"[..]).unwrap_err();
    assert!(matches!(error, ReplayError::Malformed { line: 1, .. }), "{error}");
}

#[test]
fn inputs_that_no_stage_would_send_are_survived() {
    let header = recorded().lines().next().unwrap().to_owned();
    let max = u64::MAX;
    let inputs = [
        "{\"word\":{\"epoch\":1,\"clause\":0,\"upto\":3,\"frames\":4294967295}}".to_owned(),
        "{\"token\":{\"request\":0,\"text\":\"äöü, äöü. Ä\"}}".to_owned(),
        "{\"word\":{\"epoch\":1,\"clause\":0,\"upto\":1,\"frames\":1}}".to_owned(),
        "{\"word\":{\"epoch\":1,\"clause\":0,\"upto\":9,\"frames\":1}}".to_owned(),
        "{\"played\":{\"epoch\":1,\"frames\":4294967295}}".to_owned(),
        "{\"stage_lost\":{\"stage\":\"tts\"}}".to_owned(),
        "{\"stage_ready\":{\"stage\":\"tts\"}}".to_owned(),
        "{\"clause_end\":{\"epoch\":1,\"clause\":0,\"frames\":0}}".to_owned(),
        format!("{{\"window\":{{\"until\":{max},\"probability\":1e38,\"loud_until\":{max}}}}}"),
        format!("{{\"window\":{{\"until\":{max},\"probability\":-1e38,\"loud_until\":0}}}}"),
        "{\"end_of_turn\":{\"probability\":null}}".to_owned(),
        "{\"dtmf\":{\"digit\":\"ß\"}}".to_owned(),
        "{\"interrupt\":null}".replace("{\"interrupt\":null}", "\"interrupt\""),
    ];
    for at in [0, max] {
        let lines: String = std::iter::once("\"started\"".to_owned())
            .chain(inputs.iter().cloned())
            .map(|input| format!("{{\"input\":{{\"at\":{at},\"input\":{input}}}}}\n"))
            .collect();
        let report = replay(format!("{header}\n{lines}").as_bytes()).unwrap();
        assert!(report.difference.is_some(), "the commands are not recorded");
    }
}
