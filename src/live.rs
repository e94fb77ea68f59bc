//! The calls as the API shows them: those in progress, and the last that ended.

use crate::trace::{Timeline, Trace, TurnTrace};
use jiff::Timestamp;
use ringway_actors::{CallEvent, CallEventKind, CallHandle, EdgeKind, RingReport, StageState};
use ringway_frame::{CallId, MediaTime};
use ringway_stages::prompt::Variables;
use ringway_turn::{EndReason, Event, Latency, Speaker, SpeechState, StageKind};
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Ended calls that are kept at most.
const KEPT: usize = 1_000;

/// How long an ended call is kept.
const KEPT_FOR: Duration = Duration::from_secs(3_600);

/// All calls that the API knows of. Owned by the control runtime; media cores never see it.
#[derive(Debug, Default)]
pub struct LiveCalls {
    calls: HashMap<CallId, LiveCall>,
    ended: VecDeque<(Timestamp, CallId)>,
}

/// How a call that a carrier names has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// No such call, now or lately.
    Unknown,
    /// It has not.
    InProgress,
    /// It was to be handed to this number.
    Transferred(String),
    /// In another way.
    Over,
}

/// One call as the API shows it.
#[derive(Debug)]
pub struct LiveCall {
    /// To reach it; gone when it has ended.
    pub handle: Option<CallHandle>,
    summary: Summary,
    detail: Detail,
    timeline: Timeline,
    rings: RingReport,
    started: Timestamp,
}

/// A line of `GET /api/calls`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    id: String,
    edge: &'static str,
    carrier_call_id: Option<String>,
    state: &'static str,
    started_at: String,
    turns: u32,
    restarts: u32,
}

/// What `GET /api/calls/{id}` adds.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    #[serde(flatten)]
    parties: Parties,
    transcript: Vec<Line>,
    latency: Vec<LatencyLine>,
    stages: HashMap<StageKind, StageLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer_to: Option<String>,
}

/// Who is on the line, as far as a carrier has told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parties {
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    called: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
}

impl Parties {
    fn of(variables: &Variables) -> Self {
        let shown =
            |value: &Option<String>| value.as_ref().map(|value| value.chars().take(LONGEST).collect());
        Self {
            caller: shown(&variables.caller),
            called: shown(&variables.called),
            direction: shown(&variables.direction),
            answered_by: shown(&variables.answered_by),
        }
    }
}

/// Characters of a number or an address that are kept of an ended call.
const LONGEST: usize = 256;

/// One thing that was said.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// In which turn.
    pub turn: u32,
    /// Who.
    pub who: Speaker,
    /// What.
    pub text: String,
    at_ms: u64,
}

/// One turn's answer time and its parts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyLine {
    /// Which turn.
    pub turn: u32,
    /// All of it.
    pub answer_ms: f64,
    /// Its parts, as [`Latency`] has them.
    pub end_of_turn_ms: f64,
    /// See there.
    pub stt_ms: f64,
    /// See there.
    pub llm_ms: f64,
    /// See there.
    pub tts_ms: f64,
    /// See there.
    pub playout_ms: f64,
}

/// One stage of a call.
#[derive(Clone, Debug, Serialize)]
pub struct StageLine {
    state: &'static str,
    restarts: u32,
}

/// A call with all that is known of it.
#[derive(Clone, Debug, Serialize)]
pub struct Whole {
    #[serde(flatten)]
    summary: Summary,
    #[serde(flatten)]
    detail: Detail,
}

impl Line {
    /// What this event adds to the transcript.
    pub fn of(event: &Event, at: MediaTime) -> Option<Self> {
        let Event::Message { turn, who, text } = event else { return None };
        Some(Self { turn: turn.number(), who: *who, text: text.clone(), at_ms: at.as_millis() })
    }
}

impl LatencyLine {
    /// The answer time that this event tells.
    pub fn of(event: &Event) -> Option<Self> {
        let Event::Latency { turn, latency } = event else { return None };
        Some(Self::new(turn.number(), latency))
    }

    /// In milliseconds, as clients see it.
    pub fn new(turn: u32, latency: &Latency) -> Self {
        let ms = |part: Duration| (part.as_secs_f64() * 10_000.0).round() / 10.0;
        Self {
            turn,
            answer_ms: ms(latency.answer),
            end_of_turn_ms: ms(latency.end_of_turn),
            stt_ms: ms(latency.stt),
            llm_ms: ms(latency.llm),
            tts_ms: ms(latency.tts),
            playout_ms: ms(latency.playout),
        }
    }
}

