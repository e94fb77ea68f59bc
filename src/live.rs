//! The calls as the API shows them: those in progress, and the last that ended.

mod events;
mod names;
mod record;

pub use names::{REASONS, reason_name, stage_name, state_name};
pub use record::{LatencyLine, Line, Summary, Whole};

use crate::trace::{Timeline, Trace, TurnTrace};
use events::Events;
use jiff::Timestamp;
use record::{Detail, LegLine, MOST_TOOL_CALLS, Parties, StageLine, ToolCall};
use ringway_actors::{
    CallEvent, CallEventKind, CallHandle, EdgeKind, LegState, Lifecycle, LifecycleEvent, RingReport,
    StageState, Totals,
};
use ringway_frame::{CallId, MediaTime};
use ringway_turn::{EndReason, Event, StageKind};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
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
    /// Bytes of what was said in calls that have ended.
    kept_bytes: usize,
    /// When calls ended whose carriers have not asked what to do next.
    to_ask: HashMap<CallId, Timestamp>,
}

/// Bytes of what was said in ended calls that are kept at most.
const KEPT_BYTES: usize = 64 << 20;

/// Within which a carrier asks what to do with a call whose socket has closed.
const ASKS_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_secs(3);

/// How a call that a carrier names has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// No such call, now or lately.
    Unknown,
    /// It has not.
    InProgress,
    /// Its media socket has broken, and it waits for the next one.
    Detached(CallId),
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
    /// What the conversation is doing, also while its peer is away.
    speech: &'static str,
    detail: Detail,
    events: Events,
    timeline: Timeline,
    rings: RingReport,
    started: Timestamp,
    /// The caller is waiting for an answer since then.
    asked_at: Option<MediaTime>,
    /// With the last event a wait ended in which no answer came.
    unanswered_after: Option<Duration>,
}

impl LiveCalls {
    /// Takes an event in, and returns the call it belongs to, unless that is over: its end is told once.
    pub fn take(&mut self, event: &CallEvent) -> Option<&LiveCall> {
        if let CallEventKind::Started { handle, carrier_call_id, variables, .. } = &event.kind {
            let mut call = LiveCall::new(event.call, handle.edge, carrier_call_id.clone());
            call.detail.parties = Parties::of(variables);
            call.handle = Some(handle.clone());
            self.calls.insert(event.call, call);
        }
        let call = self.calls.get_mut(&event.call).filter(|call| call.detail.end_reason.is_none())?;
        call.take(event);
        if let CallEventKind::Ended { reason } = &event.kind {
            let now = Timestamp::now();
            self.kept_bytes += call.bytes();
            // One that the carrier itself has ended is over for it.
            if call.summary.carrier_call_id.is_some() && *reason != EndReason::Caller {
                self.to_ask.insert(event.call, now);
            }
            self.ended.push_back((now, event.call));
            self.forget_old(now);
        }
        self.calls.get(&event.call)
    }

    /// Calls that have ended, whose carriers are about to ask what to do next.
    pub fn carriers_to_ask(&mut self, now: Timestamp) -> usize {
        self.to_ask.retain(|_, ended| now.duration_since(*ended) < ASKS_WITHIN);
        self.to_ask.len()
    }

    /// What is to be taken in of each call in progress when the server ends before it does.
    pub fn last_events(&self) -> Vec<CallEvent> {
        let left = self.calls.iter().filter(|(_, call)| call.detail.end_reason.is_none());
        left.map(|(id, call)| call.ended_by(*id, EndReason::Drain)).collect()
    }

    /// How the call that a carrier calls so has ended: the carrier asks.
    pub fn ending(&mut self, carrier_call_id: &str) -> Ending {
        let named =
            |(_, call): &(_, &LiveCall)| call.summary.carrier_call_id.as_deref() == Some(carrier_call_id);
        match self.calls.iter().filter(named).max_by_key(|(_, call)| call.started) {
            None => Ending::Unknown,
            Some((id, call)) if call.detail.end_reason.is_none() => match call.summary.state {
                state if state == LegState::Detached.name() => Ending::Detached(*id),
                _ => Ending::InProgress,
            },
            Some((id, call)) => {
                self.to_ask.remove(id);
                call.detail.transfer_to.clone().map_or(Ending::Over, Ending::Transferred)
            }
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
        while self.ended.len() > KEPT
            || self.kept_bytes > KEPT_BYTES
            || self.ended.front().is_some_and(|(at, _)| *at < horizon)
        {
            let Some((_, id)) = self.ended.pop_front() else { return };
            if let Some(call) = self.calls.remove(&id) {
                self.kept_bytes -= call.bytes();
            }
        }
    }
}

impl LiveCall {
    /// One that begins now.
    pub fn new(id: CallId, edge: EdgeKind, carrier_call_id: Option<String>) -> Self {
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
        let (detail, events, timeline, rings) = Default::default();
        Self {
            handle: None,
            summary,
            speech: "listening",
            detail,
            events,
            timeline,
            rings,
            started,
            asked_at: None,
            unanswered_after: None,
        }
    }

    /// By which edge it came.
    pub fn edge(&self) -> &'static str {
        self.summary.edge
    }

