//! The files that come with ringway.

use crate::support::file;
use ringway_config::{Config, DEFAULTS, SCHEMA};
use std::time::Duration;

const BENCH: &str = include_str!("../../bench.toml");
const BENCH_SERVICES: &str = include_str!("../../bench-services.toml");

#[test]
fn the_default_file_holds_the_defaults() {
    assert_eq!(toml::from_str::<Config>(DEFAULTS).unwrap(), Config::default());
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
    for engines in [&config.stt, &config.llm, &config.tts] {
        assert_eq!(engines.engines, ["scripted"]);
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
