//! What is wrong with values that are well formed: those that make no sense, and files that are not there.

use crate::languages::is_code;
use crate::services::{Keyed, keyed};
use crate::{Config, DialogueConfig, LimitsConfig, Secrets, ServerConfig, Tls};
use ringway_stages::secret::named;
use ringway_stages::transfer::{self, Destination, Transfers};
use ringway_stages::{prompt, services};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// A mistake at a key.
pub(crate) type Mistake = (String, String);

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
    if config.tts_api.listen.is_some() && (config.tts_cache.dir.is_none() || config.tts_cache.disk == 0) {
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
    if config.openai_llm.max_tokens == 0 {
        mistakes.push(at("openai_llm.max_tokens", "must not be zero"));
    }
    if config.ollama.max_tokens == 0 {
        mistakes.push(at("ollama.max_tokens", "must not be zero"));
    }
    if config.anthropic.max_tokens == 0 {
        mistakes.push(at("anthropic.max_tokens", "must not be zero"));
    }
    if config.ollama.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
        mistakes.push(at("ollama.temperature", "must be from 0 to 2"));
    }
    if config.anthropic.temperature.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
        mistakes.push(at("anthropic.temperature", "must be from 0 to 1"));
    }
    if config.openai_llm.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
        mistakes.push(at("openai_llm.temperature", "must be from 0 to 2"));
    }
    mistakes.extend(recognisers(config));
    if config.circuit.failures == 0 {
        mistakes.push(at("circuit.failures", "must not be zero"));
    }
    if !(0.0..=1.0).contains(&config.circuit.rate) {
        mistakes.push(at("circuit.rate", "must be within 0 and 1"));
    }
    if !(0.1..=100.0).contains(&config.circuit.late_factor) {
        mistakes.push(at("circuit.late_factor", "must be from 0.1 to 100"));
    }
    if config.piper.length_scale.is_some_and(|value| !(0.1..=10.0).contains(&value)) {
        mistakes.push(at("piper.length_scale", "must be from 0.1 to 10"));
    }
    mistakes.extend(voices(config));
    let outside = |(key, value, least, most): (&str, Duration, Duration, Duration)| {
        let message = || format!("must be from {least:?} to {most:?}, not {value:?}");
        (!(least..=most).contains(&value)).then(|| at(key, message()))
    };
    mistakes.extend(durations(config).filter_map(outside));
    mistakes
}

/// Numbers of voices that must lie within bounds.
fn voices(config: &Config) -> Vec<Mistake> {
    let Config { openai_tts, elevenlabs, cartesia, phone_tts, .. } = config;
    let speed = Some(phone_tts.speed as f32);
    let bounds = [
        ("openai_tts.speed", openai_tts.speed, 0.25, 4.0),
        ("elevenlabs.stability", elevenlabs.stability, 0.0, 1.0),
        ("elevenlabs.similarity", elevenlabs.similarity, 0.0, 1.0),
        ("elevenlabs.speed", elevenlabs.speed, 0.7, 1.2),
        ("cartesia.speed", cartesia.speed, 0.6, 1.5),
        ("phone_tts.speed", speed, 0.1, 10.0),
    ];
    let outside = |(key, value, least, most): (&str, Option<f32>, f32, f32)| {
        let wrong = value.is_some_and(|value| !(least..=most).contains(&value));
        wrong.then(|| at(key, format!("must be from {least} to {most}")))
    };
    bounds.into_iter().filter_map(outside).collect()
}

/// What recognisers accept: <https://developers.deepgram.com/docs/flux/configuration>.
fn recognisers(config: &Config) -> Vec<Mistake> {
    let (flux, realtime) = (&config.deepgram_flux, &config.openai_realtime_stt);
    let mut mistakes = Vec::new();
    if !(0.5..=1.0).contains(&flux.end_threshold) {
        mistakes.push(at("deepgram_flux.end_threshold", "must be from 0.5 to 1"));
    }
    let most = flux.end_threshold.min(0.9);
    if flux.eager_threshold != 0.0 && !(0.3..=most).contains(&flux.eager_threshold) {
        let message = "must be 0, or from 0.3 to 0.9 and no more than end_threshold";
        mistakes.push(at("deepgram_flux.eager_threshold", message));
    }
    if !["", "near_field", "far_field"].contains(&realtime.noise_reduction.as_str()) {
        mistakes.push(at("openai_realtime_stt.noise_reduction", "must be empty, near_field or far_field"));
    }
    mistakes
}

