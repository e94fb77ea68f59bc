//! The assembly: configuration to engines, media cores, and the server.

use crate::addresses::Addresses;
use crate::admission::{Admission, Limits};
use crate::engines;
use crate::hub::Hub;
use crate::readiness::Stages;
use crate::recorder::Recorder;
use crate::sessions::{Session, Sessions, Token};
use crate::streams::Readers;
use crate::telemetry::{self, Counting};
use crate::watch_cores::BlockedCores;
use crate::webhooks::Webhooks;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use metrics_exporter_prometheus::PrometheusHandle;
use ringway_actors::{
    Awaits, CallHandle, CallSpec, Conversation, Core, EdgeKind, Engines, EventSink, MediaCore, Place,
    ServiceHealth,
};
use ringway_config::{CarrierConfig, Config, ResumeConfig, Secrets, ServerConfig};
use ringway_frame::{CallId, Format};
use ringway_stages::prompt::{self, Variables};
use ringway_stages::services::{SetupError, Webhook};
use ringway_stages::transfer::Transfers;
use ringway_wire::{ErrorCode, ProtocolError};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Events of calls that wait for the hub at most.
const EVENTS: usize = 65_536;

/// By which parameter a caller's side chooses the language that its call begins in.
pub const LANGUAGE: &str = "language";

/// What all requests and all edges share.
#[derive(Debug)]
pub struct Server {
    pub config: ServerConfig,
    pub carrier: CarrierConfig,
    pub secrets: Secrets,
    pub admission: Admission,
    pub hub: Hub,
    /// Who may bring a transport to a call in progress.
    pub sessions: Arc<Sessions>,
    /// How long calls wait for callers whose networks have failed.
    pub resume: ResumeConfig,
    pub metrics: PrometheusHandle,
    pub blocked: BlockedCores,
    engines: Arc<Engines>,
    health: Arc<ServiceHealth>,
    pools: engines::Pools,
    caching: engines::Caching,
    #[cfg(feature = "tts_api")]
    voices: engines::Voices,
    transfers: Arc<Transfers>,
    events: EventSink,
    dialogues: Vec<String>,
    default_dialogue: String,
    named: Vec<engines::Named>,
    /// Who is told of calls that ended.
    pub webhooks: Option<Webhooks>,
    recorder: Option<Recorder>,
    turn: ringway_turn::Config,
    join_within: Duration,
    time_zone: TimeZone,
    /// What people call the language that calls begin in.
    language: String,
}

/// A call that has its place.
#[derive(Debug)]
pub struct NewCall {
    /// By which edge its caller comes.
    pub edge: EdgeKind,
    /// The format of its audio, both ways.
    pub format: Format,
    /// What is known of it.
    pub arrival: Arrival,
    /// Its place.
    pub place: Place,
    /// The number of its media core.
    pub core: usize,
    /// Its caller is to come.
    pub awaited: bool,
}

/// A call that has begun.
#[derive(Debug)]
pub struct Begun {
    /// To reach it.
    pub call: CallHandle,
    /// With which its caller joins or resumes it.
    pub token: Token,
}

