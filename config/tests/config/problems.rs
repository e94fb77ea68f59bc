//! All mistakes at once, each where it was made.

use crate::support::{file, lines};
use ringway_config::{Sources, load};
use std::path::PathBuf;

#[test]
fn five_mistakes_give_five_lines() {
    let text = r#"
[server]
prot = 80
chaos = "yes"

[turn]
speech_start = 1.5
key_pause = "soon"

[tts]
engines = ["flyte"]
"#;
    let wanted = [
        "a.toml:3: server.prot: unknown key; did you mean server.port?",
        "a.toml:4: server.chaos: must be true or false, not \"yes\"",
        "a.toml:7: turn.speech_start: must be within 0 and 1",
        "a.toml:8: turn.key_pause: must be a number with a unit, such as \"200ms\", \"1.5s\" or \"30m\", not \"soon\"",
        "a.toml:11: tts.engines: no engine is named \"flyte\"; there are: flite, piper, openai_tts, elevenlabs, cartesia, \
         deepgram_tts, wyoming_tts, phone_tts, scripted",
    ];
    assert_eq!(file(text).problems(), wanted);
}

#[test]
fn mistakes_of_all_sources_come_together() {
    let given = file("[limits]\ncalls = 0")
        .env("RINGWAY_VAD__RATE", "7")
        .env("RINGWAY_SERVER__PORT", "-1")
        .flag("--tls", "server.tls", "one.pem");
    let wanted = [
        "a.toml:2: limits.calls: must not be zero",
        "environment: RINGWAY_SERVER__PORT: must be a whole number from 0 to 65535, not -1",
        "environment: RINGWAY_VAD__RATE: must be 8000 or 16000, not 7",
        "flag: --tls: \"one.pem\" is neither \"self-signed\" nor CERTIFICATE,KEY",
    ];
    assert_eq!(given.problems(), wanted);
}

#[test]
fn an_unknown_key_is_told_with_the_name_that_was_meant() {
    for (text, wanted) in [
        (
            "[turn]\nhang_over_opne = \"1s\"",
            "turn.hang_over_opne: unknown key; did you mean turn.hang_over_open?",
        ),
        ("[trun]\nfiller = \"Well.\"", "trun: unknown key; did you mean turn?"),
        ("[server]\ncalls = 5", "server.calls: unknown key; did you mean limits.calls?"),
        ("port = 5", "port: unknown key; did you mean server.port?"),
        ("[server]\ncolour = 5", "server.colour: unknown key"),
    ] {
        let problems = file(text).problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].ends_with(wanted), "{problems:?}");
    }
}

#[test]
fn a_section_and_a_key_are_not_mistaken_for_each_other() {
    let problems = file("turn = 5\n[server.port]\nx = 1").problems();
    let wanted = [
        "a.toml:1: turn: must be a section: write [turn]",
        "a.toml:2: server.port: must be a whole number from 0 to 65535, not a table",
    ];
    assert_eq!(problems, wanted);
}

#[test]
fn broken_syntax_hides_no_other_mistake() {
    let problems = file("[server]\nport = = 3\nchaos = 1\n\n[limits]\ncalls = 0\n").problems();
    assert!(problems[0].starts_with("a.toml:2: "), "{problems:?}");
    let others =
        ["a.toml:3: server.chaos: must be true or false, not 1", "a.toml:6: limits.calls: must not be zero"];
    assert_eq!(problems[1..], others);
}

#[test]
fn a_mistake_that_the_environment_overrides_is_told_all_the_same() {
    let problems = file("[server]\nport = \"http\"").env("RINGWAY_SERVER__PORT", "80").problems();
    assert_eq!(problems, ["a.toml:2: server.port: must be a whole number from 0 to 65535, not \"http\""]);
}

#[test]
fn numbers_have_bounds() {
    for (text, key) in [
        ("[server]\nport = 65536", "server.port"),
        ("[turn]\nsilence_prompts = 256", "turn.silence_prompts"),
        ("[turn]\nclause_max = -1", "turn.clause_max"),
        ("[limits]\nmedia_cores = 99999", "limits.media_cores"),
        ("[flite]\nspeed = 9", "flite.speed"),
        ("[flite]\nthreads = 0", "flite.threads"),
        ("[vad]\nrate = 44100", "vad.rate"),
        ("[call.rings]\nreplay = \"3h\"", "call.rings.replay"),
        ("[call.stall]\nllm = \"0s\"", "call.stall.llm"),
        ("[server]\ndrain = \"9999999h\"", "server.drain"),
        ("[limits]\ncalls = 99999999999999999999", "limits.calls"),
    ] {
        let problems = file(text).problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(&format!("a.toml:2: {key}: ")), "{problems:?}");
    }
}