/// A key, its duration, and the bounds of that.
type Bounded = (&'static str, Duration, Duration, Duration);

/// Durations that must lie within bounds.
fn durations(config: &Config) -> impl Iterator<Item = Bounded> {
    own_durations(config).into_iter().chain(recognisers_durations(config)).chain(speakers_durations(config))
}

fn own_durations(config: &Config) -> [Bounded; 16] {
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

/// Of services that hear.
fn recognisers_durations(config: &Config) -> [Bounded; 24] {
    let Config { openai_stt, deepgram, whisper_auto: auto, whisperlivekit: livekit, .. } = config;
    let Config { whisperlive: live, wyoming_stt: wyoming, deepgram_flux, .. } = config;
    let Config { openai_realtime_stt, cartesia_stt, .. } = config;
    [
        ("openai_stt.connect", openai_stt.connect, FRAME, HOUR),
        ("openai_stt.first_byte", openai_stt.first_byte, FRAME, HOUR),
        ("openai_stt.idle", openai_stt.idle, FRAME, HOUR),
        ("deepgram.connect", deepgram.connect, FRAME, HOUR),
        ("deepgram.finalize", deepgram.finalize, FRAME, HOUR),
        ("whisper_auto.connect", auto.connect, FRAME, HOUR),
        ("whisperlivekit.connect", livekit.connect, FRAME, HOUR),
        ("whisperlivekit.finalize", livekit.finalize, FRAME, HOUR),
        ("whisperlivekit.settle", livekit.settle, FRAME, HOUR),
        ("whisperlivekit.padding", livekit.padding, FRAME, HOUR),
        ("whisperlive.connect", live.connect, FRAME, HOUR),
        ("whisperlive.finalize", live.finalize, FRAME, HOUR),
        ("whisperlive.settle", live.settle, FRAME, HOUR),
        ("whisperlive.padding", live.padding, FRAME, HOUR),
        ("whisperlive.renew", live.renew, FRAME, HOUR),
        ("wyoming_stt.connect", wyoming.connect, FRAME, HOUR),
        ("wyoming_stt.first_byte", wyoming.first_byte, FRAME, HOUR),
        ("wyoming_stt.idle", wyoming.idle, FRAME, HOUR),
        ("deepgram_flux.connect", deepgram_flux.connect, FRAME, HOUR),
        ("deepgram_flux.finalize", deepgram_flux.finalize, FRAME, HOUR),
        ("openai_realtime_stt.connect", openai_realtime_stt.connect, FRAME, HOUR),
        ("openai_realtime_stt.finalize", openai_realtime_stt.finalize, FRAME, HOUR),
        ("cartesia_stt.connect", cartesia_stt.connect, FRAME, HOUR),
        ("cartesia_stt.finalize", cartesia_stt.finalize, FRAME, HOUR),
    ]
}

/// Of services that think, and of those that speak.
fn speakers_durations(config: &Config) -> [Bounded; 37] {
    let Config { openai_llm, ollama, anthropic, piper, phone_tts, openai_realtime, speech_server, .. } =
        config;
    let Config { openai_tts, elevenlabs, cartesia, deepgram_tts, wyoming_tts, .. } = config;
    [
        ("openai_llm.connect", openai_llm.connect, FRAME, HOUR),
        ("openai_llm.first_byte", openai_llm.first_byte, FRAME, HOUR),
        ("openai_llm.idle", openai_llm.idle, FRAME, HOUR),
        ("openai_realtime.connect", openai_realtime.connect, FRAME, HOUR),
        ("openai_realtime.first_byte", openai_realtime.first_byte, FRAME, HOUR),
        ("openai_realtime.idle", openai_realtime.idle, FRAME, HOUR),
        ("openai_realtime.renew_after", openai_realtime.renew_after, MINUTE, HOUR),
        ("speech_server.connect", speech_server.connect, FRAME, HOUR),
        ("speech_server.first_byte", speech_server.first_byte, FRAME, HOUR),
        ("speech_server.idle", speech_server.idle, FRAME, HOUR),
        ("ollama.connect", ollama.connect, FRAME, HOUR),
        ("ollama.first_byte", ollama.first_byte, FRAME, HOUR),
        ("ollama.idle", ollama.idle, FRAME, HOUR),
        ("anthropic.connect", anthropic.connect, FRAME, HOUR),
        ("anthropic.first_byte", anthropic.first_byte, FRAME, HOUR),
        ("anthropic.idle", anthropic.idle, FRAME, HOUR),
        ("piper.connect", piper.connect, FRAME, HOUR),
        ("piper.first_byte", piper.first_byte, FRAME, HOUR),
        ("piper.idle", piper.idle, FRAME, HOUR),
        ("openai_tts.connect", openai_tts.connect, FRAME, HOUR),
        ("openai_tts.first_byte", openai_tts.first_byte, FRAME, HOUR),
        ("openai_tts.idle", openai_tts.idle, FRAME, HOUR),
        ("elevenlabs.connect", elevenlabs.connect, FRAME, HOUR),
        ("elevenlabs.first_byte", elevenlabs.first_byte, FRAME, HOUR),
        ("elevenlabs.idle", elevenlabs.idle, FRAME, HOUR),
        ("cartesia.connect", cartesia.connect, FRAME, HOUR),
        ("cartesia.first_byte", cartesia.first_byte, FRAME, HOUR),
        ("cartesia.idle", cartesia.idle, FRAME, HOUR),
        ("deepgram_tts.connect", deepgram_tts.connect, FRAME, HOUR),
        ("deepgram_tts.first_byte", deepgram_tts.first_byte, FRAME, HOUR),
        ("deepgram_tts.idle", deepgram_tts.idle, FRAME, HOUR),
        ("wyoming_tts.connect", wyoming_tts.connect, FRAME, HOUR),
        ("wyoming_tts.first_byte", wyoming_tts.first_byte, FRAME, HOUR),
        ("wyoming_tts.idle", wyoming_tts.idle, FRAME, HOUR),
        ("phone_tts.connect", phone_tts.connect, FRAME, HOUR),
        ("phone_tts.first_byte", phone_tts.first_byte, FRAME, HOUR),
        ("phone_tts.idle", phone_tts.idle, FRAME, HOUR),
    ]
}

/// The engines that there are, by the key that names them.
pub const ENGINES: [(&str, &[&str]); 5] = [
    ("vad.engine", &["kernel", "ort"]),
    (ALL_IN_ONE, &[services::openai_realtime::NAME, services::speech_server::NAME]),
    (
        "stt.engines",
        &[
            "pocketsphinx",
            services::openai_stt::NAME,
            services::deepgram::NAME,
            services::whisper_auto::NAME,
            services::whisperlivekit::NAME,
            services::whisperlive::NAME,
            services::wyoming_stt::NAME,
            services::deepgram_flux::NAME,
            services::openai_realtime_stt::NAME,
            services::cartesia_stt::NAME,
            "scripted",
        ],
    ),
    (
        "llm.engines",
        &[
            "dialogue",
            services::openai_llm::NAME,
            services::ollama::NAME,
            services::anthropic::NAME,
            "scripted",
        ],
    ),
    (
        "tts.engines",
        &[
            "flite",
            services::piper::NAME,
            services::openai_tts::NAME,
            services::elevenlabs::NAME,
            services::cartesia::NAME,
            services::deepgram_tts::NAME,
            services::wyoming_tts::NAME,
            services::phone_tts::NAME,
            "scripted",
        ],
    ),
];

/// The stage that a call may do without.
const ALL_IN_ONE: &str = "speech_to_speech.engines";

fn engines(config: &Config) -> Vec<Mistake> {
    let vad = std::slice::from_ref(&config.vad.engine);
    let chosen = [
        vad,
        &config.speech_to_speech.engines,
        &config.stt.engines,
        &config.llm.engines,
        &config.tts.engines,
    ];
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
    let Config { openai_llm, ollama, anthropic, .. } = config;
    let templates = [
        (services::openai_llm::NAME, "openai_llm", &openai_llm.system, &openai_llm.greeting),
        (services::ollama::NAME, "ollama", &ollama.system, &ollama.greeting),
        (services::anthropic::NAME, "anthropic", &anthropic.system, &anthropic.greeting),
    ];
    let mut mistakes = Vec::new();
    if let Err(error) = prompt::time_zone(&config.prompt.time_zone) {
        mistakes.push(at("prompt.time_zone", error.to_string()));
    }
    for (name, section, system, greeting) in templates {
        if !config.llm.engines.iter().any(|engine| engine == name) {
            continue;
        }
        for (key, template) in [("system", system), ("greeting", greeting)] {
            let error = prompt::Template::parse(template).err();
            mistakes.extend(error.map(|error| at(&format!("{section}.{key}"), error.to_string())));
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
        Some(at(service.path, format!("{} {reason}", named(service.variable))))
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
const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Each call would pay for it in memory: 2 MB for wideband audio.
const LONGEST_RING: Duration = Duration::from_secs(60);

/// The bot would go on for so long after it was interrupted.
const LONGEST_LEAD: Duration = Duration::from_secs(1);
