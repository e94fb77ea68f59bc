//! What is wrong with values that are well formed: those that make no sense, and files that are not there.

use crate::engines::ENGINES;
use crate::language_key::is_code;
use crate::mistake::Mistake;
use crate::services::{Keyed, keyed, serving};
use crate::{Config, DialogueConfig, LimitsConfig, Secrets, ServerConfig, Tls};
use ringway_stages::secret::named;
use ringway_stages::services::registry::{self, Section, Stage};
use ringway_stages::transfer::{self, Destination, Transfers};
use ringway_stages::{humane, prompt};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// All mistakes, by key.
pub(crate) fn mistakes(config: &Config, secrets: &Secrets) -> Vec<Mistake> {
    let turn = config.turn.problems();
    let mut mistakes: Vec<Mistake> =
        turn.iter().map(|problem| (format!("turn.{}", problem.key), problem.reason.to_owned())).collect();
    mistakes.extend(server(config));
    mistakes.extend(listeners(config, secrets));
    mistakes.extend(carrier(config));
    mistakes.extend(tts_api(config));
    mistakes.extend(numbers(config));
    mistakes.extend(engines(config));
    mistakes.extend(services(config));
    mistakes.extend(prompts(config));
    mistakes.extend(keys(config, secrets));
    mistakes.extend(files(config));
    mistakes.extend(crate::knowledge::mistakes(config));
    mistakes
}

fn server(config: &Config) -> Vec<Mistake> {
    let server = &config.server;
    let mut mistakes = Vec::new();
    if server.browser_path.as_deref().is_some_and(|path| !is_free_path(path)) {
        let message = "must be a path of letters, digits, - and _ that nothing else is served at";
        mistakes.push(at("server.browser_path", message));
    }
    mistakes
}

/// Others could reach a server that asks for no token.
fn listeners(config: &Config, secrets: &Secrets) -> Vec<Mistake> {
    let (ours, voice) = (config.server.address(), config.tts_api.address());
    let mut mistakes = Vec::new();
    for (key, address) in [("server.listen", Some(ours)), ("tts_api.listen", voice)] {
        let is_open = |address: &SocketAddr| !address.ip().is_loopback() && secrets.admin_token.is_none();
        mistakes.extend(address.filter(is_open).map(|address| {
            let message = format!(
                "{address}, which is not loopback, needs an API token: set {}, or listen on 127.0.0.1",
                Secrets::ADMIN_TOKEN
            );
            at(key, message)
        }));
    }
    if voice.is_some_and(|voice| voice == ours && voice.port() != 0) {
        mistakes.push(at("tts_api.port", "is the port of server.port, at the same address"));
    }
    mistakes
}

fn carrier(config: &Config) -> Vec<Mistake> {
    let transfers = Transfers::new(&config.transfer).err().unwrap_or_default();
    let told = |problem: transfer::Problem| at(&format!("transfer.{}", problem.key), problem.message);
    let mut mistakes: Vec<Mistake> = transfers.into_iter().map(told).collect();
    let on_failure = config.turn.transfer_on_failure.as_deref().map(Destination::written);
    if let Some(Err(error)) = on_failure {
        mistakes.push(at("turn.transfer_on_failure", error.to_string()));
    }
    let spoken = [
        ("carrier.sorry", &config.carrier.sorry),
        ("carrier.sorry_language", &config.carrier.sorry_language),
    ];
    mistakes.extend(
        spoken
            .into_iter()
            .filter(|(_, text)| text.trim().is_empty())
            .map(|(key, _)| at(key, "must not be empty")),
    );
    mistakes
}

/// It answers with the names of files.
fn tts_api(config: &Config) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if config.tts_api.listen.is_some() && !cfg!(feature = "tts_api") {
        mistakes.push(at(
            "tts_api.listen",
            "this build does not serve its voice: it was built without the feature `tts_api`",
        ));
    } else if config.tts_api.listen.is_some()
        && (config.tts_cache.dir.is_none() || config.tts_cache.disk == 0)
    {
        mistakes.push(at(
            "tts_api.listen",
            "needs tts_cache.dir and tts_cache.disk: its answers are files there",
        ));
    }
    if config.tts_api.requests == 0 {
        mistakes.push(at("tts_api.requests", "must not be zero"));
    }
    if config.tts_api.longest_text == 0 {
        mistakes.push(at("tts_api.longest_text", "must not be zero"));
    }
    mistakes
}

