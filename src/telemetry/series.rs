//! Series whose labels are written in more than one place.

use crate::live::stage_name;
use metrics::{counter, histogram};
use ringway_actors::{Cause, LegState, SwitchCause, Winner};
use ringway_turn::StageKind;

pub(super) fn service_seconds(edge: &'static str, stage: StageKind, service: &str) -> metrics::Histogram {
    histogram!("ringway_service_seconds", "edge" => edge, "stage" => stage_name(stage), "service" => service.to_owned())
}

pub(super) fn service_failures(stage: StageKind, service: &str, cause: Cause) -> metrics::Counter {
    let labels = [
        ("stage", stage_name(stage).to_owned()),
        ("service", service.to_owned()),
        ("cause", cause.name().to_owned()),
    ];
    counter!("ringway_service_failures_total", &labels)
}

pub(super) fn tokens(service: &str, kind: &'static str) -> metrics::Counter {
    counter!("ringway_llm_tokens_total", "service" => service.to_owned(), "kind" => kind)
}

pub(super) fn service_requests(stage: StageKind, service: &str, outcome: &'static str) -> metrics::Counter {
    let labels = [
        ("stage", stage_name(stage).to_owned()),
        ("service", service.to_owned()),
        ("outcome", outcome.to_owned()),
    ];
    counter!("ringway_service_requests_total", &labels)
}

pub(super) fn service_switches(
    stage: StageKind,
    from: &str,
    to: &str,
    cause: SwitchCause,
) -> metrics::Counter {
    let labels = [
        ("stage", stage_name(stage).to_owned()),
        ("from", from.to_owned()),
        ("to", to.to_owned()),
        ("cause", cause.name().to_owned()),
    ];
    counter!("ringway_service_switches_total", &labels)
}

pub(super) fn leg_transitions(edge: &'static str, state: LegState) -> metrics::Counter {
    counter!("ringway_leg_transitions_total", "edge" => edge, "state" => state.name())
}

pub(super) fn hedges(stage: StageKind, winner: Winner) -> metrics::Counter {
    counter!("ringway_hedges_total", "stage" => stage_name(stage), "winner" => winner.name())
}

pub(super) fn late(stage: StageKind) -> metrics::Counter {
    counter!("ringway_late_total", "stage" => stage_name(stage))
}

pub(super) fn summaries(outcome: &'static str) -> metrics::Counter {
    counter!("ringway_context_summaries_total", "outcome" => outcome)
}

pub(super) fn context_messages(fate: &'static str) -> metrics::Counter {
    counter!("ringway_context_messages_total", "fate" => fate)
}
