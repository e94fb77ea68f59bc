//! Metrics from call events; the names and labels are the contract of docs/operate/metrics.md.

mod series;

use crate::access::Denied;
use crate::admission::Refused;
use crate::live::{LiveCall, REASONS, reason_name, stage_name};
use crate::refusals;
use crate::webhooks;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use ringway_actors::{
    CallEvent, CallEventKind, Cause, EdgeKind, Engines, LegState, RingReport, RingState, ServiceHealth,
    SwitchCause, THE_THREE, Winner,
};
use ringway_edges::EXCESS;
use ringway_stages::health::CircuitState;
use ringway_stages::llm::Emptiness;
use ringway_turn::{Event, Latency, StageKind};
use ringway_wire::ErrorCode;
use series::*;
use std::time::Duration;

/// Buckets of what a caller waits for, in seconds.
const WAITS: [f64; 18] =
    [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0];

/// Buckets of what the machine must do at once, in seconds.
const INSTANTS: [f64; 11] = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/// How often the exporter folds its samples into buckets.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Parts of an answer's time.
const PARTS: [&str; 7] = ["end_of_turn", "stt", "llm", "tools", "tts", "rebuild", "playout"];

/// Those that services stand behind.
const SERVED: [StageKind; 4] = [StageKind::Stt, StageKind::Llm, StageKind::Tts, StageKind::SpeechToSpeech];

/// All edges.
const EDGES: [EdgeKind; 2] = [EdgeKind::Browser, EdgeKind::Twilio];

/// How stages die.
const CAUSES: [Cause; 6] =
    [Cause::Error, Cause::Panic, Cause::Stall, Cause::Late, Cause::Refused, Cause::Unfit];

const TOKENS: [&str; 3] = ["given", "cache_read", "cache_written"];

/// What becomes of requests to services.
const OUTCOMES: [&str; 3] = ["ok", "error", "late"];

/// A call's rings.
const RINGS: [&str; 3] = ["mic", "speech", "voice"];

/// Histograms with their help and buckets.
const HISTOGRAMS: [(&str, &str, &[f64]); 7] = [
    (
        "ringway_turn_answer_seconds",
        "Arrival of the end of the caller's speech to the first audio of the answer.",
        &WAITS,
    ),
    ("ringway_turn_part_seconds", "Where the time of an answer went.", &WAITS),
    ("ringway_service_seconds", "Request to a service to the first of what it gives.", &WAITS),
    (
        "ringway_barge_in_seconds",
        "Arrival of the first sign of the caller's speech over the bot to the decision to be silent.",
        &WAITS,
    ),
    (
        "ringway_barge_in_silence_seconds",
        "The caller's speech over the bot detected to the bot's last frame at our socket, in a pause or for good.",
        &INSTANTS,
    ),
    ("ringway_barge_in_clear_seconds", "Decision to be silent to the carrier's buffer cleared.", &INSTANTS),
    ("ringway_metronome_lateness_seconds", "How late the 20 ms metronome of a media core ticks.", &INSTANTS),
];

/// Installs the process's recorder, if it is to count; else metrics go nowhere.
///
/// # Errors
/// A recorder is installed already.
pub fn install(enabled: bool) -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for (name, _, buckets) in HISTOGRAMS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)?;
    }
    if !enabled {
        return Ok(builder.build_recorder().handle());
    }
    let handle = builder.install_recorder()?;
    describe();
    begin_at_zero();
    show_build();
    Ok(handle)
}