/// Files of the page have a dot in their names.
fn is_free_path(path: &str) -> bool {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '/');
    let first = path.split('/').nth(1).unwrap_or_default();
    let taken = ["", "api", "media", "health", "metrics"].contains(&first);
    path.starts_with('/') && !taken && !path.ends_with('/') && !path.contains("//") && path.chars().all(plain)
}

fn numbers(config: &Config) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if !is_code(&config.call.language) {
        let message = "must be a language's code of letters, digits and -, such as en or pt-BR";
        mistakes.push(at("call.language", message));
    }
    if config.limits.calls == 0 {
        mistakes.push(at("limits.calls", "must not be zero"));
    }
    if config.limits.connections == 0 {
        mistakes.push(at("limits.connections", "must not be zero"));
    }
    if config.limits.media_cores > MOST_CORES {
        mistakes.push(at("limits.media_cores", format!("must be at most {MOST_CORES}")));
    }
    if !VAD_RATES.contains(&config.vad.rate) {
        mistakes.push(at("vad.rate", format!("must be 8000 or 16000, not {}", config.vad.rate)));
    }
    if config.circuit.failures == 0 {
        mistakes.push(at("circuit.failures", "must not be zero"));
    }
    if !(0.0..=1.0).contains(&config.circuit.rate) {
        mistakes.push(at("circuit.rate", "must be within 0 and 1"));
    }
    if !(0.1..=100.0).contains(&config.circuit.late_factor) {
        mistakes.push(at("circuit.late_factor", "must be from 0.1 to 100"));
    }
    let outside = |(key, value, least, most): (&str, Duration, Duration, Duration)| {
        (!(least..=most).contains(&value)).then(|| at(key, humane::outside(least, most, value)))
    };
    mistakes.extend(durations(config).into_iter().filter_map(outside));
    mistakes
}

/// What services say of their own sections.
fn services(config: &Config) -> Vec<Mistake> {
    let of = |(name, section): (&str, &dyn Section)| {
        let told = move |problem: registry::Problem| at(&format!("{name}.{}", problem.key), problem.message);
        section.problems().into_iter().map(told).collect::<Vec<_>>()
    };
    config.services.all().flat_map(of).collect()
}

/// A key, its duration, and the bounds of that.
type Bounded = (&'static str, Duration, Duration, Duration);

/// Durations that must lie within bounds of their own; what services may take is checked where it is read.
fn durations(config: &Config) -> [Bounded; 16] {
    let (ServerConfig { drain, .. }, LimitsConfig { lateness, .. }) = (&config.server, &config.limits);
    let ringway_actors::Config { restart, stall, rings, playout, .. } = &config.call;
    [
        ("server.drain", *drain, Duration::ZERO, DAY),
        ("limits.lateness", *lateness, Duration::ZERO, HOUR),
        ("metrics.answer_budget", config.metrics.answer_budget, FRAME, HOUR),
        ("circuit.window", config.circuit.window, SECOND, HOUR),
        ("circuit.wait", config.circuit.wait, FRAME, config.circuit.wait_max),
        ("circuit.wait_max", config.circuit.wait_max, FRAME, DAY),
        ("call.restart.within", restart.within, FRAME, HOUR),
        ("call.stall.vad", stall.vad, FRAME, HOUR),
        ("call.stall.stt", stall.stt, FRAME, HOUR),
        ("call.stall.llm", stall.llm, FRAME, HOUR),
        ("call.stall.tts", stall.tts, FRAME, HOUR),
        ("call.stall.s2s", stall.s2s, FRAME, HOUR),
        ("call.rings.mic", rings.mic, FRAME, LONGEST_RING),
        ("call.rings.replay", rings.replay, FRAME, LONGEST_RING),
        ("call.rings.voice", rings.voice, FRAME, LONGEST_RING),
        ("call.playout.lead", playout.lead, FRAME, LONGEST_LEAD),
    ]
}

/// The stage that a call may do without.
const ALL_IN_ONE: &str = Stage::SpeechToSpeech.key();

fn engines(config: &Config) -> Vec<Mistake> {
    let vad = std::slice::from_ref(&config.vad.engine);
    let stages = Stage::ALL.map(|stage| config.engines(stage));
    let chosen = std::iter::once(vad).chain(stages);
    let mut mistakes = Vec::new();
    for ((key, known), names) in ENGINES.iter().zip(chosen) {
        if names.is_empty() && *key != ALL_IN_ONE {
            mistakes.push(at(key, format!("must name at least one engine; there are: {}", known.join(", "))));
        }
        for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
            mistakes.push(at(key, format!("no engine is named {name:?}; there are: {}", known.join(", "))));
        }
    }
    let voices = &config.tts;
    for name in voices.normalize.iter().filter(|name| !voices.engines.contains(name)) {
        mistakes.push(at("tts.normalize", format!("{name:?} is not among tts.engines")));
    }
    mistakes
}