impl LiveCalls {
    /// Takes an event in, and returns the call it belongs to.
    pub fn take(&mut self, event: &CallEvent) -> Option<&LiveCall> {
        if let CallEventKind::Started { handle, carrier_call_id, variables } = &event.kind {
            let mut call = LiveCall::new(event.call, handle.edge, carrier_call_id.clone());
            call.detail.parties = Parties::of(variables);
            call.handle = Some(handle.clone());
            self.calls.insert(event.call, call);
        }
        let call = self.calls.get_mut(&event.call)?;
        call.take(event);
        if matches!(event.kind, CallEventKind::Ended { .. }) {
            self.ended.push_back((Timestamp::now(), event.call));
            self.forget_old(Timestamp::now());
        }
        self.calls.get(&event.call)
    }

    /// How the call that a carrier calls so has ended.
    pub fn ending(&self, carrier_call_id: &str) -> Ending {
        let named = |call: &&LiveCall| call.summary.carrier_call_id.as_deref() == Some(carrier_call_id);
        match self.calls.values().filter(named).max_by_key(|call| call.started) {
            None => Ending::Unknown,
            Some(call) if call.detail.end_reason.is_none() => Ending::InProgress,
            Some(call) => call.detail.transfer_to.clone().map_or(Ending::Over, Ending::Transferred),
        }
    }

    /// A call in progress or lately ended.
    pub fn get(&self, id: CallId) -> Option<&LiveCall> {
        self.calls.get(&id)
    }

    /// The calls in progress, oldest first.
    pub fn in_progress(&self) -> Vec<Summary> {
        let mut calls: Vec<_> = self.calls.values().filter(|call| call.detail.end_reason.is_none()).collect();
        calls.sort_by_key(|call| call.started);
        calls.into_iter().map(|call| call.summary.clone()).collect()
    }

    /// The last reports of the rings of calls in progress.
    pub fn rings(&self) -> impl Iterator<Item = &RingReport> {
        self.calls.values().filter(|call| call.detail.end_reason.is_none()).map(|call| &call.rings)
    }

    /// Handles of the calls in progress.
    pub fn handles(&self) -> Vec<CallHandle> {
        self.calls.values().filter_map(|call| call.handle.clone()).collect()
    }

    /// Forgets calls that ended too long ago, and the oldest when there are too many. To be called now and then, since
    /// what was said is not to be kept longer only because nobody calls.
    pub fn forget_old(&mut self, now: Timestamp) {
        let horizon = now - jiff::SignedDuration::from_secs(KEPT_FOR.as_secs() as i64);
        while self.ended.len() > KEPT || self.ended.front().is_some_and(|(at, _)| *at < horizon) {
            if let Some((_, id)) = self.ended.pop_front() {
                self.calls.remove(&id);
            }
        }
    }
}

impl LiveCall {
    fn new(id: CallId, edge: EdgeKind, carrier_call_id: Option<String>) -> Self {
        let started = Timestamp::now();
        let summary = Summary {
            id: id.to_string(),
            edge: edge.name(),
            carrier_call_id,
            state: "listening",
            started_at: format!("{started:.3}"),
            turns: 0,
            restarts: 0,
        };
        let (detail, timeline, rings) = Default::default();
        Self { handle: None, summary, detail, timeline, rings, started }
    }

    /// By which edge it came.
    pub fn edge(&self) -> &'static str {
        self.summary.edge
    }

    /// Turns so far.
    pub fn turns(&self) -> u32 {
        self.summary.turns
    }

    /// Restarts of its stages so far.
    pub fn restarts(&self) -> u32 {
        self.summary.restarts
    }

    /// All that is known of it.
    pub fn whole(&self) -> Whole {
        Whole { summary: self.summary.clone(), detail: self.detail.clone() }
    }

    /// What happened when in its turns.
    pub fn trace(&self) -> Trace {
        let Summary { id, edge, state, started_at, .. } = &self.summary;
        let Detail { transcript, latency, end_reason, .. } = &self.detail;
        Trace {
            call: id.clone(),
            edge: Some(edge),
            state,
            started_at: started_at.clone(),
            end_reason: end_reason.clone(),
            dropped_turns: self.timeline.dropped(),
            turns: TurnTrace::all(&self.timeline, transcript, latency),
        }
    }

    fn take(&mut self, event: &CallEvent) {
        self.timeline.take(event);
        match &event.kind {
            CallEventKind::Turn(turn) => self.take_turn(turn, event.at),
            CallEventKind::Stage { stage, state } => self.stage(*stage).state = state.name(),
            CallEventKind::StageDied { stage, .. } => {
                self.stage(*stage).state = StageState::Restarting.name();
                self.stage(*stage).restarts += 1;
                self.summary.restarts += 1;
            }
            CallEventKind::Ended { reason } => {
                self.summary.state = "ended";
                self.detail.end_reason = Some(reason_name(reason).to_owned());
                if let EndReason::Transferred(to) = reason {
                    self.detail.transfer_to = Some(to.clone());
                }
                self.handle = None;
            }
            CallEventKind::Started { .. }
            | CallEventKind::StageRestarted { .. }
            | CallEventKind::Served { .. }
            | CallEventKind::ServiceDone { .. }
            | CallEventKind::ServiceSwitched { .. }
            | CallEventKind::Hedged { .. }
            | CallEventKind::ServiceFailed { .. }
            | CallEventKind::ProtocolError { .. }
            | CallEventKind::Mark(_)
            | CallEventKind::Silent { .. }
            | CallEventKind::Cleared { .. } => {}
            CallEventKind::Rings(report) => self.rings = *report,
        }
    }

    fn take_turn(&mut self, event: &Event, at: MediaTime) {
        match event {
            Event::State(state) => self.summary.state = state_name(*state),
            Event::Message { turn, .. } => self.summary.turns = self.summary.turns.max(turn.number()),
            _ => {}
        }
        self.detail.transcript.extend(Line::of(event, at));
        self.detail.latency.extend(LatencyLine::of(event));
    }

    fn stage(&mut self, stage: StageKind) -> &mut StageLine {
        self.detail.stages.entry(stage).or_insert(StageLine { state: StageState::Ready.name(), restarts: 0 })
    }
}

