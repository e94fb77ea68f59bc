//! Metrics from call events; the names and labels are the contract of docs/metrics.md.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use ringway_actors::{CallEvent, CallEventKind, RingReport};
use ringway_turn::{Event, Latency, StageKind};
use std::time::Duration;

use crate::live::{LiveCall, reason_name};

/// Buckets of what a caller waits for, in seconds.
const WAITS: [f64; 14] = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2.0, 3.0, 5.0];

/// Buckets of what the machine must do at once, in seconds.
const INSTANTS: [f64; 11] = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/// How often the exporter folds its samples into buckets.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Histograms with their help and buckets.
const HISTOGRAMS: [(&str, &str, &[f64]); 5] = [
    ("ringway_turn_answer_seconds", "End of the caller's speech to the first audio of the answer.", &WAITS),
    ("ringway_turn_part_seconds", "Where the time of an answer went.", &WAITS),
    ("ringway_barge_in_seconds", "First sign of the caller's speech over the bot to the decision to be silent.", &WAITS),
    ("ringway_barge_in_clear_seconds", "Decision to be silent to the carrier's buffer cleared.", &INSTANTS),
    ("ringway_metronome_lateness_seconds", "How late the 20 ms metronome of a media core ticks.", &INSTANTS),
];

/// Installs the process's recorder.
///
/// # Errors
/// A recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for (name, _, buckets) in HISTOGRAMS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)?;
    }
    let handle = builder.install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    for (name, help, _) in HISTOGRAMS {
        describe_histogram!(name, metrics::Unit::Seconds, help);
    }
    describe_gauge!("ringway_calls_active", "Calls in progress.");
    describe_gauge!("ringway_capacity_calls", "Calls that are admitted at once.");
    describe_gauge!("ringway_ring_depth_frames", "Frames in the rings of the call that reported last.");
    describe_counter!("ringway_calls_total", "Calls that ended, by outcome.");
    describe_counter!("ringway_refusals_total", "Callers refused, by reason.");
    describe_counter!("ringway_protocol_errors_total", "Breaches of an edge's protocol.");
    describe_counter!("ringway_ring_drops_total", "Frames dropped because a ring was full.");
    describe_counter!("ringway_stage_restarts_total", "Stages rebuilt inside a call.");
}

/// Counts an event of a call.
pub fn count(event: &CallEvent, call: &LiveCall) {
    match &event.kind {
        CallEventKind::Started { .. } => gauge!("ringway_calls_active", "edge" => call.edge()).increment(1.0),
        CallEventKind::Ended { reason } => {
            gauge!("ringway_calls_active", "edge" => call.edge()).decrement(1.0);
            counter!("ringway_calls_total", "edge" => call.edge(), "outcome" => reason_name(reason)).increment(1);
        }
        CallEventKind::Turn(turn) => count_turn(turn, call.edge()),
        CallEventKind::StageDied { stage, cause, .. } => {
            let labels = [("stage", stage_name(*stage)), ("cause", cause.name())];
            counter!("ringway_stage_restarts_total", &labels).increment(1);
        }
        CallEventKind::ProtocolError { code } => {
            counter!("ringway_protocol_errors_total", "edge" => call.edge(), "code" => *code).increment(1);
        }
        CallEventKind::Cleared { after } => histogram!("ringway_barge_in_clear_seconds").record(after.as_secs_f64()),
        CallEventKind::Rings(report) => count_rings(report),
        CallEventKind::Stage { .. } | CallEventKind::StageRestarted { .. } => {}
    }
}

fn count_turn(event: &Event, edge: &'static str) {
    match event {
        Event::Latency { latency, .. } => count_latency(latency, edge),
        Event::BargeIn { after, .. } => histogram!("ringway_barge_in_seconds").record(after.as_secs_f64()),
        _ => {}
    }
}

fn count_latency(latency: &Latency, edge: &'static str) {
    histogram!("ringway_turn_answer_seconds", "edge" => edge).record(latency.answer.as_secs_f64());
    let parts = [
        ("end_of_turn", latency.end_of_turn),
        ("stt", latency.stt),
        ("llm", latency.llm),
        ("tts", latency.tts),
        ("playout", latency.playout),
    ];
    for (part, time) in parts {
        histogram!("ringway_turn_part_seconds", "part" => part).record(time.as_secs_f64());
    }
}

fn count_rings(report: &RingReport) {
    for state in report.rings {
        gauge!("ringway_ring_depth_frames", "ring" => state.ring).set(state.depth as f64);
        counter!("ringway_ring_drops_total", "ring" => state.ring).increment(state.dropped);
    }
}

/// The name of a stage in metrics, logs and on the wire.
pub fn stage_name(stage: StageKind) -> &'static str {
    match stage {
        StageKind::Vad => "vad",
        StageKind::Stt => "stt",
        StageKind::Llm => "llm",
        StageKind::Tts => "tts",
    }
}