fn describe() {
    for (name, help, _) in HISTOGRAMS {
        describe_histogram!(name, metrics::Unit::Seconds, help);
    }
    describe_gauge!("ringway_calls_active", "Calls in progress.");
    describe_gauge!("ringway_capacity_calls", "Calls that are admitted at once.");
    describe_gauge!(
        "ringway_capacity_left_calls",
        "Calls that would be admitted now besides those in progress."
    );
    describe_counter!("ringway_turns_total", "Turns that were answered.");
    describe_counter!(
        "ringway_turns_over_budget_total",
        "Turns that were answered later than the budget allows."
    );
    describe_counter!(
        "ringway_turns_unanswered_total",
        "Turns whose caller waited longer than the budget and was not answered."
    );
    describe_counter!("ringway_leg_transitions_total", "Legs that got into a state.");
    describe_gauge!("ringway_build_info", "1, with the version that runs.");
    describe_gauge!("ringway_health", "1 for the state that /health reports, 0 for the others.");
    describe_gauge!("ringway_turn_budget_seconds", "Time within which a turn is to be answered.");
    describe_counter!("ringway_service_failures_total", "Times that a service failed the stage before it.");
    describe_counter!("ringway_service_requests_total", "Requests to services, by what became of them.");
    describe_gauge!(
        "ringway_service_circuit",
        "State of a service's circuit: closed (0), half open (1) or open (2)."
    );
    describe_counter!(
        "ringway_service_switches_total",
        "Times that a call went from one service to another."
    );
    describe_counter!(
        "ringway_hedges_total",
        "Requests that were asked a second time, by who answered them first."
    );
    describe_counter!("ringway_llm_tokens_total", "Tokens that language models were given, or remembered.");
    describe_counter!("ringway_late_total", "Times that a stage kept a caller waiting for too long.");
    describe_gauge!("ringway_events_queued", "Events of calls that wait to be counted.");
    describe_gauge!("ringway_ring_depth_frames", "Frames in the fullest ring of its kind, of all calls.");
    describe_counter!("ringway_calls_total", "Calls that ended, by outcome.");
    describe_counter!("ringway_refusals_total", "Callers refused, by reason.");
    describe_counter!(
        "ringway_transfers_refused_total",
        "Transfers to numbers or names that the operator has not listed."
    );
    describe_counter!("ringway_protocol_errors_total", "Breaches of an edge's protocol.");
    describe_counter!(
        "ringway_excess_total",
        "Frames of audio and messages dropped unread because they came too fast."
    );
    describe_counter!("ringway_ring_drops_total", "Frames dropped because a ring was full.");
    describe_counter!("ringway_stage_restarts_total", "Stages rebuilt inside a call.");
    describe_counter!("ringway_events_dropped_total", "Events of calls that their reader was too late for.");
    describe_counter!(
        "ringway_webhooks_total",
        "Records of ended calls for the webhook, by what became of them."
    );
    describe_counter!(
        "ringway_log_lines_dropped_total",
        "Lines that are missing in the log: too many of a kind (limit), nobody reads (queue), not writable (write)."
    );
    describe_turns();
    describe_pools();
}

fn describe_turns() {
    describe_counter!("ringway_false_interruptions_total", "Noises over the bot after which it went on.");
    describe_counter!("ringway_context_summaries_total", "Summaries of what was said that were wanted.");
    describe_counter!("ringway_context_messages_total", "Messages that left the context of a call.");
    describe_counter!(
        "ringway_deferral_overflows_total",
        "Inputs that did not wait for a detached leg, since too many did."
    );
    describe_counter!(
        "ringway_clauses_left_out_total",
        "Clauses of replies that were not said because voices refused them."
    );
    describe_counter!("ringway_fillers_total", "Fillers spoken because an answer took too long.");
    describe_counter!(
        "ringway_speculation_wasted_total",
        "Work begun before a turn was over and thrown away."
    );
}

fn describe_pools() {
    describe_gauge!("ringway_pool_threads", "Threads of a blocking engine.");
    describe_gauge!("ringway_pool_jobs_running", "Jobs that a blocking engine works on.");
    describe_gauge!("ringway_pool_jobs_queued", "Jobs that wait for a blocking engine.");
    describe_counter!("ringway_pool_jobs_total", "Jobs that a blocking engine has done.");
    describe_counter!("ringway_pool_overloads_total", "Jobs refused because too many waited.");
    describe_counter!("ringway_knowledge_searches_total", "Searches of the knowledge base.");
    describe_counter!(
        "ringway_knowledge_words_only_total",
        "Searches by words alone because the question could not be embedded."
    );
    describe_counter!("ringway_knowledge_refused_total", "Searches refused because too many were under way.");
    describe_counter!("ringway_pool_panics_total", "Jobs that panicked and cost their engine.");
    describe_counter!("ringway_speech_cache_hits_total", "Clauses that came from the cache.");
    describe_counter!("ringway_speech_cache_misses_total", "Clauses that were not in the cache.");
    describe_counter!("ringway_speech_cache_evictions_total", "Clauses that made room for others.");
    describe_counter!("ringway_speech_cache_damaged_total", "Files of speech that could not be read.");
    describe_gauge!("ringway_speech_cache_clauses", "Clauses that are kept.");
    describe_gauge!("ringway_speech_cache_bytes", "Speech that is kept, in bytes.");
    describe_counter!(
        "ringway_pool_quarantined_total",
        "Engine threads that were abandoned because they were stuck."
    );
}

