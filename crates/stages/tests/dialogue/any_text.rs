//! Whatever a file says, it is a dialogue or is refused with a line; whatever a caller does is answered.

use crate::support::root;
use proptest::prelude::*;
use ringway_stages::dialogue::fuzz;

/// Lines as a dialogue may have them, good and bad.
fn any_line() -> impl Strategy<Value = String> {
    let headers = [
        "[state.a]",
        "[state.b]",
        "[[state.a.choice]]",
        "[[state.b.choice]]",
        "[[everywhere]]",
        "[no_match]",
        "[no_input]",
        "[no_input.finally]",
        "[state.a.no_match]",
        "[state",
        "[[state]]",
    ];
    let keys = [
        "start", "prompt", "again", "say", "goto", "transfer", "hang_up", "repeat", "phrases", "answer",
        "digits", "number", "keys", "slot", "set.x", "limit", "unknown",
    ];
    let values = [
        "\"a\"",
        "\"b\"",
        "\"yes\"",
        "\"day\"",
        "\"time\"",
        "\"anything\"",
        "\"{x}\"",
        "\"{\"",
        "[\"one\", \"two\"]",
        "[\"thank you\"]",
        "\"1..4\"",
        "\"+15550100\"",
        "\"x\"",
        "true",
        "2",
        "{}",
        "[]",
        "\"",
    ];
    let entry = (proptest::sample::select(keys.to_vec()), proptest::sample::select(values.to_vec()));
    prop_oneof![
        2 => proptest::sample::select(headers.map(str::to_owned).to_vec()),
        6 => entry.prop_map(|(key, value)| format!("{key} = {value}")),
        1 => "\\PC{0,20}",
    ]
}

/// A dialogue that is good, so that conversations in it are tried: two states, with any choices.
fn any_conversation() -> impl Strategy<Value = String> {
    let patterns = [
        "answer = \"yes\"",
        "answer = \"day\"",
        "number = \"0..12\"",
        "digits = \"2..4\"",
        "answer = \"time\"",
    ];
    let ends = ["goto = \"a\"", "goto = \"b\"", "repeat = true", "transfer = \"{x}1\"", "hang_up = true"];
    let choice = (proptest::sample::select(patterns.to_vec()), proptest::sample::select(ends.to_vec()));
    (choice.clone(), choice).prop_map(|((one, goes), (other, leads))| {
        format!(
            "start = \"a\"\nno_match.say = \"Sorry?\"\n[state.a]\nprompt = \"A?\"\n[[state.a.choice]]\n{one}\nset.x = \"1\"\n\
             say = \"{{x}}.\"\n{goes}\n[[state.a.choice]]\nkeys = [\"*\"]\ngoto = \"b\"\n[state.b]\nprompt = \"B?\"\n\
             [[state.b.choice]]\n{other}\nset.x = \"2\"\nsay = \"{{x}}.\"\n{leads}\n"
        )
    })
}

proptest! {
    #[test]
    fn any_bytes_are_a_dialogue_or_refused(bytes: Vec<u8>) {
        fuzz(&bytes);
    }

    #[test]
    fn what_looks_like_a_dialogue_is_one_or_refused(lines in prop::collection::vec(any_line(), 0..30)) {
        fuzz(lines.join("\n").as_bytes());
    }

    #[test]
    fn any_words_are_answered_in_a_dialogue(text in any_conversation(), said in "(not |oh |um |[a-z0-9:.' ]){0,30}") {
        fuzz(format!("{text}# \"{said}\"").as_bytes());
    }
}

#[test]
fn the_fuzzers_corpus_is_a_dialogue_or_refused() {
    let corpus = root().join("fuzz/corpus/dialogue");
    let mut inputs = 0;
    for entry in corpus.read_dir().unwrap() {
        let path = entry.unwrap().path();
        // Shown only when it panics.
        println!("{}", path.display());
        fuzz(&std::fs::read(&path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "the corpus is empty");
}