/// What a caller's side says when it comes.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// The dialogue that it asks for.
    pub dialogue: Option<String>,
    /// The carrier's own id of the call.
    pub carrier_call_id: Option<String>,
    /// The number of the person on the line.
    pub caller: Option<String>,
    /// Our own number.
    pub called: Option<String>,
    /// Which side placed the call, as the carrier names it.
    pub direction: Option<String>,
    /// Who or what answered an outbound call.
    pub answered_by: Option<String>,
    /// All that it passes on, by name.
    pub parameters: BTreeMap<String, String>,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// An engine cannot be used.
    #[error(transparent)]
    Engine(#[from] engines::EngineError),
    /// Connections to the receiver of records cannot even be tried.
    #[error("webhook.url: {0}")]
    Webhook(#[from] SetupError),
    /// The certificate cannot be used.
    #[error("{0}")]
    Tls(String),
    /// The metrics cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A server whose engines are not there yet.
#[derive(Debug)]
pub struct Starting {
    config: Config,
    secrets: Secrets,
    addresses: Arc<Addresses>,
}

impl Starting {
    /// Of a configuration without mistakes.
    pub fn new(config: Config, secrets: Secrets) -> Self {
        let addresses = Addresses::new(&config.limits);
        Self { config, secrets, addresses }
    }

    /// What each address holds, connections and calls alike.
    pub fn addresses(&self) -> &Arc<Addresses> {
        &self.addresses
    }

    /// Builds engines, on a thread of their own since it takes seconds, and media cores. Needs a running actix system.
    ///
    /// # Errors
    /// Whatever keeps it from serving.
    pub async fn finish(self) -> Result<Arc<Server>, StartError> {
        let Self { config, secrets, addresses } = self;
        let metrics = telemetry::install(config.metrics.enabled)?;
        let wanted = (config.clone(), secrets.clone());
        let built = tokio::task::spawn_blocking(move || engines::build(&wanted.0, &wanted.1)).await;
        let engines::Built {
            engines,
            dialogues,
            pools,
            caching,
            #[cfg(feature = "tts_api")]
            voices,
            transfers,
        } = built.map_err(std::io::Error::other)??;
        let engines = Arc::new(engines);
        telemetry::expect_services(&engines);
        let (events, reader) = EventSink::bounded(EVENTS);
        let health = Arc::new(ServiceHealth::new(&engines, &config.circuit, config.turn.late_after()));
        let cores = start_cores(&config, &engines, &health, &events);
        for core in &cores {
            core.load().heard().await;
        }
        let limits = Limits {
            calls: config.limits.calls,
            unstarted: config.limits.unstarted_sockets(),
            calls_per_recogniser: config.limits.calls_per_recogniser,
            calls_per_voice: config.limits.calls_per_voice,
            lateness: config.limits.lateness,
        };
        let loads = cores.iter().map(|core| core.load().clone()).collect();
        let named = engines::first_of_each(&config);
        let webhooks = webhooks(&config, &secrets)?;
        let mut readers = Readers::default();
        webhooks.iter().for_each(|webhooks| readers.add(webhooks.clone()));
        Ok(Arc::new(Server {
            config: config.server,
            carrier: config.carrier,
            secrets,
            admission: Admission::new(cores, engines.clone(), limits, addresses),
            sessions: Arc::default(),
            resume: config.resume,
            hub: Hub::start(reader, Counting::new(config.metrics.answer_budget), readers),
            webhooks,
            metrics,
            blocked: BlockedCores::watch(loads)?,
            engines,
            health,
            pools,
            caching,
            #[cfg(feature = "tts_api")]
            voices,
            transfers,
            events,
            dialogues,
            named,
            default_dialogue: config.dialogue.default,
            recorder: config.recording.dir.as_deref().map(Recorder::start).transpose()?,
            turn: config.turn,
            join_within: config.call.leg.dialling,
            language: ringway_config::name_of(&config.call.language),
            time_zone: prompt::time_zone(&config.prompt.time_zone).unwrap_or(TimeZone::UTC),
        }))
    }
}

impl Server {
    /// Begins a call that has its place, on the present media core.
    pub fn start_call(&self, core: &Rc<Core>, new: NewCall) -> Begun {
        let NewCall { edge, format, arrival, place, core: number, awaited } = new;
        let id = CallId::from_bits(uuid::Uuid::now_v7().as_u128());
        let mut turn = self.turn.clone();
        if edge == EdgeKind::Browser {
            // A browser may be silent for as long as its microphone is off.
            turn.media_timeout = None;
        }
        let record = self.recorder.as_ref().map(|recorder| recorder.begin(id, &turn));
        let variables = Arc::new(self.variables(id, edge, &arrival));
        let Arrival { dialogue, carrier_call_id, parameters, .. } = arrival;
        let language = parameters.get(LANGUAGE).cloned();
        let open = self.sessions.open(Session { call: id, core: number, leg: 0 });
        let token = open.token().clone();
        let kept = Box::new(open);
        let spec = CallSpec {
            id,
            edge,
            format,
            dialogue,
            language,
            carrier_call_id,
            variables,
            conversation: Conversation::new(turn),
            place,
            awaits: awaited.then_some(Awaits::Caller),
            tap: None,
            kept,
        };
        Begun { call: spec.start(core, record), token }
    }

    /// Whether a call can begin in the language of this code.
    pub fn speaks(&self, language: &str) -> bool {
        self.engines.speaks(language)
    }

    /// How long a call that was created waits for its caller.
    pub fn join_within(&self) -> Duration {
        self.join_within
    }

    /// What prompts may tell of a call.
    fn variables(&self, id: CallId, edge: EdgeKind, arrival: &Arrival) -> Variables {
        Variables {
            call_id: id.to_string(),
            carrier_call_id: arrival.carrier_call_id.clone(),
            edge: edge.name().to_owned(),
            caller: arrival.caller.clone(),
            called: arrival.called.clone(),
            direction: arrival.direction.clone(),
            answered_by: arrival.answered_by.clone(),
            parameters: arrival.parameters.clone(),
            began: Timestamp::now().to_zoned(self.time_zone.clone()),
            language: self.language.clone(),
        }
    }

    /// The error of a caller who asks for a dialogue that is not there.
    pub fn unknown_dialogue(&self, name: Option<&str>) -> Option<ProtocolError> {
        let name = name
            .filter(|name| !self.dialogues.is_empty() && !self.dialogues.iter().any(|known| known == name))?;
        let message = format!("no dialogue is named {name:?}; there are: {}", self.dialogues.join(", "));
        Some(ProtocolError::recoverable(ErrorCode::BadField, message))
    }

    /// The dialogues that callers may ask for, and which of them is served unasked.
    pub fn dialogues(&self) -> (&[String], Option<&str>) {
        let default = self.dialogues.iter().find(|name| **name == self.default_dialogue);
        (&self.dialogues, default.map(String::as_str))
    }

    /// The engines that calls begin with.
    pub fn named(&self) -> &[engines::Named] {
        &self.named
    }

    /// Which stages can serve.
    pub fn stages(&self) -> Stages {
        Stages::of(&self.engines, self.admission.loads())
    }

    /// Brings what is not counted as it happens into the metrics.
    pub fn report(&self) {
        self.pools.report();
        self.admission.report();
        telemetry::show_circuits(&self.health);
        metrics::counter!("ringway_transfers_refused_total").absolute(self.transfers.refused());
        metrics::counter!("ringway_events_dropped_total").absolute(self.events.dropped());
        metrics::gauge!("ringway_events_queued").set(self.events.queued() as f64);
        metrics::counter!("ringway_lifecycle_lost_total").absolute(self.events.lost_records());
        metrics::gauge!("ringway_lifecycle_backlog").set(self.admission.lifecycle_backlog() as f64);
        crate::logging::report();
        metrics::gauge!("ringway_capacity_left_calls").set(self.admission.left() as f64);
        self.metrics.run_upkeep();
    }

    /// What calls have left behind so far is on the disk.
    pub fn recordings_are_written(&self) -> bool {
        self.recorder.as_ref().is_none_or(Recorder::is_written)
    }

    /// The engines that serve.
    pub fn engines(&self) -> &Engines {
        &self.engines
    }

    /// Has what is said again and again made ahead; nobody waits for it.
    pub fn make_phrases(&self) {
        self.caching.fill();
    }
}

/// What the voice's own service needs.
#[cfg(feature = "tts_api")]
impl Server {
    /// The voices one by one.
    pub fn voices(&self) -> &engines::Voices {
        &self.voices
    }

    /// The speech that is kept.
    pub fn speech(&self) -> &ringway_speech_cache::Tiers {
        &self.caching.tiers
    }

    /// How turns are taken.
    pub fn turn(&self) -> &ringway_turn::Config {
        &self.turn
    }
}

fn webhooks(config: &Config, secrets: &Secrets) -> Result<Option<Webhooks>, SetupError> {
    let Some(url) = &config.webhook.url else { return Ok(None) };
    let secret = secrets.password(&config.webhook.key);
    Ok(Some(Webhooks::start(Webhook::new(url, secret, config.webhook.timeout)?)))
}

fn start_cores(
    config: &Config,
    engines: &Arc<Engines>,
    health: &Arc<ServiceHealth>,
    events: &EventSink,
) -> Vec<MediaCore> {
    let cores = match config.limits.media_cores {
        0 => std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1)),
        cores => cores,
    };
    let shared = Arc::new(config.call.clone());
    let lateness = metrics::histogram!("ringway_metronome_lateness_seconds");
    (0..cores)
        .map(|_| {
            let lateness = lateness.clone();
            let observe = move |late: Duration| lateness.record(late.as_secs_f64());
            MediaCore::start(engines.clone(), health.clone(), shared.clone(), events.clone(), observe)
        })
        .collect()
}