#[test]
fn a_value_that_its_type_refuses_is_shown() {
    for (text, value) in [
        ("[server]\nlisten = \"here\"", "\"here\": "),
        (
            "[server]\ndrain = \"20\"",
            "server.drain: must be a number with a unit, such as \"200ms\", \"20s\" or \"1h\", not \"20\"",
        ),
        ("[call.stall]\nllm = \"0ns\"", "call.stall.llm: must be from 20ms to 1h, not 0s"),
        (
            "[turn]\nkey_end = \"##\"",
            "turn.key_end: must be one key, 0 to 9, *, # or A to D, such as \"#\", not \"##\"",
        ),
    ] {
        let problems = file(text).problems();
        assert!(problems.len() == 1 && problems[0].contains(value), "{problems:?}");
    }
}

#[test]
fn each_stage_knows_its_engines() {
    let text = "[vad]\nengine = \"webrtc\"\n[stt]\nengines = [\"flite\"]\n[llm]\nengines = []\n[tts]\nengines = \"flite\"";
    let wanted = [
        "a.toml:2: vad.engine: no engine is named \"webrtc\"; there are: kernel, ort",
        "a.toml:4: stt.engines: no engine is named \"flite\"; there are: pocketsphinx, openai_stt, deepgram, whisper_auto, whisperlivekit, whisperlive, wyoming_stt, deepgram_flux, openai_realtime_stt, cartesia_stt, scripted",
        "a.toml:6: llm.engines: must name at least one engine; there are: dialogue, openai_llm, groq, ollama, anthropic, scripted",
        "a.toml:8: tts.engines: must be a list, each a string, not \"flite\"",
    ];
    assert_eq!(file(text).problems(), wanted);
}

#[test]
fn a_missing_file_is_told_with_the_remedy() {
    let text = "[vad]\nlibrary = \"no.so\"\nmodel = \"no.onnx\"\n[dialogue]\ndir = \"nowhere\"\n[server]\ntls = \"c.pem,k.pem\"";
    let problems = file(text).load_bare().unwrap_err();
    let wanted = [
        "a.toml:2: vad.library: no.so is not there; run `make setup`",
        "a.toml:3: vad.model: no.onnx is not there; run `make setup`",
        "a.toml:5: dialogue.dir: nowhere is not there",
        "a.toml:7: server.tls: c.pem is not there",
        "a.toml:7: server.tls: k.pem is not there",
    ];
    assert_eq!(lines(&problems), wanted);
}

#[test]
fn a_default_that_is_missing_is_blamed_on_the_first_line() {
    let elsewhere =
        file("[dialogue]\ndir = \"dialogue\"\n[vad]\nlibrary = \"Cargo.toml\"").load_bare().unwrap_err();
    let problems = lines(&elsewhere);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("a.toml:1: vad.model: .ringway/models/"), "{problems:?}");
}

#[test]
fn a_dialogue_that_is_not_there_is_told() {
    let problems = file("[dialogue]\ndefault = \"bokking\"").problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("a.toml:2: dialogue.default: /"), "{problems:?}");
    assert!(problems[0].ends_with("/dialogue/bokking.toml is not there"), "{problems:?}");
}

#[test]
fn scripts_are_not_looked_for_where_no_dialogue_is_held() {
    let text = "[llm]\nengines = [\"scripted\"]";
    let given = file(text).env("RINGWAY_DIALOGUE__DIR", "nowhere");
    assert_eq!(given.loaded().config.dialogue.dir, PathBuf::from("nowhere"));
}

#[test]
fn origins_and_the_public_address_are_looked_at() {
    let text =
        "[server]\nallowed_origins = [\"https://a.example\", \"a.example\"]\npublic_url = \"voice.example\"";
    let wanted = [
        "a.toml:2: server.allowed_origins: a list: each must be an origin such as https://shop.example, without a path",
        "a.toml:3: server.public_url: \"voice.example\": must begin with https:// or http://, then a host",
    ];
    assert_eq!(file(text).problems(), wanted);
}

#[test]
fn whom_calls_are_handed_to_is_looked_at() {
    let text = "[turn]\ntransfer_on_failure = \"sales\"\n[transfer]\nallow = [\"+43*\", \"*\"]\n\
                targets = { desk = \"the desk\", orders = \"+43 1 234\" }\n[carrier]\nsorry = \" \"";
    let wanted = [
        "a.toml:2: turn.transfer_on_failure: must be a telephone number such as +15550100, or a sip: address",
        "a.toml:4: transfer.allow: \"*\" must begin with a digit: it would permit any number",
        "a.toml:5: transfer.targets: desk: \"the desk\" must be a telephone number such as +15550100, or a sip: address",
        "a.toml:7: carrier.sorry: must not be empty",
    ];
    assert_eq!(file(text).problems(), wanted);
}

#[test]
fn what_could_be_read_is_handed_on_for_further_checks() {
    let problems = file("[server]\nport = \"x\"\n[dialogue]\ndefault = \"echo\"").load().unwrap_err();
    assert_eq!(problems.readable.config.dialogue.default, "echo");
    assert_eq!(problems.readable.config.server.port, 3_000);
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_beside_the_others() {
    let environment = [("RINGWAY_SERVER__PORT".to_owned(), "x".to_owned())];
    let problems =
        load(Sources { file: Some("no.toml".into()), environment, flags: Vec::new() }).unwrap_err();
    let found = lines(&problems);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("no.toml:1: cannot be read from /"), "{found:?}");
    assert!(found[1].starts_with("environment: RINGWAY_SERVER__PORT: "), "{found:?}");
}