/// The templates of the services that serve.
fn prompts(config: &Config) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if let Err(error) = prompt::time_zone(&config.prompt.time_zone) {
        mistakes.push(at("prompt.time_zone", error.to_string()));
    }
    for (name, section) in serving(config) {
        for (key, template) in section.entry().templates {
            let error = prompt::Template::parse(template).err();
            mistakes.extend(error.map(|error| at(&format!("{name}.{key}"), error.to_string())));
        }
    }
    mistakes
}

/// A vendor's own service without its key would refuse every call.
fn keys(config: &Config, secrets: &Secrets) -> Vec<Mistake> {
    let wrong = |service: Keyed<'_>| {
        let reason = match secrets.password(service.variable) {
            None if service.needs_key() => "is not set",
            Some(key) if service.sends_header() && !key.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
                "has characters that no key has, such as letters with accents"
            }
            _ => return None,
        };
        Some(at(&service.path, format!("{} {reason}", named(service.variable))))
    };
    keyed(config).filter_map(wrong).collect()
}

fn files(config: &Config) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (key, path) in [("vad.library", &config.vad.library), ("vad.model", &config.vad.model)] {
        mistakes.extend(missing(key, path, path.is_file(), "; run `make setup`"));
    }
    if config.stt.engines.iter().any(|name| name == "pocketsphinx") {
        let found = config.pocketsphinx.model.missing().into_iter();
        mistakes.extend(found.map(|path| {
            let message =
                format!("{} is not there; the Debian package pocketsphinx-en-us has it", path.display());
            at("pocketsphinx.model", message)
        }));
    }
    if config.llm.engines.iter().any(|name| name == "dialogue") {
        mistakes.extend(dialogues(&config.dialogue));
    }
    if let Some(file) = &config.tools.file {
        mistakes.extend(missing("tools.file", file, file.is_file(), ""));
    }
    if let Some(Tls::Files { certificate, key }) = &config.server.tls {
        let files = [certificate, key];
        mistakes.extend(files.into_iter().filter_map(|path| missing("server.tls", path, path.is_file(), "")));
    }
    mistakes
}

/// The scripts themselves are `ringway check`'s to read.
fn dialogues(config: &DialogueConfig) -> Option<Mistake> {
    let DialogueConfig { dir, default } = config;
    let script = dir.join(format!("{default}.toml"));
    missing("dialogue.dir", dir, dir.is_dir(), "")
        .or_else(|| missing("dialogue.default", &script, script.is_file(), ""))
}

fn missing(key: &str, path: &Path, is_there: bool, remedy: &str) -> Option<Mistake> {
    (!is_there).then(|| at(key, format!("{} is not there{remedy}", path.display())))
}

fn at(key: &str, message: impl Into<String>) -> Mistake {
    (key.to_owned(), message.into())
}

const VAD_RATES: [u32; 2] = [8_000, 16_000];

/// More than any machine has.
const MOST_CORES: usize = 1_024;

const FRAME: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Each call would pay for it in memory: 2 MB for wideband audio.
const LONGEST_RING: Duration = Duration::from_secs(60);

/// The bot would go on for so long after it was interrupted.
const LONGEST_LEAD: Duration = Duration::from_secs(1);

#[cfg(all(test, not(feature = "tts_api")))]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_does_not_serve_its_voice_says_so_once_it_is_to_listen() {
        let mut config = Config::default();
        assert_eq!(tts_api(&config), Vec::new());
        config.tts_api.listen = Some(std::net::Ipv4Addr::LOCALHOST.into());
        let (key, message) = tts_api(&config).swap_remove(0);
        assert_eq!(key, "tts_api.listen");
        assert!(message.starts_with("this build does not serve its voice"), "{message}");
    }
}