    /// By which edge the peer of this leg came.
    pub fn edge_of(&self, leg: u32) -> &'static str {
        let mut legs = self.detail.legs.iter().chain(&self.detail.left);
        legs.find(|line| line.leg == leg).map_or(self.edge(), |line| line.edge)
    }

    /// Turns so far.
    pub fn turns(&self) -> u32 {
        self.summary.turns
    }

    /// Restarts of its stages so far.
    pub fn restarts(&self) -> u32 {
        self.summary.restarts
    }

    /// How long the caller waited in vain, when the last event ended such a wait.
    pub fn unanswered_after(&self) -> Option<Duration> {
        self.unanswered_after
    }

    /// All that is known of it.
    pub fn whole(&self) -> Whole {
        Whole { summary: self.summary.clone(), detail: self.detail.clone() }
    }

    /// Its lifecycle, as far as it is kept.
    pub fn lifecycle(&self) -> Vec<Arc<Lifecycle>> {
        self.events.all()
    }

    /// Memory of what was said and recorded, in bytes.
    fn bytes(&self) -> usize {
        self.detail.bytes + self.events.bytes()
    }

    /// The end of a call that has not told one.
    fn ended_by(&self, id: CallId, reason: EndReason) -> CallEvent {
        let lasted = Timestamp::now().duration_since(self.started);
        let at = MediaTime::from(Duration::try_from(lasted).unwrap_or_default());
        let kind = CallEventKind::Ended { reason };
        let totals = Totals { duration: at, turns: self.summary.turns, restarts: self.summary.restarts };
        let record = Lifecycle::of(&kind, totals)
            .map(|event| Arc::new(Lifecycle::new(id, self.events.next(), at, event)));
        CallEvent { call: id, at, kind, record }
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

    /// A call without a peer is in the state of its leg.
    fn leg_is(&mut self, state: LegState) {
        self.summary.state = if state == LegState::Up { self.speech } else { state.name() };
    }

    fn take(&mut self, event: &CallEvent) {
        self.timeline.take(event);
        self.unanswered_after = self.wait_of(event);
        if let Some(record) = &event.record {
            self.keep(record);
        }
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
                self.detail.ended_at = Some(format!("{:.3}", Timestamp::now()));
                self.detail.duration_ms = Some(event.at.as_millis());
                if let EndReason::Transferred(to) = reason {
                    self.detail.transfer_to = Some(to.clone());
                }
                self.handle = None;
            }
            CallEventKind::LegCreated { leg, edge, label } => {
                let (edge, state) = (edge.name(), LegState::Dialling.name());
                self.detail.legs.push(LegLine { leg: *leg, label: label.clone(), edge, state });
            }
            CallEventKind::Leg { leg: 0, state } => self.leg_is(*state),
            CallEventKind::Leg { leg, state } => self.detail.leg_is(*leg, *state),
            CallEventKind::Started { .. }
            | CallEventKind::Answered { .. }
            | CallEventKind::Transferred { .. }
            | CallEventKind::StageRestarted { .. }
            | CallEventKind::Served { .. }
            | CallEventKind::ServiceDone { .. }
            | CallEventKind::Tokens { .. }
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

    fn keep(&mut self, record: &Arc<Lifecycle>) {
        self.events.keep(record.clone());
        // Counted where nothing was dropped.
        if let LifecycleEvent::Ended { turns, restarts, .. } = record.event {
            (self.summary.turns, self.summary.restarts) = (turns, restarts);
            self.events.close();
        }
    }

    /// A wait for an answer begins with the caller's last word or key, and ends with the answer's first sound, or in vain
    /// with the caller's next turn or the end of the call.
    fn wait_of(&mut self, event: &CallEvent) -> Option<Duration> {
        let since = |asked: MediaTime| event.at - asked;
        match &event.kind {
            CallEventKind::Turn(Event::Latency { .. }) => {
                self.asked_at = None;
                None
            }
            CallEventKind::Turn(Event::Transcript { last: true, .. } | Event::Keys { .. }) => {
                self.asked_at.replace(event.at).map(since)
            }
            CallEventKind::Ended { .. } => self.asked_at.take().map(since),
            _ => None,
        }
    }

    fn take_turn(&mut self, event: &Event, at: MediaTime) {
        match event {
            Event::State(state) => {
                self.speech = state_name(*state);
                self.summary.state = self.speech;
            }
            Event::Message { turn, .. } => self.summary.turns = self.summary.turns.max(turn.number()),
            _ => {}
        }
        if let Some(line) = Line::of(event, at) {
            self.detail.said(line);
        }
        if let Some(line) = LatencyLine::of(event) {
            self.detail.bytes += size_of::<LatencyLine>();
            self.detail.latency.push(line);
        }
        if let Event::Slot { name, value, .. } = event {
            self.detail.keep_slot(name, value);
        }
        if self.detail.tool_calls.len() < MOST_TOOL_CALLS {
            self.detail.tool_calls.extend(ToolCall::of(event, at));
        }
    }

    fn stage(&mut self, stage: StageKind) -> &mut StageLine {
        self.detail.stages.entry(stage).or_insert(StageLine { state: StageState::Ready.name(), restarts: 0 })
    }
}

#[cfg(test)]
mod tests;
