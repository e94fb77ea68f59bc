//! The record of a call, event by event: what is kept of it, and never dropped.

use crate::event::CallEventKind;
use crate::leg::state::LegState;
use crate::reason::reason_name;
use jiff::Timestamp;
use ringway_frame::{CallId, MediaTime};
use ringway_turn::{Event, Speaker, StageKind, ToolOutcome, TurnNumber};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One event of a call's lifecycle, as it is stored and sent: docs/operate/events.md.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lifecycle {
    /// [`Lifecycle::VERSION`], when it is of this make.
    pub version: u16,
    /// Which call.
    #[serde(serialize_with = "shown", deserialize_with = "read")]
    pub call: CallId,
    /// Its number in the call, from 0 and without gaps.
    pub sequence: u64,
    /// Since the call began, in milliseconds.
    pub at_ms: u64,
    /// The time of day, in UTC and to the microsecond (RFC 3339).
    #[serde(serialize_with = "to_microseconds")]
    pub wall_time: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: LifecycleEvent,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum LifecycleEvent {
    /// The call began.
    Started(Box<Started>),
    /// A leg beside the caller's was created.
    LegCreated {
        /// Its number in the call, from 1.
        leg: u32,
        /// By which edge its peer comes.
        edge: Name,
        /// What its peer is called.
        label: Arc<str>,
    },
    /// A leg got into another state.
    Leg {
        /// Its number in the call, from 0.
        leg: u32,
        /// Its state from now on.
        state: LegState,
    },
    /// The first leg is up.
    Answered {
        /// Which leg.
        leg: u32,
    },
    /// Something was said: the caller's words, or those of the bot that were heard.
    Message {
        /// In which turn.
        turn: TurnNumber,
        /// Who said it.
        who: Speaker,
        /// The words.
        text: String,
    },
    /// The language model used a tool.
    Tool {
        /// In which turn.
        turn: TurnNumber,
        /// Its name.
        tool: String,
        /// How it ended.
        outcome: ToolOutcome,
        /// From its call to its end, in milliseconds.
        duration_ms: u64,
        /// Its arguments, where they are shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arguments: Option<String>,
    },
    /// This is known of the call.
    Slot {
        /// Since which turn.
        turn: TurnNumber,
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// The call is in another language.
    Language {
        /// Since which turn.
        turn: TurnNumber,
        /// Its code.
        language: String,
    },
    /// A stage that had died is there again.
    StageRestarted {
        /// Which.
        stage: StageKind,
        /// How it had died.
        cause: Name,
        /// Without it, in milliseconds.
        pause_ms: u64,
        /// Times that it was rebuilt in this call.
        restarts: u32,
    },
    /// Another service serves a stage from now on.
    ServiceSwitched {
        /// Which.
        stage: StageKind,
        /// The name of the one that did.
        from: Arc<str>,
        /// The name of the one that does.
        to: Arc<str>,
        /// Why.
        cause: Name,
    },
    /// The caller is handed on.
    Transferred {
        /// To this number.
        to: String,
    },
    /// The call is over: the last event.
    Ended {
        /// Why.
        reason: Name,
        /// How long it was, in milliseconds.
        duration_ms: u64,
        /// Turns in which something was said.
        turns: u32,
        /// How often one of its stages died.
        restarts: u32,
    },
}

/// One of a closed set of names.
type Name = Cow<'static, str>;

/// What is known of a call when it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// By which edge it came.
    pub edge: Name,
    /// The carrier's own id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_call_id: Option<String>,
    /// The number of the person on the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Our own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// Which side placed the call, as the carrier names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// Who or what answered a call that we placed, as the carrier names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// The dialogue that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<String>,
    /// The code of the language that it began in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What the caller's side passed on, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// What a call comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How long it is.
    pub duration: MediaTime,
    /// Turns in which something was said.
    pub turns: u32,
    /// How often one of its stages died.
    pub restarts: u32,
}

/// Bytes of a slot's name, and of its value, that are kept.
const LONGEST_SLOT: usize = 1_000;

/// Characters of a number or an address that are kept.
const LONGEST_PARTY: usize = 256;

impl Lifecycle {
    /// Fields and events are added without raising it; it is raised when one changes or goes.
    pub const VERSION: u16 = 1;

