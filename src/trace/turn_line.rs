//! One turn of a time line.

use super::moment::Moment;
use super::shown::{cause, is_zero, number, switch_cause};
use ringway_actors::{Cause, SwitchCause};
use ringway_turn::{StageKind, Step, ToolOutcome, TurnNumber};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Spans, notes and restarts of one turn that are kept; later ones are counted.
pub(super) const ENTRIES: usize = 64;

/// One turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnLine {
    /// Its number, from 0, the greeting.
    #[serde(serialize_with = "number")]
    pub turn: TurnNumber,
    /// Stretches of work, in the order in which they began.
    pub spans: Vec<Span>,
    /// What else happened.
    pub notes: Vec<Note>,
    /// Tools that the language model used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolUse>,
    /// Passages of the knowledge base that the language model was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Given>,
    /// The call is in another language since this turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageChange>,
    /// Stages that died.
    pub restarts: Vec<Restart>,
    /// Stages that went from one service to another; a recording does not know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub switches: Vec<Switch>,
    /// Entries that were one too many.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: u32,
}

/// Who is at work in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// The caller speaks.
    Caller,
    /// The recogniser.
    Stt,
    /// The language model.
    Llm,
    /// The voice.
    Tts,
    /// What hears and speaks by itself.
    #[serde(rename = "s2s")]
    SpeechToSpeech,
    /// The answer sounds.
    Playout,
}

/// How a span ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It has not ended.
    Open,
    /// As it should.
    Done,
    /// It was told to stop: the answer was broken off.
    Cancelled,
    /// It was work ahead of the turn's end that was thrown away, or speech that was none.
    Wasted,
    /// Its stage died.
    Lost,
    /// It waits, and a later span goes on with it.
    Paused,
    /// The call ended first.
    Unfinished,
}

/// A stretch of work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Whose.
    pub lane: Lane,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began.
    #[serde(rename = "startMs")]
    pub start: Moment,
    /// When the recogniser was asked for the words.
    #[serde(rename = "askedMs", skip_serializing_if = "Option::is_none")]
    pub asked: Option<Moment>,
    /// When its first result came.
    #[serde(rename = "firstMs", skip_serializing_if = "Option::is_none")]
    pub first: Option<Moment>,
    /// When it ended.
    #[serde(rename = "endMs")]
    pub end: Option<Moment>,
}

/// Something that takes no time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// When.
    #[serde(rename = "atMs")]
    pub at: Moment,
    /// What.
    pub what: What,
}

/// What a note notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The caller's turn is over: the answer may sound.
    TurnOver,
    /// The caller's speech goes on after a pause that looked like the end.
    WentOn,
    /// It continues this turn, which had seemed to be over.
    Merged,
    /// Keys were pressed that make an answer.
    Keys,
    /// The caller spoke over the answer.
    BargeIn,
    /// It was a cough: the answer went on.
    FalseInterruption,
    /// A stage kept the caller waiting for too long.
    Late,
    /// The model was later than usual, and a second one was asked the same.
    Hedged,
    /// Voices refused a clause of the reply.
    Unspoken,
    /// The wait was bridged.
    Filler,
    /// The oldest turns became a summary.
    Summarised,
    /// A summary of them was wanted and did not come.
    NotSummarised,
    /// The oldest turns left the context.
    Forgotten,
    /// The apology from memory was played.
    Apology,
}

/// A stage that went from one service to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Switch {
    /// Which.
    pub stage: StageKind,
    /// Name of the first.
    pub from: Arc<str>,
    /// Name of the second.
    pub to: Arc<str>,
    /// Why.
    #[serde(serialize_with = "switch_cause")]
    pub cause: SwitchCause,
    /// When.
    #[serde(rename = "atMs")]
    pub at: Moment,
}

/// The call went over to another language, or began in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LanguageChange {
    /// Its code.
    pub language: Arc<str>,
    /// When.
    #[serde(rename = "atMs")]
    pub at: Moment,
}

/// A tool that the language model used.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolUse {
    /// Which.
    pub tool: String,
    /// Length of its arguments.
    pub bytes: u32,
    /// How it ended.
    pub outcome: ToolOutcome,
    /// When it ended.
    #[serde(rename = "endMs")]
    pub end: Moment,
    /// How long it took.
    pub took_ms: u64,
    /// Its arguments, where they are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
}

/// Passages of the knowledge base that the language model was given.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Given {
    /// Source and heading of each.
    pub passages: Vec<String>,
    /// When.
    #[serde(rename = "atMs")]
    pub at: Moment,
}

/// A stage that died.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// Which.
    pub stage: StageKind,
    /// Of what; a recording does not know.
    #[serde(serialize_with = "cause", skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// When the call learned of it.
    #[serde(rename = "atMs")]
    pub at: Moment,
    /// When it was there again.
    #[serde(rename = "backMs")]
    pub back: Option<Moment>,
    /// It did not come back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

