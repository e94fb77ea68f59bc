//! The calls as the API shows them: those in progress, and the last that ended.

mod names;
mod record;

pub use names::{REASONS, reason_name, stage_name, state_name};
pub use record::{LatencyLine, Line, Summary, Whole};

use crate::trace::{Timeline, Trace, TurnTrace};
use jiff::Timestamp;
use record::{Detail, MOST_TOOL_CALLS, Parties, StageLine, ToolCall};
use ringway_actors::{CallEvent, CallEventKind, CallHandle, EdgeKind, RingReport, StageState};
use ringway_frame::{CallId, MediaTime};
use ringway_turn::{EndReason, Event, StageKind};
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
    /// The caller is waiting for an answer since then.
    asked_at: Option<MediaTime>,
    /// With the last event a wait ended in which no answer came.
    unanswered_after: Option<Duration>,
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
        if let CallEventKind::Ended { reason } = &event.kind {
            let now = Timestamp::now();
            self.kept_bytes += call.detail.bytes;
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
        left.map(|(id, call)| {
            let lasted = Timestamp::now().duration_since(call.started);
            let at = MediaTime::from(Duration::try_from(lasted).unwrap_or_default());
            CallEvent { call: *id, at, kind: CallEventKind::Ended { reason: EndReason::Drain } }
        })
        .collect()
    }

    /// How the call that a carrier calls so has ended: the carrier asks.
    pub fn ending(&mut self, carrier_call_id: &str) -> Ending {
        let named =
            |(_, call): &(_, &LiveCall)| call.summary.carrier_call_id.as_deref() == Some(carrier_call_id);
        match self.calls.iter().filter(named).max_by_key(|(_, call)| call.started) {
            None => Ending::Unknown,
            Some((_, call)) if call.detail.end_reason.is_none() => Ending::InProgress,
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
                self.kept_bytes -= call.detail.bytes;
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
        Self {
            handle: None,
            summary,
            detail,
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
        self.unanswered_after = self.wait_of(event);
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
            CallEventKind::Started { .. }
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
            Event::State(state) => self.summary.state = state_name(*state),
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
mod tests {
    use super::record::CALL_BYTES;
    use super::*;
    use ringway_turn::{Latency, Speaker};

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
    fn a_call_keeps_what_was_said_last_and_all_calls_together_keep_so_much() {
        let line = |turn| Line { turn, who: Speaker::Bot, text: "x".repeat(CALL_BYTES / 2), at_ms: 0 };
        let mut detail = Detail::default();
        (1..=3).for_each(|turn| detail.said(line(turn)));
        assert_eq!(detail.transcript.iter().map(|line| line.turn).collect::<Vec<_>>(), [3]);
        assert_eq!(detail.bytes, detail.transcript[0].bytes());

        let mut calls = LiveCalls::default();
        let bytes = KEPT_BYTES / 4;
        for number in 0..6 {
            let mut live = LiveCall::new(call(number), EdgeKind::Browser, None);
            live.detail.bytes = bytes;
            calls.calls.insert(call(number), live);
            let kind = CallEventKind::Ended { reason: EndReason::Caller };
            calls.take(&CallEvent { call: call(number), at: MediaTime::ZERO, kind });
        }
        assert_eq!((calls.kept_bytes, calls.calls.len()), (4 * bytes, 4));
        assert!(calls.get(call(1)).is_none() && calls.get(call(2)).is_some());
    }

    #[test]
    fn a_drain_waits_for_carriers_that_are_about_to_ask_and_no_longer() {
        let (mut calls, now) = (LiveCalls::default(), Timestamp::now());
        ended(&mut calls, 1, "CA1", now, EndReason::Transferred("+49301234".into()));
        ended(&mut calls, 2, "CA2", now, EndReason::Drain);
        ended(&mut calls, 3, "CA3", now, EndReason::Caller);
        assert_eq!(calls.carriers_to_ask(now), 2);
        calls.ending("CA1");
        assert_eq!(calls.carriers_to_ask(now), 1);
        assert_eq!(calls.carriers_to_ask(now + ASKS_WITHIN + ASKS_WITHIN), 0);
    }

    #[test]
    fn a_server_that_ends_tells_the_end_of_calls_that_are_left() {
        let mut calls = LiveCalls::default();
        ended(&mut calls, 1, "CA1", Timestamp::now(), EndReason::Caller);
        calls.calls.insert(call(2), LiveCall::new(call(2), EdgeKind::Twilio, Some("CA2".into())));
        let last = calls.last_events();
        assert_eq!(last.iter().map(|event| event.call).collect::<Vec<_>>(), [call(2)]);
        assert!(matches!(last[0].kind, CallEventKind::Ended { reason: EndReason::Drain }));
        for event in &last {
            calls.take(event);
        }
        assert!(calls.last_events().is_empty());
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

    fn at(millis: u64, kind: CallEventKind) -> CallEvent {
        CallEvent { call: call(1), at: MediaTime::from_millis(millis), kind }
    }

    #[test]
    fn a_caller_who_gets_no_answer_before_the_next_words_or_the_end_has_waited_in_vain() {
        let mut live = LiveCall::new(call(1), EdgeKind::Twilio, None);
        let turn = ringway_turn::TurnNumber::new(1);
        let words = || CallEventKind::Turn(Event::Transcript { turn, text: "hello".into(), last: true });
        let answer = || CallEventKind::Turn(Event::Latency { turn, latency: Latency::default() });
        let mut waited = |millis, kind| {
            live.take(&at(millis, kind));
            live.unanswered_after()
        };
        assert_eq!(waited(1_000, words()), None);
        assert_eq!(waited(1_300, answer()), None, "it was answered");
        assert_eq!(waited(5_000, words()), None);
        assert_eq!(waited(8_000, words()), Some(Duration::from_secs(3)), "the next words");
        let ended = CallEventKind::Ended { reason: EndReason::Caller };
        assert_eq!(waited(12_000, ended), Some(Duration::from_secs(4)), "the end");
    }

    #[test]
    fn each_reason_has_a_name_of_the_closed_set() {
        let reasons = [
            EndReason::Caller,
            EndReason::Completed,
            EndReason::Transferred(String::new()),
            EndReason::Silence,
            EndReason::NoMedia,
            EndReason::MaxDuration,
            EndReason::StageFailed(StageKind::Llm),
            EndReason::Protocol(String::new()),
            EndReason::SlowConsumer,
            EndReason::Operator,
            EndReason::Drain,
            EndReason::Internal,
        ];
        assert_eq!(reasons.each_ref().map(reason_name), REASONS);
    }
}