    /// The event of this number, which happens now.
    pub fn new(call: CallId, sequence: u64, at: MediaTime, event: LifecycleEvent) -> Self {
        let wall_time = Timestamp::now();
        // What is kept is what is shown.
        let wall_time = Timestamp::from_microsecond(wall_time.as_microsecond()).unwrap_or(wall_time);
        Self { version: Self::VERSION, call, sequence, at_ms: at.as_millis(), wall_time, event }
    }

    /// What an event means for the record of its call; `None`: it is telemetry.
    pub fn of(kind: &CallEventKind, totals: Totals) -> Option<LifecycleEvent> {
        Some(match kind {
            CallEventKind::Started { .. } => LifecycleEvent::Started(Box::new(Started::of(kind)?)),
            CallEventKind::LegCreated { leg, edge, label } => {
                LifecycleEvent::LegCreated { leg: *leg, edge: edge.name().into(), label: label.clone() }
            }
            CallEventKind::Leg { leg, state } => LifecycleEvent::Leg { leg: *leg, state: *state },
            CallEventKind::Answered { leg } => LifecycleEvent::Answered { leg: *leg },
            CallEventKind::Turn(event) => return of_turn(event),
            CallEventKind::StageRestarted { stage, cause, pause, restarts, .. } => {
                let (stage, cause, pause_ms) = (*stage, cause.name().into(), millis(*pause));
                LifecycleEvent::StageRestarted { stage, cause, pause_ms, restarts: *restarts }
            }
            CallEventKind::ServiceSwitched { stage, from, to, cause } => {
                let (stage, cause) = (*stage, cause.name().into());
                LifecycleEvent::ServiceSwitched { stage, from: from.clone(), to: to.clone(), cause }
            }
            CallEventKind::Transferred { to } => LifecycleEvent::Transferred { to: to.clone() },
            CallEventKind::Ended { reason } => LifecycleEvent::Ended {
                reason: reason_name(reason).into(),
                duration_ms: totals.duration.as_millis(),
                turns: totals.turns,
                restarts: totals.restarts,
            },
            CallEventKind::Mark(_)
            | CallEventKind::Stage { .. }
            | CallEventKind::StageDied { .. }
            | CallEventKind::Served { .. }
            | CallEventKind::ServiceDone { .. }
            | CallEventKind::Tokens { .. }
            | CallEventKind::Hedged { .. }
            | CallEventKind::ServiceFailed { .. }
            | CallEventKind::ProtocolError { .. }
            | CallEventKind::Silent { .. }
            | CallEventKind::Cleared { .. }
            | CallEventKind::Rings(_) => return None,
        })
    }

    /// Memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.event.bytes()
    }
}

fn of_turn(event: &Event) -> Option<LifecycleEvent> {
    Some(match event {
        Event::Message { turn, who, text } => {
            LifecycleEvent::Message { turn: *turn, who: *who, text: text.clone() }
        }
        Event::Tool { turn, tool, outcome, after, arguments, .. } => LifecycleEvent::Tool {
            turn: *turn,
            tool: tool.clone(),
            outcome: *outcome,
            duration_ms: millis(*after),
            arguments: arguments.clone(),
        },
        Event::Slot { turn, name, value } => {
            let cut = |text: &str| text[..text.floor_char_boundary(LONGEST_SLOT)].to_owned();
            LifecycleEvent::Slot { turn: *turn, name: cut(name), value: cut(value) }
        }
        Event::Language { turn, language } => {
            LifecycleEvent::Language { turn: *turn, language: language.clone() }
        }
        _ => return None,
    })
}

impl Started {
    fn of(kind: &CallEventKind) -> Option<Self> {
        let CallEventKind::Started { handle, carrier_call_id, variables, dialogue, language } = kind else {
            return None;
        };
        let party =
            |text: &Option<String>| text.as_ref().map(|text| text.chars().take(LONGEST_PARTY).collect());
        Some(Self {
            edge: handle.edge.name().into(),
            carrier_call_id: carrier_call_id.clone(),
            caller: party(&variables.caller),
            called: party(&variables.called),
            direction: party(&variables.direction),
            answered_by: party(&variables.answered_by),
            dialogue: dialogue.clone(),
            language: language.clone(),
            parameters: variables.parameters.clone(),
        })
    }

    fn bytes(&self) -> usize {
        let parties = [&self.caller, &self.called, &self.direction, &self.answered_by];
        let others = [&self.carrier_call_id, &self.dialogue, &self.language];
        let told: usize =
            parties.iter().chain(&others).filter_map(|text| text.as_ref()).map(String::len).sum();
        let passed: usize = self.parameters.iter().map(|(name, value)| name.len() + value.len()).sum();
        size_of::<Self>() + told + passed
    }
}