/// A series that appears with its first event hides that event from `rate()`.
fn begin_at_zero() {
    for edge in EDGES.map(EdgeKind::name) {
        gauge!("ringway_calls_active", "edge" => edge).set(0.0);
        for outcome in REASONS {
            counter!("ringway_calls_total", "edge" => edge, "outcome" => outcome).increment(0);
        }
        let _ = histogram!("ringway_turn_answer_seconds", "edge" => edge);
        counter!("ringway_turns_total", "edge" => edge).increment(0);
        counter!("ringway_turns_over_budget_total", "edge" => edge).increment(0);
        counter!("ringway_turns_unanswered_total", "edge" => edge).increment(0);
        for code in ErrorCode::ALL {
            counter!("ringway_protocol_errors_total", "edge" => edge, "code" => code.name()).increment(0);
        }
        for kind in EXCESS {
            counter!("ringway_excess_total", "edge" => edge, "kind" => kind).increment(0);
        }
    }
    for stage in StageKind::ALL {
        for cause in CAUSES {
            let labels = [("stage", stage_name(stage)), ("cause", cause.name())];
            counter!("ringway_stage_restarts_total", &labels).increment(0);
        }
        counter!("ringway_speculation_wasted_total", "stage" => stage_name(stage)).increment(0);
    }
    for stage in SERVED {
        late(stage).increment(0);
    }
    for winner in Winner::ALL {
        hedges(StageKind::Llm, winner).increment(0);
    }
    for outcome in webhooks::OUTCOMES {
        counter!("ringway_webhooks_total", "outcome" => outcome).increment(0);
    }
    for reason in Refused::REASONS.into_iter().chain(Denied::REASONS).chain(refusals::REASONS) {
        counter!("ringway_refusals_total", "reason" => reason).increment(0);
    }
    for (edge, state) in EDGES.into_iter().flat_map(|edge| LegState::ALL.map(|state| (edge, state))) {
        leg_transitions(edge.name(), state).increment(0);
    }
    for part in PARTS {
        let _ = histogram!("ringway_turn_part_seconds", "part" => part);
    }
    for ring in RINGS {
        counter!("ringway_ring_drops_total", "ring" => ring).increment(0);
    }
    counter!("ringway_false_interruptions_total").increment(0);
    counter!("ringway_clauses_left_out_total").increment(0);
    counter!("ringway_deferral_overflows_total").increment(0);
    counter!("ringway_fillers_total").increment(0);
    ["done", "failed"].into_iter().for_each(|outcome| summaries(outcome).increment(0));
    ["summarised", "forgotten"].into_iter().for_each(|fate| context_messages(fate).increment(0));
    for interruption in
        ["ringway_barge_in_seconds", "ringway_barge_in_silence_seconds", "ringway_barge_in_clear_seconds"]
    {
        let _ = histogram!(interruption);
    }
}

