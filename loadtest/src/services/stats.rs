use super::fault::Fault;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Transcription of whole utterances.
    Stt,
    /// The streaming recogniser's socket.
    Listen,
    /// The streaming recogniser that judges turns.
    Flux,
    /// The transcription session.
    Live,
    /// The streaming recogniser that is told to finalize.
    Cartesia,
    /// Chat completions.
    Llm,
    /// The voice.
    Tts,
    /// The socket that hears and speaks.
    Realtime,
    /// The voice in OpenAI's form.
    Speech,
    /// ElevenLabs' socket.
    ElevenLabs,
    /// The socket of Cartesia's voice.
    Sonic,
    /// The socket of Deepgram's voice.
    Speak,
    /// The streaming recogniser that tells segments over and over.
    WhisperLive,
    /// Transcription of whole utterances by Wyoming.
    WyomingStt,
    /// The voice that speaks Wyoming.
    WyomingTts,
    /// The voice of a telephone system.
    PhoneTts,
}

/// Counters of all that was asked for since the start.
#[derive(Debug, Default)]
pub struct Stats {
    connections: AtomicU64,
    services: [Counters; Service::ALL.len()],
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    answered: AtomicU64,
    rejected: AtomicU64,
    abandoned: AtomicU64,
    utterances: AtomicU64,
    failures: [AtomicU64; Fault::KINDS.len()],
}

/// The counters at one time, as they are served.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// TCP connections that were opened.
    pub connections: u64,
    /// By service.
    pub services: BTreeMap<&'static str, ServiceSnapshot>,
}

/// The counters of a service at one time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSnapshot {
    /// Requests and sockets that came.
    pub requests: u64,
    /// Of them: answered to the end, with whatever failure.
    pub answered: u64,
    /// Of them: refused, since they have mistakes.
    pub rejected: u64,
    /// Of them: given up by the client before the end.
    pub abandoned: u64,
    /// Utterances transcribed on sockets.
    #[serde(skip_serializing_if = "is_zero")]
    pub utterances: u64,
    /// Failures injected, by kind.
    pub failures: BTreeMap<&'static str, u64>,
}

/// One request on its way: dropped before it is answered, it counts as abandoned.
#[derive(Debug)]
pub struct Ticket {
    stats: Arc<Stats>,
    service: Service,
    number: u64,
    settled: bool,
}

impl Service {
    /// It is a socket that hears.
    pub const fn hears(self) -> bool {
        matches!(self, Self::Listen | Self::Flux | Self::Live | Self::Cartesia | Self::WhisperLive)
    }

    /// Every one.
    pub const ALL: [Self; 16] = [
        Self::Stt,
        Self::Listen,
        Self::Flux,
        Self::Live,
        Self::Cartesia,
        Self::Llm,
        Self::Tts,
        Self::Realtime,
        Self::Speech,
        Self::ElevenLabs,
        Self::Sonic,
        Self::Speak,
        Self::WhisperLive,
        Self::WyomingStt,
        Self::WyomingTts,
        Self::PhoneTts,
    ];

    /// Its name in options and counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stt => "stt",
            Self::Listen => "listen",
            Self::Flux => "flux",
            Self::Live => "live",
            Self::Cartesia => "cartesia",
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::Realtime => "realtime",
            Self::Speech => "speech",
            Self::ElevenLabs => "elevenlabs",
            Self::Sonic => "sonic",
            Self::Speak => "speak",
            Self::WhisperLive => "whisperlive",
            Self::WyomingStt => "wyoming_stt",
            Self::WyomingTts => "wyoming_tts",
            Self::PhoneTts => "phone_tts",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Stats {
    /// A connection was opened.
    pub fn connected(&self) {
        count(&self.connections);
    }

    /// A request came; its number counts those of its service from zero.
    pub fn arrived(self: &Arc<Self>, service: Service) -> Ticket {
        let number = count(&self.of(service).requests);
        Ticket { stats: self.clone(), service, number, settled: false }
    }

    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        let services = Service::ALL.map(|service| (service.name(), self.of(service).snapshot()));
        Snapshot { connections: self.connections.load(Ordering::Relaxed), services: services.into() }
    }

    fn of(&self, service: Service) -> &Counters {
        &self.services[service as usize]
    }
}

impl Counters {
    fn snapshot(&self) -> ServiceSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let failures = Fault::KINDS.iter().zip(&self.failures);
        ServiceSnapshot {
            requests: read(&self.requests),
            answered: read(&self.answered),
            rejected: read(&self.rejected),
            abandoned: read(&self.abandoned),
            utterances: read(&self.utterances),
            failures: failures.map(|(kind, counter)| (*kind, read(counter))).collect(),
        }
    }
}

impl Ticket {
    /// Whose request it is.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// How many requests of the service came before.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// A failure strikes.
    pub fn struck(&self, fault: Fault) {
        count(&self.counters().failures[fault.kind()]);
    }

    /// An utterance on a socket was transcribed.
    pub fn utterance(&self) {
        count(&self.counters().utterances);
    }

    /// All was said that was to be said.
    pub fn answered(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            count(&self.counters().answered);
        }
    }

    /// The request has mistakes.
    pub fn rejected(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            count(&self.counters().rejected);
        }
    }

    fn counters(&self) -> &Counters {
        self.stats.of(self.service)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.settled {
            count(&self.counters().abandoned);
        }
    }
}

/// What it was before.
fn count(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed)
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_exactly_one_end() {
        let stats = Arc::new(Stats::default());
        let [mut answered, mut rejected, abandoned] = [(); 3].map(|()| stats.arrived(Service::Llm));
        assert_eq!(abandoned.number(), 2);
        answered.answered();
        answered.answered();
        rejected.rejected();
        rejected.answered();
        drop((answered, rejected, abandoned));
        let llm = &stats.snapshot().services["llm"];
        assert_eq!((llm.requests, llm.answered, llm.rejected, llm.abandoned), (3, 1, 1, 1));
        assert_eq!(stats.snapshot().services["stt"].requests, 0);
    }

    #[test]
    fn failures_are_counted_by_kind() {
        let stats = Arc::new(Stats::default());
        let ticket = stats.arrived(Service::Tts);
        ticket.struck(Fault::Status(503));
        ticket.struck(Fault::Status(500));
        ticket.struck(Fault::Hang);
        let failures = &stats.snapshot().services["tts"].failures;
        assert_eq!((failures["status"], failures["hang"], failures["cut"]), (2, 1, 0));
    }
}