impl TurnLine {
    /// The spans of this lane.
    pub fn lane(&self, lane: Lane) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(move |span| span.lane == lane)
    }

    /// When the caller's speech ended for the last time.
    pub fn speech_ended(&self) -> Option<Moment> {
        self.lane(Lane::Caller).filter(|span| span.outcome == Outcome::Done).filter_map(|span| span.end).max()
    }

    /// When the answer began to sound.
    pub fn sounded(&self) -> Option<Moment> {
        self.lane(Lane::Playout).map(|span| span.start).min()
    }

    /// All moments at which something happened, in order.
    pub fn moments(&self) -> Vec<Moment> {
        let spans = self.spans.iter().flat_map(|span| [Some(span.start), span.asked, span.first, span.end]);
        let restarts = self.restarts.iter().flat_map(|restart| [Some(restart.at), restart.back]);
        let notes = self.notes.iter().map(|note| Some(note.at));
        let mut all: Vec<_> = spans.chain(restarts).chain(notes).flatten().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// A step of this turn.
    pub(super) fn step(&mut self, step: Step, at: Moment) {
        match step {
            Step::SpeechBegan => self.begin(Lane::Caller, at),
            Step::SpeechEnded => self.end(Lane::Caller, Outcome::Done, at),
            Step::SpeechDropped => {
                self.end(Lane::Stt, Outcome::Wasted, at);
                self.end(Lane::Caller, Outcome::Wasted, at);
            }
            Step::WentOn => {
                self.stop(Lane::Stt, Outcome::Wasted, at);
                self.begin(Lane::Stt, at);
                self.note(What::WentOn, at);
            }
            Step::Began(stage) => self.begin_stage(stage, at),
            Step::Asked => self.ask(at),
            Step::First(stage) => self.first(stage, at),
            Step::Done(stage) => self.done(stage, at),
            Step::Cancelled(stage) => self.stop_stage(stage, Outcome::Cancelled, at),
            Step::Wasted(stage) => self.stop_stage(stage, Outcome::Wasted, at),
            Step::Released => self.note(What::TurnOver, at),
            Step::Sounding => self.begin(Lane::Playout, at),
            Step::Paused => self.end(Lane::Playout, Outcome::Paused, at),
            Step::Resumed => self.resume(at),
            Step::Cleared => self.clear(at),
            Step::Apology => self.note(What::Apology, at),
            // These are not of one turn alone.
            Step::Merged { .. } | Step::Lost(_) | Step::Back(_) | Step::Gone(_) => {}
        }
    }

    /// Something that takes no time.
    pub(super) fn note(&mut self, what: What, at: Moment) {
        if self.notes.len() < ENTRIES {
            self.notes.push(Note { at, what });
        } else {
            self.more += 1;
        }
    }

    pub(super) fn used(&mut self, tool: ToolUse) {
        if self.tools.len() < ENTRIES {
            self.tools.push(tool);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn given(&mut self, given: Given) {
        if self.given.len() < ENTRIES {
            self.given.push(given);
        } else {
            self.more += 1;
        }
    }

    /// The open span of this lane ends.
    pub(super) fn end(&mut self, lane: Lane, outcome: Outcome, at: Moment) {
        if let Some(span) = self.last(lane).filter(|span| span.outcome == Outcome::Open) {
            (span.outcome, span.end) = (outcome, Some(at.max(span.start)));
        }
    }

    /// A stage died that worked on this turn.
    pub(super) fn lost(&mut self, stage: StageKind, cause: Option<Cause>, at: Moment) {
        if let Some(lane) = Lane::of(stage) {
            self.end(lane, Outcome::Lost, at);
        }
        if self.restarts.len() < ENTRIES {
            self.restarts.push(Restart { stage, cause, at, back: None, gone: false });
        } else {
            self.more += 1;
        }
    }

    /// A stage went to another service.
    pub(super) fn switched(&mut self, switch: Switch) {
        if self.switches.len() < ENTRIES {
            self.switches.push(switch);
        } else {
            self.more += 1;
        }
    }

    /// What was counted as a turn of its own is part of this one.
    pub(super) fn absorb(&mut self, other: Self) {
        self.spans.extend(other.spans);
        self.notes.extend(other.notes);
        self.restarts.extend(other.restarts);
        self.switches.extend(other.switches);
        self.tools.extend(other.tools);
        self.given.extend(other.given);
        self.language = other.language.or(self.language.take());
        self.more += other.more + cut(&mut self.spans) + cut(&mut self.notes);
        self.more += cut(&mut self.restarts) + cut(&mut self.switches) + cut(&mut self.tools);
        self.more += cut(&mut self.given);
    }

    /// The call is over.
    pub(super) fn finish(&mut self, at: Moment) {
        for span in self.spans.iter_mut().filter(|span| span.outcome == Outcome::Open) {
            (span.outcome, span.end) = (Outcome::Unfinished, Some(at.max(span.start)));
        }
        self.spans.shrink_to_fit();
        self.notes.shrink_to_fit();
        self.tools.shrink_to_fit();
        self.given.shrink_to_fit();
        self.restarts.shrink_to_fit();
    }

    fn begin(&mut self, lane: Lane, at: Moment) {
        if self.spans.len() < ENTRIES {
            let (outcome, asked, first, end) = (Outcome::Open, None, None, None);
            self.spans.push(Span { lane, outcome, start: at, asked, first, end });
        } else {
            self.more += 1;
        }
    }

    fn begin_stage(&mut self, stage: StageKind, at: Moment) {
        if let Some(lane) = Lane::of(stage) {
            self.begin(lane, at);
        }
    }

    fn ask(&mut self, at: Moment) {
        if self.last(Lane::Stt).is_none_or(|span| span.outcome != Outcome::Open) {
            self.begin(Lane::Stt, at);
        }
        if let Some(span) = self.last(Lane::Stt) {
            span.asked = Some(at);
        }
    }

    fn first(&mut self, stage: StageKind, at: Moment) {
        if let Some(span) = Lane::of(stage).and_then(|lane| self.last(lane)) {
            span.first = span.first.or(Some(at));
        }
    }

    /// A voice may be given more after it had done all.
    fn done(&mut self, stage: StageKind, at: Moment) {
        self.first(stage, at);
        self.stop_stage(stage, Outcome::Done, at);
    }

    fn stop_stage(&mut self, stage: StageKind, outcome: Outcome, at: Moment) {
        if let Some(lane) = Lane::of(stage) {
            self.stop(lane, outcome, at);
        }
    }

    /// The last span of this lane turns out so, even if it had been done.
    fn stop(&mut self, lane: Lane, outcome: Outcome, at: Moment) {
        let Some(span) = self.last(lane) else { return };
        match span.outcome {
            Outcome::Open => (span.outcome, span.end) = (outcome, Some(at)),
            Outcome::Done if outcome == Outcome::Done => span.end = Some(at),
            Outcome::Done | Outcome::Cancelled => span.outcome = outcome,
            Outcome::Wasted | Outcome::Lost | Outcome::Paused | Outcome::Unfinished => {}
        }
    }

    fn resume(&mut self, at: Moment) {
        if self.last(Lane::Playout).is_some_and(|span| span.outcome == Outcome::Paused) {
            self.begin(Lane::Playout, at);
        }
    }

    fn clear(&mut self, at: Moment) {
        let Some(span) = self.last(Lane::Playout) else { return };
        match span.outcome {
            Outcome::Open => (span.outcome, span.end) = (Outcome::Cancelled, Some(at)),
            Outcome::Paused => span.outcome = Outcome::Cancelled,
            _ => {}
        }
    }

    fn last(&mut self, lane: Lane) -> Option<&mut Span> {
        self.spans.iter_mut().rev().find(|span| span.lane == lane)
    }
}

impl Lane {
    /// From the caller to the caller.
    pub const ALL: [Self; 6] =
        [Self::Caller, Self::Stt, Self::Llm, Self::Tts, Self::SpeechToSpeech, Self::Playout];

    /// Its name for people and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Stt => "stt",
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::SpeechToSpeech => "s2s",
            Self::Playout => "playout",
        }
    }

    /// The lane of a stage; what the detector does is seen in the caller's.
    pub fn of(stage: StageKind) -> Option<Self> {
        match stage {
            StageKind::Vad => None,
            StageKind::Stt => Some(Self::Stt),
            StageKind::Llm => Some(Self::Llm),
            StageKind::Tts => Some(Self::Tts),
            StageKind::SpeechToSpeech => Some(Self::SpeechToSpeech),
        }
    }
}

impl Span {
    /// From its request to its first result, as far as both are known.
    pub fn wait(&self) -> Option<Duration> {
        Some(self.first?.since(self.asked.unwrap_or(self.start)))
    }

    /// From its beginning to its end.
    pub fn length(&self) -> Option<Duration> {
        Some(self.end?.since(self.start))
    }
}

impl Restart {
    /// It is neither back nor gone.
    pub(super) fn is_open(&self) -> bool {
        self.back.is_none() && !self.gone
    }
}

/// Keeps the first entries; says how many were one too many.
fn cut<T>(entries: &mut Vec<T>) -> u32 {
    let more = entries.len().saturating_sub(ENTRIES);
    entries.truncate(ENTRIES);
    more as u32
}