impl LifecycleEvent {
    fn bytes(&self) -> usize {
        match self {
            Self::Started(started) => started.bytes(),
            Self::Message { text, .. } => text.len(),
            Self::Tool { tool, arguments, .. } => tool.len() + arguments.as_ref().map_or(0, String::len),
            Self::Slot { name, value, .. } => name.len() + value.len(),
            Self::Language { language, .. } => language.len(),
            Self::Transferred { to } => to.len(),
            Self::LegCreated { label, .. } => label.len(),
            // Names that all calls share.
            Self::Leg { .. }
            | Self::Answered { .. }
            | Self::StageRestarted { .. }
            | Self::ServiceSwitched { .. }
            | Self::Ended { .. } => 0,
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn shown<S: Serializer>(call: &CallId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(call)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CallId, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn to_microseconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    const DOCUMENTATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operate/events.md");

    const NAMES: [&str; 12] = [
        "answered",
        "ended",
        "language",
        "leg",
        "leg_created",
        "message",
        "service_switched",
        "slot",
        "stage_restarted",
        "started",
        "tool",
        "transferred",
    ];

    /// Of the set above: a new event needs a line in both, and a section in the documentation.
    fn name(event: &LifecycleEvent) -> &'static str {
        match event {
            LifecycleEvent::Started(_) => "started",
            LifecycleEvent::LegCreated { .. } => "leg_created",
            LifecycleEvent::Leg { .. } => "leg",
            LifecycleEvent::Answered { .. } => "answered",
            LifecycleEvent::Message { .. } => "message",
            LifecycleEvent::Tool { .. } => "tool",
            LifecycleEvent::Slot { .. } => "slot",
            LifecycleEvent::Language { .. } => "language",
            LifecycleEvent::StageRestarted { .. } => "stage_restarted",
            LifecycleEvent::ServiceSwitched { .. } => "service_switched",
            LifecycleEvent::Transferred { .. } => "transferred",
            LifecycleEvent::Ended { .. } => "ended",
        }
    }

    /// Heading, text and example of each section that describes an event.
    fn sections(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
        text.split("\n### `").skip(1).map(|section| {
            let (heading, body) = section.split_once('`').expect("a name in its heading");
            let (text, rest) = body.split_once("```json").expect("an example");
            (heading, text, rest.split_once("```").expect("its end").0)
        })
    }

    #[test]
    fn each_event_reads_and_writes_as_the_documentation_says() {
        let text = std::fs::read_to_string(DOCUMENTATION).expect("docs/operate/events.md");
        let mut told = BTreeSet::new();
        for (heading, text, example) in sections(&text) {
            let example: Value = serde_json::from_str(example).expect(heading);
            let event: Lifecycle = serde_json::from_value(example.clone()).expect(heading);
            assert_eq!((name(&event.event), event.version), (heading, Lifecycle::VERSION));
            assert_eq!(serde_json::to_value(&event).expect("JSON"), example);
            let of_all = ["version", "call", "sequence", "atMs", "wallTime", "event"];
            for field in example.as_object().expect("an object").keys() {
                let described = of_all.contains(&field.as_str()) || text.contains(&format!("| `{field}` |"));
                assert!(described, "{field} of {heading}");
            }
            told.insert(heading);
        }
        assert_eq!(told, BTreeSet::from(NAMES));
    }

    #[test]
    fn the_time_of_day_has_microseconds_also_where_they_are_zero() {
        let mut event =
            Lifecycle::new(CallId::from_bits(1), 0, MediaTime::ZERO, LifecycleEvent::Answered { leg: 0 });
        event.wall_time = Timestamp::from_second(1_796_030_000).expect("a time");
        let written = serde_json::to_value(&event).expect("JSON");
        assert_eq!(written["wallTime"], "2026-11-30T09:13:20.000000Z");
        assert_eq!(serde_json::from_value::<Lifecycle>(written).expect("an event"), event);
    }

    #[test]
    fn what_a_model_names_a_slot_has_a_bound() {
        let (turn, name, value) = (TurnNumber::new(1), "ä".repeat(600), "x".repeat(LONGEST_SLOT + 1));
        let slot = CallEventKind::Turn(Event::Slot { turn, name, value });
        let event = Lifecycle::of(&slot, Totals::default()).expect("a record");
        assert_eq!(event.bytes(), 2 * LONGEST_SLOT);
    }
}
