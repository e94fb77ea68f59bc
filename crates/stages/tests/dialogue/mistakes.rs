//! Every mistake is told with its line, and all at once.

use crate::support::{dialogues, root, shipped};
use ringway_stages::dialogue::Dialogues;
use ringway_stages::transfer;
use std::path::Path;
use std::sync::Arc;

/// What is told of a dialogue, one mistake a line.
fn told(text: &str) -> Vec<String> {
    let diagnostics = dialogues(&[("test", text)]).err().unwrap_or_default();
    diagnostics.iter().map(ToString::to_string).collect()
}

/// A state that asks, with these lines in its choice and these behind.
fn asking(choice: &str, rest: &str) -> String {
    format!(
        "start = \"ask\"\nno_match.say = \"Sorry?\"\n[state.ask]\nprompt = \"What?\"\n[[state.ask.choice]]\n{choice}\n{rest}"
    )
}

#[test]
fn mistakes_of_all_kinds_are_told_at_once_in_the_order_of_the_file() {
    let text = r#"start = "mian"
[state.main]
prompt = "Sales or support, {name}?"
[[state.main.choice]]
phrases = ["sales", 3]
goto = "sails"
[[state.main.choice]]
phrases = ["Support!", "xyzzy"]
say = "One {"
[[state.main.choice]]
answer = "maybe"
keys = ["x"]
[state.lost]
prompt = "Nobody comes here."
colour = "red"
"#;
    assert_eq!(
        told(text),
        [
            r#"test.toml:1: start: there is no state "mian"; there are: lost, main"#,
            r#"test.toml:2: state.main: no way leads to state "main""#,
            r#"test.toml:2: state.main.no_match: missing: nothing is said to a caller who is not understood; add it here or to the dialogue"#,
            r#"test.toml:5: state.main.choice[1].phrases[2]: must be a string, not integer"#,
            r#"test.toml:6: state.main.choice[1].goto: there is no state "sails"; there are: lost, main"#,
            r#"test.toml:7: state.main.choice[2]: says nothing and leads nowhere: give it say, goto, repeat, transfer or hang_up"#,
            r#"test.toml:8: state.main.choice[2].phrases[1]: must be in small letters, without punctuation: write "support""#,
            r#"test.toml:8: state.main.choice[2].phrases[2]: no pronunciation of "xyzzy" is known, so it cannot be recognised"#,
            r#"test.toml:9: state.main.choice[2].say: a { has no }"#,
            r#"test.toml:10: state.main.choice[3]: answers to nothing: give it phrases, keys, answer, digits or number"#,
            r#"test.toml:10: state.main.choice[3]: says nothing and leads nowhere: give it say, goto, repeat, transfer or hang_up"#,
            r#"test.toml:11: state.main.choice[3].answer: must be yes, no, day, time or anything, not "maybe""#,
            r#"test.toml:12: state.main.choice[3].keys[1]: must be keys of a telephone: 0 to 9, * and #"#,
            r#"test.toml:13: state.lost: dead end: it hears nothing; give it a choice, goto, transfer or hang_up"#,
            r#"test.toml:13: state.lost: no way leads to state "lost""#,
            r#"test.toml:15: state.lost.colour: unknown key; here may be: again, choice, goto, hang_up, no_input, no_match, prompt, transfer"#,
        ]
    );
}

#[test]
fn bad_toml_is_told_once_a_line_beside_what_can_still_be_read() {
    let text = "start = 1\n[state.main]\nprompt = \"Hello\nprompt = \"twice\"\n[state.other\n[state.third]\nprompt = 2\n";
    assert_eq!(
        told(text),
        [
            "test.toml:1: start: must be a string, not integer",
            "test.toml:3: invalid basic string, expected `\"`",
            "test.toml:4: duplicate key",
            "test.toml:5: unclosed table, expected `]`",
            "test.toml:7: state.third.prompt: must be a string, not integer",
        ]
    );
}

