//! Variables named after keys are read as the key's type asks for.

use crate::support::file;
use ringway_config::{ServerConfig, Tls};
use ringway_turn::Speculation;
use std::time::Duration;

#[test]
fn each_type_has_its_form() {
    let given = file("")
        .env("RINGWAY_SERVER__LISTEN", "127.0.0.2")
        .env("RINGWAY_SERVER__PORT", "8080")
        .env("RINGWAY_SERVER__CHAOS", "true")
        .env("RINGWAY_SERVER__DRAIN", "1500ms")
        .env("RINGWAY_SERVER__HEARTBEAT", "10s")
        .env("RINGWAY_SERVER__BROWSER_PATH", "/voice")
        .env("RINGWAY_SERVER__ALLOWED_ORIGINS", "https://a.example, http://b.example:81,")
        .env("RINGWAY_SERVER__PUBLIC_URL", "https://voice.example")
        .env("RINGWAY_SERVER__TLS", "self-signed");
    let wanted = ServerConfig {
        listen: [127, 0, 0, 2].into(),
        port: 8_080,
        chaos: true,
        drain: Duration::from_millis(1_500),
        heartbeat: Duration::from_secs(10),
        browser_path: Some("/voice".into()),
        allowed_origins: vec!["https://a.example".into(), "http://b.example:81".into()],
        public_url: Some("https://voice.example".into()),
        trusted_proxies: ringway_config::Network::LOOPBACK.to_vec(),
        tls: Some(Tls::SelfSigned),
    };
    assert_eq!(given.loaded().config.server, wanted);
}

#[test]
fn sections_nest_with_two_underscores() {
    let given = file("")
        .env("RINGWAY_CALL__STALL__VAD", "300ms")
        .env("RINGWAY_TURN__SPEECH_START", "0.7")
        .env("RINGWAY_TURN__HANG_OVER_FIXED", "200ms")
        .env("RINGWAY_TURN__MEDIA_TIMEOUT", "off")
        .env("RINGWAY_TURN__SPECULATION", "llm")
        .env("RINGWAY_TURN__KEY_END", "*")
        .env("RINGWAY_TTS__ENGINES", "scripted,flite");
    let config = given.loaded().config;
    assert_eq!(config.call.stall.vad, Duration::from_millis(300));
    assert_eq!(config.turn.speech_start, 0.7);
    assert_eq!(config.turn.hang_over_fixed, Some(Duration::from_millis(200)));
    assert_eq!(config.turn.media_timeout, None);
    assert_eq!(config.turn.speculation, Speculation::Llm);
    assert_eq!(config.turn.key_end, '*');
    assert_eq!(config.tts.engines, ["scripted", "flite"]);
}

#[test]
fn a_text_that_looks_like_a_number_stays_a_text() {
    assert_eq!(file("").env("RINGWAY_SCRIPTED__TEXT", "42").loaded().config.scripted.text, "42");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let given = file("").env("RINGWAY_SERVER__PORT", "").env("PORT", "").env("RINGWAY_SERVER__PROT", "");
    assert_eq!(given.loaded().config.server.port, 3_000);
}

#[test]
fn what_files_of_variables_leave_around_a_value_is_no_part_of_it() {
    let given = file("")
        .env("RINGWAY_SERVER__PORT", "\"8080\"\r")
        .env("RINGWAY_TURN__FILLER", "'One moment.'")
        .env("RINGWAY_SCRIPTED__TEXT", "\u{feff}yes \n")
        .env("RINGWAY_RECORDING__DIR", "\"\"");
    let config = given.loaded().config;
    assert_eq!((config.server.port, config.turn.filler.as_str()), (8_080, "One moment."));
    assert_eq!((config.scripted.text.as_str(), config.recording.dir), ("yes", None));
}

#[test]
fn mistakes_name_the_variable() {
    let given = file("")
        .env("RINGWAY_SERVER__PORT", "http")
        .env("RINGWAY_SERVER__CHAOS", "maybe")
        .env("RINGWAY_TURN__SPECULATION", "all")
        .env("RINGWAY_TRUN__FILLER", "Well.")
        .env("RINGWAY_VAD__RATE", "11025");
    let wanted = [
        "environment: RINGWAY_SERVER__CHAOS: must be true or false, not \"maybe\"",
        "environment: RINGWAY_SERVER__PORT: must be a whole number from 0 to 65535, not \"http\"",
        "environment: RINGWAY_TRUN__FILLER: unknown key; did you mean turn.filler?",
        "environment: RINGWAY_TURN__SPECULATION: must be one of off, stt, llm, tts, not \"all\"",
        "environment: RINGWAY_VAD__RATE: must be 8000 or 16000, not 11025",
    ];
    assert_eq!(given.problems(), wanted);
}

#[test]
fn one_underscore_where_two_are_due_is_told() {
    let warnings = file("").env("RINGWAY_SERVER_PORT", "80").warnings();
    assert_eq!(warnings, ["environment: RINGWAY_SERVER_PORT: ignored; did you mean RINGWAY_SERVER__PORT?"]);
}

#[test]
fn variables_of_others_are_left_alone() {
    assert_eq!(file("").env("RINGWAY_URL", "x").env("HOME", "/").env("PATH", "x").warnings(), [""; 0]);
}

#[test]
fn a_proxy_that_cannot_be_used_warns_without_its_password_and_keeps_nothing_from_starting() {
    for (variable, text) in [
        ("https_proxy", "socks5://me:horse@proxy:1080"),
        ("HTTP_PROXY", "http://me:horse@proxy:port"),
        ("all_proxy", "ftp://proxy"),
    ] {
        let warnings = file("").env(variable, text).warnings();
        assert!(warnings[0].starts_with(&format!("environment: {variable}: ignored: ")), "{warnings:?}");
        assert!(warnings.len() == 1 && !warnings[0].contains("horse"), "{warnings:?}");
    }
    let good =
        file("").env("http_proxy", "\"http://me:horse@proxy:3128\"").env("NO_PROXY", "*.lan, 10.0.0.0/8");
    assert!(good.warnings().is_empty());
}