/// The same for the services that are configured.
pub fn expect_services(engines: &Engines) {
    for stage in StageKind::ALL {
        for service in engines.names(stage) {
            let empty = Emptiness::ALL.map(Cause::Empty);
            let empty = empty.into_iter().filter(|_| stage == StageKind::Llm);
            for cause in CAUSES.into_iter().chain(empty) {
                service_failures(stage, service, cause).increment(0);
            }
            let counted = TOKENS.iter().filter(|_| stage == StageKind::Llm);
            counted.for_each(|kind| tokens(service, kind).increment(0));
            // A detector is not asked once a turn, but all the time; what it costs shows in the metronome's lateness.
            for edge in EDGES.iter().filter(|_| stage != StageKind::Vad) {
                let _ = service_seconds(edge.name(), stage, service);
            }
            for outcome in OUTCOMES.iter().filter(|_| stage != StageKind::Vad) {
                service_requests(stage, service, outcome).increment(0);
            }
        }
        for links in engines.chains(stage) {
            let mut chain = engines.names(stage)[links].to_vec();
            if stage == StageKind::SpeechToSpeech && !chain.is_empty() {
                chain.push(THE_THREE);
            }
            expect_switches(stage, &chain);
        }
    }
}

/// To the next one by a failure, and back: what else there may be has its first event counted from nothing.
fn expect_switches(stage: StageKind, services: &[&str]) {
    for pair in services.windows(2) {
        for cause in CAUSES.map(SwitchCause::Died) {
            service_switches(stage, pair[0], pair[1], cause).increment(0);
        }
        service_switches(stage, pair[1], pair[0], SwitchCause::Preferred).increment(0);
    }
}

/// Shows which services are asked.
pub fn show_circuits(health: &ServiceHealth) {
    for (stage, service, report) in health.reports() {
        let value = match report.circuit {
            CircuitState::Closed => 0.0,
            CircuitState::HalfOpen => 1.0,
            CircuitState::Open => 2.0,
        };
        let labels = [("stage", stage_name(stage).to_owned()), ("service", service.to_owned())];
        gauge!("ringway_service_circuit", &labels).set(value);
    }
}