#[test]
fn two_choices_that_understand_the_same_are_ambiguous() {
    let first = |patterns: &str| format!("{patterns}\nsay = \"First.\"");
    for (one, other, both) in [
        (r#"phrases = ["sales"]"#, r#"phrases = ["support", "the sales"]"#, r#""the sales" too"#),
        (r#"answer = "yes""#, r#"phrases = ["of course"]"#, r#""of course" too"#),
        (r#"number = "1..12""#, r#"digits = "1""#, r#""one" too"#),
        (r#"answer = "time""#, r#"digits = "4""#, "too"),
        (r#"answer = "time""#, r#"number = "10..20""#, r#""ten" too"#),
        (r#"keys = ["1", "2"]"#, r#"keys = ["3", "2"]"#, "keys 2 too"),
        (r#"digits = "1..4""#, r#"keys = ["11"]"#, "keys 11 too"),
        (r#"answer = "day""#, r#"keys = ["7"]"#, "keys 7 too"),
        (r#"answer = "anything""#, r#"answer = "anything""#, "anything too"),
    ] {
        let other = format!("[[state.ask.choice]]\n{other}\nsay = \"Second.\"");
        let told = told(&asking(&first(one), &other));
        let blamed = told.iter().any(|line| {
            line.starts_with("test.toml:8: state.ask.choice[2]: ambiguous: the choice of line 5 answers to")
                && line.ends_with(both)
        });
        assert!(blamed, "{one} and {other}: {told:#?}");
    }
}

#[test]
fn a_states_own_choice_may_stand_before_that_of_everywhere() {
    let everywhere = "[[everywhere]]\nphrases = [\"sales\"]\nsay = \"Everywhere.\"";
    assert_eq!(told(&asking("phrases = [\"sales\"]\nsay = \"Here.\"", everywhere)), [""; 0]);
}

#[test]
fn a_slot_is_said_only_where_every_way_has_set_it() {
    let slots = |rest: &str| told(&asking("phrases = [\"sales\"]\nset.who = \"Sal\"\ngoto = \"end\"", rest));
    let end = "[state.end]\nprompt = \"Bye {who}.\"\nhang_up = true";
    assert_eq!(slots(end), [""; 0]);
    let another_way = format!("[[state.ask.choice]]\nkeys = [\"9\"]\ngoto = \"end\"\n{end}");
    assert_eq!(
        slots(&another_way),
        [
            r#"test.toml:13: state.end.prompt: slot "who" may not be known yet: some way to state "end" does not set it"#
        ]
    );
    let misspelt = end.replace("{who}", "{whom}");
    assert_eq!(slots(&misspelt), [r#"test.toml:10: state.end.prompt: slot "whom" is never set"#]);
}

#[test]
fn a_caller_is_never_left_without_a_word() {
    for (choice, rest, mistake) in [
        (
            "keys = [\"9\"]\nhang_up = true",
            "",
            "5: state.ask.choice[1].say: missing: the caller would be hung up on",
        ),
        (
            "keys = [\"9\"]\nsay = \"Ok.\"",
            "[no_input]\nlimit = 3",
            "8: no_input.finally.say: missing: the caller would be hung up on",
        ),
        (
            "keys = [\"9\"]\nsay = \"Ok.\"",
            "[no_input.finally]\nsay = \"Bye.\"",
            "8: no_input.finally: is never reached: give a limit",
        ),
        ("keys = [\"9\"]\ngoto = \"a\"", "[state.a]\ngoto = \"a\"", "8: state.a: goes round in a circle"),
        ("keys = [\"9\"]\ngoto = \"a\"", "[state.a]\nprompt = \"A.\"", "8: state.a: dead end"),
        (
            "keys = [\"9\"]\ngoto = \"a\"",
            "[state.a]\n[[state.a.choice]]\nkeys = [\"1\"]\nsay = \"One.\"",
            "8: state.a.prompt: missing: the caller would not know",
        ),
    ] {
        let told = told(&asking(choice, rest));
        assert!(
            told.iter().any(|line| line.starts_with(&format!("test.toml:{mistake}"))),
            "{rest}: {told:#?}"
        );
    }
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    for (choice, mistake) in [
        ("phrases = [\"?\"]\nsay = \"Ok.\"", "6: state.ask.choice[1].phrases[1]: has no words"),
        (
            "phrases = [\"gate 12\"]\nsay = \"Ok.\"",
            "6: state.ask.choice[1].phrases[1]: write numbers as they are spoken: \"gate twelve\"",
        ),
        ("digits = \"0\"\nsay = \"Ok.\"", "6: state.ask.choice[1].digits: must be like \"1\" or \"1..20\""),
        (
            "number = \"5..1\"\nsay = \"Ok.\"",
            "6: state.ask.choice[1].number: must be like \"0\" or \"0..99\"",
        ),
        ("keys = [\"12#\"]\nsay = \"Ok.\"", "6: state.ask.choice[1].keys[1]: # ends an answer"),
        (
            "keys = [\"1\"]\nslot = \"k\"\nsay = \"Ok.\"",
            "5: state.ask.choice[1].slot: would always keep the same",
        ),
        (
            "keys = [\"1\"]\nanswer = \"yes\"\nslot = \"k\"\nsay = \"Ok.\"",
            "5: state.ask.choice[1].slot: would keep the key where one is pressed",
        ),
        ("digits = \"3\"\nslot = \"PIN\"\nsay = \"Ok.\"", "7: state.ask.choice[1].slot: a slot's name is"),
        (
            "keys = [\"1\"]\ntransfer = \"sales\"",
            "7: state.ask.choice[1].transfer: must be a telephone number",
        ),
        ("keys = [\"1\"]\ngoto = \"ask\"\nrepeat = true", "5: state.ask.choice[1]: may do only one of"),
        (
            "answer = \"anything\"\nslot = \"to\"\ntransfer = \"{to}\"",
            "8: state.ask.choice[1].transfer: slot \"to\" may be no number: the choice of line 5 keeps words in it",
        ),
    ] {
        let told = told(&asking(choice, ""));
        assert!(
            told.iter().any(|line| line.starts_with(&format!("test.toml:{mistake}"))),
            "{choice}: {told:#?}"
        );
    }
    let number = "digits = \"3..8\"\nslot = \"to\"\ntransfer = \"{to}\"";
    assert_eq!(told(&asking(number, "")), [""; 0]);
}

#[test]
fn a_caller_may_only_choose_a_number_that_is_listed() {
    let choice = "digits = \"3..8\"\nslot = \"to\"\ntransfer = \"{to}\"";
    let dialogues = || dialogues(&[("test", &asking(choice, ""))]).unwrap();
    let vain = dialogues().with_transfers(Arc::default()).unwrap_err();
    assert_eq!(
        vain[0].to_string(),
        "test.toml:8: state.ask.choice[1].transfer: the caller chooses the number: list those that may be dialled in \
         transfer.allow or transfer.targets"
    );
    let config = transfer::Config { allow: vec!["47xx".into()], ..transfer::Config::default() };
    let transfers = Arc::new(transfer::Transfers::new(&config).unwrap());
    assert!(dialogues().with_transfers(transfers).is_ok());
    let fixed = "keys = [\"1\"]\ntransfer = \"+15550100\"";
    let fixed = crate::support::dialogues(&[("test", &asking(fixed, ""))]).unwrap();
    assert!(fixed.with_transfers(Arc::default()).is_ok(), "the operator has written it");
}

#[test]
fn no_input_limits_must_be_counts() {
    for limit in ["0", "256", "-1", "\"3\"", "1.5"] {
        let told = told(&asking("keys = [\"1\"]\nsay = \"Ok.\"", &format!("[no_input]\nlimit = {limit}")));
        assert_eq!(told, ["test.toml:9: no_input.limit: must be a whole number from 1 to 255"], "{limit}");
    }
}

#[test]
fn mistakes_of_several_files_come_together() {
    let found = dialogues(&[("a", "start = \"x\""), ("b", "start = \"y\"")]).unwrap_err();
    let files: Vec<_> = found.iter().map(|diagnostic| diagnostic.file.as_path()).collect();
    assert_eq!(files, [Path::new("a.toml"), Path::new("b.toml")]);
    assert_eq!(told(""), ["test.toml:1: start: missing: it names the first state"]);
    let missing = Dialogues::load(&root().join("config/nowhere"), &|_| true).unwrap_err();
    assert!(missing[0].to_string().contains("config/nowhere:1: cannot be read: "), "{}", missing[0]);
    let empty = Dialogues::load(&root().join("crates/stages/src"), &|_| true).unwrap_err();
    assert!(empty[0].message.ends_with("no .toml file is in it"), "{}", empty[0]);
}

#[test]
fn every_word_that_is_listened_for_is_listed_with_its_place() {
    let words: Vec<_> = shipped().words().collect();
    let of = |wanted: &str| -> Vec<(usize, &str)> {
        let places = words.iter().filter(|listened| listened.word == wanted);
        places.map(|listened| (listened.line, listened.key.as_str())).collect()
    };
    let booking = std::fs::read_to_string(root().join("config/dialogue/booking.toml")).unwrap();
    let line = |text: &str| booking.lines().position(|line| line.contains(text)).unwrap() + 1;
    assert_eq!(of("human"), [(line("a human"), "everywhere[1].phrases[2]")]);
    assert_eq!(of("nine"), [(line("number = ") - 1, "state.hour.choice[1]")]);
    let named = ["monday", "sunday", "one", "yes", "course", "operator", "goodbye", "stop"];
    assert!(named.iter().all(|word| !of(word).is_empty()));
    assert!(words.iter().all(|listened| listened.file.is_file()));
}

#[test]
fn a_word_of_a_built_in_answer_must_have_a_pronunciation_too() {
    let text = asking("digits = \"4\"\nslot = \"pin\"\nsay = \"Ok.\"", "");
    let found = Dialogues::parse([("test", "test.toml", &text)], &|word| word != "seven").unwrap_err();
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "test.toml:5: state.ask.choice[1]: no pronunciation of \"seven\" is known, so it cannot be recognised"
        ]
    );
}

#[test]
fn the_state_for_machines_is_there() {
    let dialogue =
        asking("keys = [\"1\"]\nsay = \"Ok.\"", "").replacen("start", "machine = \"tape\"\nstart", 1);
    assert_eq!(told(&dialogue), ["test.toml:1: machine: there is no state \"tape\"; there are: ask"]);
}