#[test]
fn the_default_file_that_is_not_there_is_told_with_where_it_was_looked_for() {
    // Tests run in the package's folder, which has no folder `config`.
    let environment: [(String, String); 0] = [];
    let problems = load(Sources { file: None, environment, flags: Vec::new() }).unwrap_err();
    let here = std::env::current_dir().unwrap();
    let wanted = format!("config/default.toml:1: cannot be read from {}: ", here.display());
    assert!(problems.to_string().starts_with(&wanted), "{problems}");
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_line() {
    let sources = Sources { file: None, environment: [], flags: Vec::new() };
    let problems =
        ringway_config::parse("a.toml".as_ref(), b"[turn]\nfiller = \"\xff\"", sources).unwrap_err();
    assert!(problems.to_string().contains("a.toml:2: not UTF-8 text"), "{problems}");
}

#[test]
fn the_addresses_of_services_are_read_where_they_stand() {
    let text = "[openai_llm]\nurl = \"ftp://host/\"\n[piper]\nurl = \"localhost:5000\"\nidle = \"0s\"";
    assert_eq!(
        file(text).problems(),
        [
            "a.toml:2: openai_llm.url: \"ftp://host/\": must begin with http://, https://, ws://, wss:// or tcp://",
            "a.toml:4: piper.url: \"localhost:5000\": is no address such as https://host/path",
            "a.toml:5: piper.idle: must be from 20ms to 1h, not 0s",
        ]
    );
}

#[test]
fn mistakes_of_prompts_are_told_with_the_line_of_the_template() {
    let text = r#"
[llm]
engines = ["ollama"]

[ollama]
system = """
Be brief.
{{ parameter.name }}"""
greeting = "Hello {{ naem }}"

[openai_llm]
system = "{{"

[prompt]
time_zone = "Mars/Olympus"
"#;
    let problems = file(text).problems();
    let begins = [
        "a.toml:6: ollama.system: line 2 of the template: a call may lack this: give it a default, as in",
        "a.toml:9: ollama.greeting: line 1 of the template: there is no variable \"naem\"; there are: answered_by, call_id,",
        "a.toml:15: prompt.time_zone: ",
    ];
    assert_eq!(problems.len(), begins.len(), "{problems:?}");
    for (problem, begin) in problems.iter().zip(begins) {
        assert!(problem.starts_with(begin), "{problem}");
    }
}

#[test]
fn public_addresses_are_kept_as_typed_and_origins_as_they_are_compared() {
    let text = "[server]\nallowed_origins = [\"HTTPS://Shop.Example:443/\"]\npublic_url = \"HTTP://Voice.Example:3000/Path/\"";
    let server = file(text).loaded().config.server;
    assert_eq!(server.allowed_origins, ["https://shop.example"]);
    assert_eq!(server.public_url.as_deref(), Some("http://Voice.Example:3000/Path"));
}

#[test]
fn beyond_loopback_a_token_is_needed() {
    let open = "[server]\nlisten = \"0.0.0.0\"\n[tts_api]\nlisten = \"::\"\n[tts_cache]\ndir = \"speech\"";
    let needs = "which is not loopback, needs an API token: set RINGWAY_ADMIN_TOKEN, or listen on 127.0.0.1";
    let problems = [
        format!("a.toml:2: server.listen: 0.0.0.0:3000, {needs}"),
        format!("a.toml:4: tts_api.listen: [::]:8000, {needs}"),
    ];
    assert_eq!(file(open).problems(), problems);
    assert!(file(open).env("RINGWAY_ADMIN_TOKEN", "s3cret").load().is_ok());
    let flag = file("").flag("--listen", "server.listen", "0.0.0.0").problems();
    assert_eq!(flag, [format!("flag: --listen: 0.0.0.0:3000, {needs}")]);
}

#[test]
fn one_port_serves_one_listener() {
    let text = "[server]\nport = 8000\n[tts_api]\nlisten = \"127.0.0.1\"\nport = 8000\n[tts_cache]\ndir = \"speech\"";
    assert_eq!(
        file(text).problems(),
        ["a.toml:5: tts_api.port: is the port of server.port, at the same address"]
    );
}

#[test]
fn what_a_broken_line_may_have_set_is_not_missed() {
    let text = "[vad]\nlibrary = \"there.so\nmodel = \"there.onnx\"\n[limits]\ncalls = 0";
    let problems = lines(&file(text).load_bare().unwrap_err());
    assert!(problems[0].starts_with("a.toml:2: "), "{problems:?}");
    assert!(problems.iter().all(|problem| !problem.contains("vad.library")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("limits.calls")), "{problems:?}");
}
