//! docs/operate/configuration.md tells what the types and the shipped file tell.

use ringway_config::{ALIASES, DEFAULTS, ENGINES, Key, Kind, Meaning, SCHEMA, default_of};
use ringway_stages::services::Services;
use ringway_stages::services::registry::Stage;
use toml::Value;

const DOCUMENT: &str = include_str!("../../../docs/operate/configuration.md");
const SERVICES: &str = include_str!("../../../docs/start/services.md");

#[test]
fn every_key_has_its_row() {
    let rows: Vec<String> = SCHEMA.keys().map(row).collect();
    assert!(table("## Keys") == rows, "the rows should be:\n{}", rows.join("\n"));
}

#[test]
fn every_alias_has_its_row() {
    let rows: Vec<String> = ALIASES
        .iter()
        .map(|alias| {
            let meaning = match alias.meaning {
                Meaning::Key(key) | Meaning::Url(key, ..) | Meaning::Path(key) => format!("`{key}`"),
                Meaning::Fixed(values) => format!("always `{}`", values.join("` or `")),
                Meaning::Millis(key) => format!("`{key}`"),
                Meaning::Host(key) => format!("`{key}`, its host"),
                Meaning::Port(key) => format!("`{key}`, its port"),
                Meaning::Log => "how much is logged, where `RUST_LOG` does not say".to_owned(),
                Meaning::NotYet(feature) => format!("not yet: {feature}"),
            };
            format!("| `{}` | {meaning} |", alias.variable)
        })
        .collect();
    assert!(table("## Names of other systems") == rows, "the rows should be:\n{}", rows.join("\n"));
}

#[test]
fn every_service_has_its_row_with_its_stage_and_the_variable_of_its_key() {
    let services = Services::default();
    for (name, section) in services.all() {
        let row = SERVICES.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let cells: Vec<&str> = row.unwrap_or_else(|| panic!("{name} has no row")).split('|').collect();
        let entry = section.entry();
        let stage = match entry.stage {
            Stage::SpeechToSpeech => "all in one",
            Stage::SpeechToText => "STT",
            Stage::LanguageModel => "LLM",
            Stage::TextToSpeech => "TTS",
        };
        assert_eq!(cells[2].trim(), stage, "{name}");
        let key = entry.key.map_or("none".to_owned(), |key| format!("`{key}`"));
        assert!(cells[4].trim().starts_with(&key), "{name}: {} is not {key}", cells[4]);
    }
}

#[test]
fn the_shipped_file_names_the_engines_of_each_stage() {
    for stage in Stage::ALL {
        let (_, engines) = ENGINES.iter().find(|(key, _)| *key == stage.key()).unwrap();
        let told = meaning(SCHEMA.key(stage.key()).unwrap());
        let words: Vec<&str> = told.split([' ', ',', ':', '.']).collect();
        for engine in engines {
            assert!(words.contains(engine), "{}: {engine} is not among: {told}", stage.key());
        }
    }
}

/// The rows of the first table below a heading.
fn table(heading: &str) -> Vec<&'static str> {
    let (_, below) = DOCUMENT.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
    let rows = below.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    rows.take_while(|line| line.starts_with('|')).collect()
}

fn row(key: &Key) -> String {
    let default = default_of(&key.path);
    let shown = default.map_or_else(|| "not set".to_owned(), |value| format!("`{value}`"));
    format!("| `{}` | {} | {shown} | {} |", key.path, type_of(&key.kind, default), meaning(key))
}

fn type_of(kind: &Kind, default: Option<&Value>) -> String {
    match kind {
        Kind::Text if default.and_then(Value::as_str).is_some_and(is_duration) => "duration".into(),
        Kind::Text => "string".into(),
        Kind::Flag => "true or false".into(),
        Kind::Integer { least, most } if *most < u32::MAX.into() => format!("{least} to {most}"),
        Kind::Integer { .. } => "whole number".into(),
        Kind::Float => "number".into(),
        Kind::Choice(words) => words.join(", "),
        Kind::List(kind) => format!("list of {}s", type_of(kind, None)),
        Kind::Any => "any".into(),
    }
}

fn is_duration(text: &str) -> bool {
    text == "off" || (text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(['s', 'm', 'h']))
}

/// The comment above the key in the shipped file.
fn meaning(key: &Key) -> String {
    let (section, name) = key.path.rsplit_once('.').expect("every key lies in a section");
    let heading = format!("\n[{section}]\n");
    let (_, below) = DEFAULTS.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
    let mut comment: Vec<&str> = Vec::new();
    for line in below.lines() {
        match line.strip_prefix("# ") {
            Some(unset) if unset.starts_with(&format!("{name} = ")) => break,
            Some(text) if text.split_once(" = ").is_none_or(|(name, _)| name.contains(' ')) => {
                comment.push(text)
            }
            _ if line.starts_with(&format!("{name} = ")) => break,
            _ => comment.clear(),
        }
    }
    assert!(!comment.is_empty(), "{} is not explained in the shipped file", key.path);
    comment.join(" ")
}
