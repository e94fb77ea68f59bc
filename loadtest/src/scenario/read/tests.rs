use super::*;

fn read(text: &str) -> Result<Vec<Kind>, String> {
    let mut repertoire = Repertoire::of_tones(&[30]);
    kinds(text, Path::new("calls/own.toml"), &mut repertoire).map_err(|problems| problems.to_string())
}

fn problems(text: &str) -> Vec<String> {
    read(text).unwrap_err().lines().map(str::to_owned).collect()
}

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn steps_are_names_or_tables_of_one_name() {
    let kinds =
        read(r#"round = ["say", { think = "1s" }, { barge_in = { after = ["100ms", "200ms"] } }]"#).unwrap();
    let words: Words = [0].into();
    let wanted = [
        Step::Say(words.clone()),
        Step::Think(MS(1_000)..MS(1_000)),
        Step::Listen(MS(100)..MS(200)),
        Step::Interrupt(words),
    ];
    assert_eq!(kinds[0].round, wanted);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line() {
    let found = problems(
        r#"abuot = "typo"
opening = ["say", "sya"]
round = [
  { say = { file = "missing.wav", lang = "en" } },
  { think = "soon" },
  { network = { loss = 2 } },
  { dtmf = "1x" },
]
"#,
    );
    let wanted = [
        r#"calls/own.toml:1: unknown key "abuot"; here may be: about, kind, opening, round"#,
        r#"calls/own.toml:2: unknown step "sya"; there are: await_greeting, say"#,
        "calls/own.toml:4: calls/missing.wav: No such file",
        r#"calls/own.toml:4: unknown key "lang"; here may be: file, pause, prompt, text"#,
        r#"calls/own.toml:5: think: "soon" is not a time"#,
        "calls/own.toml:6: loss must be a number from 0 to 1",
        "calls/own.toml:7: dtmf is one or more of",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found}\n{wanted}");
    }
}

#[test]
fn a_recorded_prompt_that_is_not_there_is_named() {
    let found = problems("round = [{ say = { prompt = [\"no-such-prompt\"] } }]");
    assert!(found[0].starts_with(r#"calls/own.toml:1: no recorded prompt "no-such-prompt""#), "{found:?}");
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let found = problems("about = \"good\"\nround = [\n");
    assert!(!found.is_empty() && found[0].starts_with("calls/own.toml:"), "{found:?}");
}

#[test]
fn a_round_in_which_no_time_passes_is_refused() {
    for round in [r#"["await_answer"]"#, r#"["hear_out", { think = "0s" }]"#, r#"[{ cough = {} }]"#] {
        let found = problems(&format!("round = {round}"));
        assert!(found[0].contains("a round takes no time"), "{found:?}");
    }
    assert!(problems("about = \"nothing\"")[0].contains("nothing is done"));
}

#[test]
fn steps_without_their_value_are_refused() {
    for (step, wanted) in [
        ("\"think\"", "think needs a value"),
        ("{ await_answer = \"1s\" }", "takes no value"),
        ("{ say = {}, think = \"1s\" }", "a table with its name as the only key"),
        ("17", "a step is no integer"),
        ("{ say = { pause = { after = \"1s\" } } }", "a pause needs its length"),
        ("{ think = [\"2s\", \"1s\"] }", "ends before it begins"),
        ("{ hang_up = { file = \"x.wav\" } }", "says something only with `after`"),
        ("{ repeat = { times = 2 } }", "repeat needs times and steps"),
    ] {
        let found = problems(&format!("round = [\"say\", {step}]"));
        assert!(found.iter().any(|problem| problem.contains(wanted)), "{step}: {found:?}");
    }
}

#[test]
fn repetitions_are_bounded() {
    let inner = r#"{ repeat = { times = 1000, steps = ["say"] } }"#;
    let found = problems(&format!("round = [{{ repeat = {{ times = 1000, steps = [{inner}] }} }}]"));
    assert!(found[0].contains("more than 10000 steps"), "{found:?}");
}
