use crate::support::server::root;
use serde_json::Value;
use std::process::{Command, Output};

fn doctor(config: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(["doctor", "--json", "--config", config])
        .envs(variables.iter().copied())
        .current_dir(root())
        .output()
        .expect("the binary")
}

#[test]
fn the_embedded_engines_are_well_and_understand_each_other() {
    let output = doctor("config/default.toml", &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let engines: Vec<_> = report["engines"].as_array().unwrap().iter().map(|line| &line["engine"]).collect();
    assert!(["kernel", "ort"].iter().any(|vad| engines[0] == vad), "{engines:?}");
    assert_eq!(engines[1..], ["flite", "pocketsphinx", "dialogue"]);
    assert_eq!(report["engines"][2]["detail"], "understood \"yes\"");
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let output = doctor("config/bench.toml", &[("RINGWAY_VAD__MODEL", "no/such/model.onnx")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no/such/model.onnx"), "{output:?}");
}

/// Nor is anything judged by a voice that is none.
#[test]
fn an_engine_that_says_nothing_is_not_well() {
    let output = doctor("config/default.toml", &[("RINGWAY_TTS__ENGINES", "scripted,flite")]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let detail = |index: usize| report["engines"][index]["detail"].as_str().unwrap().to_owned();
    assert!(detail(0).contains("a tone"), "the first voice speaks for the others: {report}");
    let silent = doctor("config/bench.toml", &[("RINGWAY_SCRIPTED__REPLY", " ")]);
    assert_eq!(silent.status.code(), Some(1), "{silent:?}");
    assert!(String::from_utf8_lossy(&silent.stdout).contains("it said nothing"), "{silent:?}");
}
