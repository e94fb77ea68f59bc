//! Whatever a file says, it is read or refused, line by line.

use crate::support::{DIALOGUES, file};
use proptest::prelude::*;
use ringway_config::{DEFAULTS, Origin, Problem, SCHEMA, fuzz};
use std::path::Path;

/// Lines that look like configuration, good and bad.
fn any_line() -> impl Strategy<Value = String> {
    let keys: Vec<String> = SCHEMA.keys().map(|key| key.path.clone()).collect();
    let key = prop_oneof![proptest::sample::select(keys), "[a-z_.]{1,12}"];
    let values = [
        "1",
        "-1",
        "1.5",
        "nan",
        "true",
        "\"1s\"",
        "\"off\"",
        "\"\"",
        "[]",
        "[\"a\"]",
        "{}",
        "1979-05-27",
        "\"",
        "=",
    ];
    let value = proptest::sample::select(values.to_vec());
    let section: Vec<String> =
        DEFAULTS.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect();
    prop_oneof![
        (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
        proptest::sample::select(section),
        "\\PC{0,20}",
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_with_a_line(contents: Vec<u8>) {
        fuzz(&contents);
    }

    #[test]
    fn what_looks_like_configuration_is_read_or_refused_with_a_line(lines in prop::collection::vec(any_line(), 0..20)) {
        fuzz(lines.join("\n").as_bytes());
    }

    #[test]
    fn any_variable_is_read_or_refused(name in "[A-Z_]{0,20}", text: String) {
        let given = file("").env(&format!("RINGWAY_{name}"), &text);
        if let Err(problems) = given.load() {
            let its = |problem: &Problem| matches!(problem.origin, Origin::Environment { .. });
            prop_assert!(problems.found.iter().all(its), "{problems}");
        }
    }
}

#[test]
fn the_fuzzers_corpus_is_read_or_refused_with_a_line() {
    let corpus = Path::new(DIALOGUES).join("../../fuzz/corpus/config");
    let inputs: Vec<_> =
        corpus.read_dir().unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty());
    inputs.iter().for_each(|contents| fuzz(contents));
}
