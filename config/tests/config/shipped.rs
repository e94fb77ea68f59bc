//! The files that come with ringway.

use crate::support::file;
use ringway_config::{Config, DEFAULTS, SCHEMA};
use std::time::Duration;

const BENCH: &str = include_str!("../../bench.toml");
const BENCH_SERVICES: &str = include_str!("../../bench-services.toml");

#[test]
fn the_default_file_holds_the_defaults() {
    let mut written = Config::read(DEFAULTS.parse().unwrap()).unwrap();
    // Turns are taken in the language of the call, where they have none of their own.
    written.turn.language.get_or_insert_with(|| written.call.language.clone());
    assert_eq!(written, Config::default());
}

#[test]
fn the_default_file_names_every_key_once() {
    let document: toml::Table = DEFAULTS.parse().unwrap();
    for key in SCHEMA.keys() {
        let (section, name) = key.path.rsplit_once('.').unwrap();
        let (_, rest) =
            DEFAULTS.split_once(&format!("\n[{section}]\n")).unwrap_or_else(|| panic!("[{section}]"));
        let section = rest.split("\n[").next().unwrap();
        let set = section.lines().filter(|line| line.starts_with(&format!("{name} = "))).count();
        let unset = section.lines().filter(|line| line.starts_with(&format!("# {name} = "))).count();
        assert_eq!((set + unset, unset <= usize::from(key.optional)), (1, true), "{}", key.path);
    }
    assert_eq!(document.len(), SCHEMA.names("").collect::<std::collections::BTreeSet<_>>().len());
}

#[test]
fn the_default_file_has_the_embedded_engines() {
    let config = Config::default();
    assert_eq!(config.stt.engines, ["pocketsphinx"]);
    assert_eq!(config.llm.engines, ["dialogue"]);
    assert_eq!(config.tts.engines, ["flite"]);
}

#[test]
fn the_benchmark_file_has_scripted_engines_on_one_core() {
    let config = file(BENCH).loaded().config;
    for engines in [&config.stt.engines, &config.llm.engines, &config.tts.engines] {
        assert_eq!(*engines, ["scripted"]);
    }
    assert_eq!(config.limits.media_cores, 1);
    assert_eq!(config.turn.hang_over_fixed, Some(Duration::from_millis(200)));
    let scripted = &config.scripted;
    let times = [scripted.stt, scripted.llm, scripted.token, scripted.tts].map(|time| time.as_millis());
    assert_eq!(times, [50, 100, 10, 50]);
}

#[test]
fn the_benchmark_file_of_services_needs_no_key() {
    let loaded = file(BENCH_SERVICES).loaded();
    assert_eq!(loaded.config.stt.engines, ["openai_stt"]);
    assert_eq!(loaded.config.llm.engines, ["openai_llm"]);
    assert_eq!(loaded.config.tts.engines, ["piper"]);
    assert_eq!(loaded.config.turn.hang_over_fixed, file(BENCH).loaded().config.turn.hang_over_fixed);
    let streaming = file(BENCH_SERVICES).env("RINGWAY_STT__ENGINES", "deepgram").loaded();
    assert_eq!(streaming.secrets.api_key("DEEPGRAM_API_KEY"), None);
}

/// A server of one's own for everything, one for each stage, and a paid one: each with the embedded engines behind it.
#[test]
fn the_ready_files_are_right_and_keep_the_embedded_engines_behind_the_services() {
    let three = file(include_str!("../../ready/whisper-ollama-piper.toml")).loaded().config;
    let chains = [&three.stt.engines, &three.llm.engines, &three.tts.engines].map(|chain| chain.join(" "));
    assert_eq!(chains, ["whisper_auto pocketsphinx", "ollama dialogue", "piper flite"]);
    let server =
        file(include_str!("../../ready/speech-server.toml")).env("EC2_WEBSOCKET_URL", "ws://10.0.0.1:9000");
    let server = server.loaded().config;
    assert_eq!(server.speech_to_speech.engines, ["speech_server"]);
    assert_eq!(server.services.speech_server.url.host(), "10.0.0.1");
    let realtime = file(include_str!("../../ready/openai-realtime.toml")).env("OPENAI_API_KEY", "any");
    let realtime = realtime.loaded().config;
    assert_eq!(realtime.speech_to_speech.engines, ["openai_realtime"]);
    for config in [server, realtime] {
        let chains =
            [&config.stt.engines, &config.llm.engines, &config.tts.engines].map(|chain| chain.join(" "));
        assert_eq!(chains, ["pocketsphinx", "dialogue", "flite"]);
    }
}