/// The name of a state on the wire.
pub fn state_name(state: SpeechState) -> &'static str {
    match state {
        SpeechState::Listening => "listening",
        SpeechState::Thinking => "thinking",
        SpeechState::Speaking => "speaking",
    }
}

/// The name of a reason in metrics, logs and on the wire: a closed set.
pub fn reason_name(reason: &EndReason) -> &'static str {
    match reason {
        EndReason::Caller => "caller",
        EndReason::Completed => "completed",
        EndReason::Transferred(_) => "transferred",
        EndReason::Silence => "silence",
        EndReason::NoMedia => "no_media",
        EndReason::MaxDuration => "max_duration",
        EndReason::StageFailed(_) => "stage_failed",
        EndReason::Protocol(_) => "protocol",
        EndReason::SlowConsumer => "slow_consumer",
        EndReason::Operator => "operator",
        EndReason::Drain => "drain",
        EndReason::Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: u128) -> CallId {
        CallId::from_bits(number)
    }

    fn ended(calls: &mut LiveCalls, number: u128, carrier_call_id: &str, at: Timestamp, reason: EndReason) {
        let live = LiveCall::new(call(number), EdgeKind::Twilio, Some(carrier_call_id.to_owned()));
        calls.calls.insert(call(number), live);
        calls.take(&CallEvent {
            call: call(number),
            at: MediaTime::ZERO,
            kind: CallEventKind::Ended { reason },
        });
        calls.ended.back_mut().expect("it ended").0 = at;
    }

    #[test]
    fn a_call_is_forgotten_an_hour_after_its_end_although_no_other_ends() {
        let (mut calls, began) = (LiveCalls::default(), Timestamp::now());
        ended(&mut calls, 1, "CA1", began, EndReason::Caller);
        let minutes = |count: i64| jiff::SignedDuration::from_mins(count);
        calls.forget_old(began + minutes(59));
        assert!(calls.get(call(1)).is_some());
        calls.forget_old(began + minutes(61));
        assert!(calls.get(call(1)).is_none());
    }

    #[test]
    fn the_last_thousand_calls_are_kept() {
        let (mut calls, now) = (LiveCalls::default(), Timestamp::now());
        for number in 0..1_003 {
            ended(&mut calls, number, "CA1", now, EndReason::Caller);
        }
        let kept = |number| calls.get(call(number)).is_some();
        assert!(!kept(2) && kept(3) && kept(1_002));
        assert_eq!(calls.calls.len(), KEPT);
    }

    #[test]
    fn the_carrier_is_told_how_its_call_ended() {
        let (mut calls, now) = (LiveCalls::default(), Timestamp::now());
        ended(&mut calls, 1, "CA1", now, EndReason::Transferred("+49301234".into()));
        ended(&mut calls, 2, "CA2", now, EndReason::Completed);
        calls.calls.insert(call(3), LiveCall::new(call(3), EdgeKind::Twilio, Some("CA3".into())));
        let endings = ["CA1", "CA2", "CA3", "CA4"].map(|id| calls.ending(id));
        let wanted =
            [Ending::Transferred("+49301234".into()), Ending::Over, Ending::InProgress, Ending::Unknown];
        assert_eq!(endings, wanted);
    }
}