/// Shows which version runs.
pub fn show_build() {
    gauge!("ringway_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Shows the state of `/health`, one of `states`.
pub fn show_health(states: &[&'static str], current: &str) {
    for state in states {
        gauge!("ringway_health", "status" => *state).set(if *state == current { 1.0 } else { 0.0 });
    }
}

/// Turns call events into metrics.
#[derive(Clone, Copy, Debug)]
pub struct Counting {
    budget: Duration,
}

impl Counting {
    /// A turn is to be answered within `budget`.
    pub fn new(budget: Duration) -> Self {
        gauge!("ringway_turn_budget_seconds").set(budget.as_secs_f64());
        Self { budget }
    }

    /// Counts an event of a call.
    pub fn count(self, event: &CallEvent, call: &LiveCall) {
        let edge = call.edge();
        if call.unanswered_after().is_some_and(|waited| waited > self.budget) {
            counter!("ringway_turns_unanswered_total", "edge" => edge).increment(1);
        }
        match &event.kind {
            CallEventKind::Started { .. } => gauge!("ringway_calls_active", "edge" => edge).increment(1.0),
            CallEventKind::Ended { reason } => {
                gauge!("ringway_calls_active", "edge" => edge).decrement(1.0);
                counter!("ringway_calls_total", "edge" => edge, "outcome" => reason_name(reason))
                    .increment(1);
            }
            CallEventKind::Leg { leg, state } => leg_transitions(call.edge_of(*leg), *state).increment(1),
            CallEventKind::Turn(turn) => self.count_turn(turn, edge),
            CallEventKind::StageDied { stage, cause, .. } => {
                let labels = [("stage", stage_name(*stage)), ("cause", cause.name())];
                counter!("ringway_stage_restarts_total", &labels).increment(1);
            }
            CallEventKind::Served { stage, service, after } => {
                service_seconds(edge, *stage, service).record(after.as_secs_f64());
            }
            CallEventKind::ServiceFailed { stage, service, cause } => {
                service_failures(*stage, service, *cause).increment(1);
                let outcome = if *cause == Cause::Late { "late" } else { "error" };
                if *stage != StageKind::Vad {
                    service_requests(*stage, service, outcome).increment(1);
                }
            }
            CallEventKind::ServiceDone { stage, service } => {
                service_requests(*stage, service, "ok").increment(1);
            }
            CallEventKind::Tokens { service, given, cache_read, cache_written } => {
                for (kind, count) in TOKENS.into_iter().zip([given, cache_read, cache_written]) {
                    tokens(service, kind).increment(u64::from(*count));
                }
            }
            CallEventKind::ServiceSwitched { stage, from, to, cause } => {
                service_switches(*stage, from, to, *cause).increment(1);
            }
            CallEventKind::Hedged { stage, winner } => hedges(*stage, *winner).increment(1),
            CallEventKind::ProtocolError { code } => {
                counter!("ringway_protocol_errors_total", "edge" => edge, "code" => *code).increment(1);
            }
            CallEventKind::Silent { after } => {
                histogram!("ringway_barge_in_silence_seconds").record(after.as_secs_f64())
            }
            CallEventKind::Cleared { after } => {
                histogram!("ringway_barge_in_clear_seconds").record(after.as_secs_f64())
            }
            CallEventKind::Rings(report) => count_rings(report),
            CallEventKind::Mark(_)
            | CallEventKind::Answered { .. }
            | CallEventKind::Transferred { .. }
            | CallEventKind::Stage { .. }
            | CallEventKind::StageRestarted { .. }
            | CallEventKind::LegCreated { .. } => {}
        }
    }

    fn count_turn(self, event: &Event, edge: &'static str) {
        match event {
            Event::Latency { latency, .. } => self.count_latency(latency, edge),
            Event::BargeIn { after, .. } => {
                histogram!("ringway_barge_in_seconds").record(after.as_secs_f64());
            }
            Event::FalseInterruption { .. } => counter!("ringway_false_interruptions_total").increment(1),
            Event::Unspoken { .. } => counter!("ringway_clauses_left_out_total").increment(1),
            Event::DeferralOverflow { inputs } => {
                counter!("ringway_deferral_overflows_total").increment((*inputs).into());
            }
            Event::Filler { .. } => counter!("ringway_fillers_total").increment(1),
            Event::Summarised { messages, .. } => {
                summaries("done").increment(1);
                context_messages("summarised").increment((*messages).into());
            }
            Event::NotSummarised { .. } => summaries("failed").increment(1),
            Event::Forgotten { messages, .. } => context_messages("forgotten").increment((*messages).into()),
            Event::Late { stage, .. } => late(*stage).increment(1),
            Event::Wasted { stage } => {
                counter!("ringway_speculation_wasted_total", "stage" => stage_name(*stage)).increment(1);
            }
            _ => {}
        }
    }

    fn count_latency(self, latency: &Latency, edge: &'static str) {
        histogram!("ringway_turn_answer_seconds", "edge" => edge).record(latency.answer.as_secs_f64());
        counter!("ringway_turns_total", "edge" => edge).increment(1);
        if latency.answer > self.budget {
            counter!("ringway_turns_over_budget_total", "edge" => edge).increment(1);
        }
        let Latency { end_of_turn, stt, llm, tools, tts, rebuild, playout, .. } = latency;
        for (part, time) in PARTS.into_iter().zip([end_of_turn, stt, llm, tools, tts, rebuild, playout]) {
            histogram!("ringway_turn_part_seconds", "part" => part).record(time.as_secs_f64());
        }
    }
}

fn count_rings(report: &RingReport) {
    for state in report.rings {
        counter!("ringway_ring_drops_total", "ring" => state.ring).increment(state.dropped);
    }
    if report.legs_dropped > 0 {
        counter!("ringway_ring_drops_total", "ring" => "legs").increment(report.legs_dropped);
    }
}

/// Shows the fullest rings of all calls in progress.
pub fn show_depths<'a>(reports: impl Iterator<Item = &'a RingReport>) {
    let mut fullest: [RingState; 3] = RingReport::default().rings;
    for report in reports {
        for (fullest, state) in fullest.iter_mut().zip(report.rings) {
            if fullest.ring.is_empty() || state.depth > fullest.depth {
                *fullest = state;
            }
        }
    }
    for (state, name) in fullest.iter().zip(RINGS) {
        gauge!("ringway_ring_depth_frames", "ring" => name).set(state.depth as f64);
    }
}
