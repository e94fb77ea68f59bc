//! What the API and the webhook show of a call.

use ringway_actors::LegState;
use ringway_frame::MediaTime;
use ringway_stages::prompt::Variables;
use ringway_turn::{Event, Latency, Speaker, StageKind, ToolOutcome};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The slot that holds the outcome of a call in the operator's own terms.
pub(super) const DISPOSITION: &str = "disposition";

/// Slots that a call's record keeps.
pub(super) const MOST_SLOTS: usize = 100;

/// Bytes of a slot's name, and of its value.
pub(super) const LONGEST_SLOT: usize = 1_000;

/// Calls of tools that a call's record keeps.
pub(super) const MOST_TOOL_CALLS: usize = 200;

/// Bytes of what was said in one call that are kept at most: its first lines go.
pub(super) const CALL_BYTES: usize = 1 << 20;

/// A line of `GET /api/calls`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub(super) id: String,
    pub(super) edge: &'static str,
    pub(super) carrier_call_id: Option<String>,
    pub(super) state: &'static str,
    pub(super) started_at: String,
    pub(super) turns: u32,
    pub(super) restarts: u32,
}

/// What `GET /api/calls/{id}` adds.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    #[serde(flatten)]
    pub(super) parties: Parties,
    pub(super) transcript: Vec<Line>,
    pub(super) latency: Vec<LatencyLine>,
    pub(super) stages: HashMap<StageKind, StageLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transfer_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration_ms: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) legs: Vec<LegLine>,
    /// The leg that was over last.
    #[serde(skip)]
    pub(super) left: Option<LegLine>,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) slots: BTreeMap<String, String>,
    /// The slot of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disposition: Option<String>,
    /// Of what grows with each turn.
    #[serde(skip)]
    pub(super) bytes: usize,
}

/// A leg beside the caller's that is there.
#[derive(Clone, Debug, Serialize)]
pub struct LegLine {
    pub(super) leg: u32,
    pub(super) label: Arc<str>,
    pub(super) edge: &'static str,
    pub(super) state: &'static str,
}

/// A tool that the language model called.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolCall {
    pub(super) turn: u32,
    pub(super) tool: String,
    pub(super) outcome: ToolOutcome,
    /// When it ended.
    pub(super) at_ms: u64,
    pub(super) duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<String>,
}

/// Who is on the line, as far as a carrier has told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parties {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) called: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) direction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answered_by: Option<String>,
}

impl Parties {
    pub(super) fn of(variables: &Variables) -> Self {
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
    pub(super) at_ms: u64,
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
    pub tools_ms: f64,
    /// See there.
    pub tts_ms: f64,
    /// See there.
    pub rebuild_ms: f64,
    /// See there.
    pub playout_ms: f64,
}

/// One stage of a call.
#[derive(Clone, Debug, Serialize)]
pub struct StageLine {
    pub(super) state: &'static str,
    pub(super) restarts: u32,
}

/// A call with all that is known of it.
#[derive(Clone, Debug, Serialize)]
pub struct Whole {
    #[serde(flatten)]
    pub(super) summary: Summary,
    #[serde(flatten)]
    pub(super) detail: Detail,
}

impl Line {
    /// What this event adds to the transcript.
    pub fn of(event: &Event, at: MediaTime) -> Option<Self> {
        let Event::Message { turn, who, text } = event else { return None };
        Some(Self { turn: turn.number(), who: *who, text: text.clone(), at_ms: at.as_millis() })
    }
}

impl ToolCall {
    pub(super) fn of(event: &Event, at: MediaTime) -> Option<Self> {
        let Event::Tool { turn, tool, outcome, after, arguments, .. } = event else { return None };
        let duration_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        Some(Self {
            turn: turn.number(),
            tool: tool.clone(),
            outcome: *outcome,
            at_ms: at.as_millis(),
            duration_ms,
            arguments: arguments.clone(),
        })
    }
}

impl Line {
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }
}

impl Detail {
    /// Models may name slots as they like: there is a bound on how many, and on their length.
    pub(super) fn keep_slot(&mut self, name: &str, value: &str) {
        if !self.slots.contains_key(name) && self.slots.len() >= MOST_SLOTS {
            return;
        }
        let cut = |text: &str| text[..text.floor_char_boundary(LONGEST_SLOT)].to_owned();
        if name == DISPOSITION {
            self.disposition = Some(cut(value));
        }
        self.slots.insert(cut(name), cut(value));
    }

    /// A leg beside the caller's is in this state.
    pub(super) fn leg_is(&mut self, leg: u32, state: LegState) {
        let Some(at) = self.legs.iter().position(|line| line.leg == leg) else { return };
        self.legs[at].state = state.name();
        if state == LegState::Over {
            self.left = Some(self.legs.remove(at));
        }
    }

    pub(super) fn said(&mut self, line: Line) {
        self.bytes += line.bytes();
        self.transcript.push(line);
        while self.bytes > CALL_BYTES && !self.transcript.is_empty() {
            self.bytes -= self.transcript.remove(0).bytes();
        }
    }
}

impl LatencyLine {
    /// All of it.
    pub fn answer(&self) -> Duration {
        Duration::from_secs_f64(self.answer_ms.max(0.0) / 1_000.0)
    }

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
            tools_ms: ms(latency.tools),
            tts_ms: ms(latency.tts),
            rebuild_ms: ms(latency.rebuild),
            playout_ms: ms(latency.playout),
        }
    }
}
