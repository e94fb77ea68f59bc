use super::config::{Config, Generation};
use super::stats::{Service, ServiceSnapshot, Snapshot};
use std::fmt::Write;
use std::net::SocketAddr;

/// What is served where, and how fast.
pub fn of(config: &Config, address: SocketAddr) -> String {
    let mut table = format!("mock services on http://{address}, seed {}\n\n", config.seed);
    for service in Service::ALL {
        for (n, path) in paths(config, service).into_iter().enumerate() {
            let name = if n == 0 { service.name() } else { "" };
            let pace = if n == 0 { pace(config, service) } else { String::new() };
            put(&mut table, name, path, &pace);
        }
    }
    put(&mut table, "models", "GET  /v1/models", "");
    put(&mut table, "counters", "GET  /stats", "");
    table
}

/// What was served, at the end.
pub fn served(snapshot: &Snapshot) -> String {
    let mut table = format!("\nserved on {} connections\n", snapshot.connections);
    let services = snapshot.services.iter().filter(|(_, service)| service.requests > 0);
    services.for_each(|(name, service)| put(&mut table, name, &counts(service), &failures(service)));
    table
}

fn put(table: &mut String, name: &str, middle: &str, right: &str) {
    let line = format!("  {name:<11} {middle:<42} {right}");
    writeln!(table, "{}", line.trim_end()).expect("a string takes all");
}

fn paths(config: &Config, service: Service) -> Vec<&'static str> {
    match service {
        Service::Stt => vec!["POST /v1/audio/transcriptions"],
        Service::Listen => vec!["GET  /v1/listen (socket)", "GET  /asr (socket)"],
        Service::Flux => vec!["GET  /v2/listen (socket)"],
        Service::Live => vec!["GET  /v1/realtime?intent= (socket)"],
        Service::Realtime => vec!["GET  /v1/realtime?model= (socket)", "GET  /speech (socket)"],
        Service::Cartesia => vec!["GET  /stt/websocket (socket)"],
        Service::Llm => {
            vec!["POST /v1/chat/completions", "POST /v1/messages", "POST /api/chat, GET /api/tags"]
        }
        Service::Speech => vec!["POST /v1/audio/speech"],
        Service::ElevenLabs => vec!["GET  /v1/text-to-speech/VOICE/... (socket)"],
        Service::Sonic => vec!["GET  /tts/websocket (socket)"],
        Service::Speak => vec!["GET  /v1/speak (socket)"],
        Service::WhisperLive => vec!["GET  /, GET /whisperlive (socket)"],
        Service::WyomingStt => vec!["Wyoming: transcribe"],
        Service::WyomingTts => vec!["Wyoming: synthesize"],
        Service::PhoneTts => vec!["POST /tts, GET /tts_cache/FILE"],
        Service::Tts => match config.tts.generation {
            Generation::Any => vec!["POST /synthesize (JSON)", "POST / (JSON or text), GET /?text="],
            Generation::Legacy => vec!["POST / (text), GET /?text="],
            Generation::RootJson => vec!["POST / (JSON)"],
            Generation::Synthesize => vec!["POST /synthesize (JSON)"],
        },
    }
}

fn pace(config: &Config, service: Service) -> String {
    let conduct = config.conduct(service);
    let mut pace = conduct.delay_ms.to_string();
    match service {
        Service::Llm => pace += &format!(", {} a token", config.llm.token_ms),
        Service::Tts => pace += &format!(", {} Hz", config.tts.rate_hz),
        _ => {}
    }
    conduct.fail.iter().for_each(|rule| pace += &format!("; {rule}"));
    pace
}

fn counts(service: &ServiceSnapshot) -> String {
    let mut counts = format!("{} requests, {} answered", service.requests, service.answered);
    let more = [
        (service.rejected, "rejected"),
        (service.abandoned, "abandoned"),
        (service.utterances, "utterances"),
    ];
    more.iter().filter(|(n, _)| *n > 0).for_each(|(n, what)| counts += &format!(", {n} {what}"));
    counts
}

fn failures(service: &ServiceSnapshot) -> String {
    let struck = service.failures.iter().filter(|(_, n)| **n > 0);
    struck.map(|(kind, n)| format!("{n} {kind}")).collect::<Vec<_>>().join(", ")
}
