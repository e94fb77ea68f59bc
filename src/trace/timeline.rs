//! What happened when in each turn of a call, as plain data.

use super::moment::Moment;
use ringway_actors::Cause;
use ringway_frame::MediaTime;
use ringway_turn::{Event, Mark, StageKind, Step, TurnNumber};
use serde::Serialize;
use std::collections::VecDeque;

/// Turns that are kept; older ones give way.
pub const TURNS: usize = 100;

/// Spans, notes and restarts of one turn that are kept; later ones are counted.
const ENTRIES: usize = 64;

/// The last turns of one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    turns: VecDeque<TurnLine>,
    dropped: u32,
}

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
    /// Stages that died.
    pub restarts: Vec<Restart>,
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
    /// The wait was bridged.
    Filler,
    /// The apology from memory was played.
    Apology,
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

impl Timeline {
    /// The turns that are kept, oldest first.
    pub fn turns(&self) -> impl Iterator<Item = &TurnLine> {
        self.turns.iter()
    }

    /// How many turns gave way.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// A step of a turn.
    pub fn mark(&mut self, mark: &Mark) {
        match mark.step {
            Step::Merged { of } => self.merge(of, mark.turn, mark.at.into()),
            step => self.turn(mark.turn).step(step, mark.at.into()),
        }
    }

    /// Part of the conversation.
    pub fn event(&mut self, event: &Event, at: MediaTime) {
        let (turn, what) = match event {
            Event::Heard { turn, last: true, .. } => {
                return self.turn(*turn).end(Lane::Playout, Outcome::Done, at.into());
            }
            Event::BargeIn { turn, .. } => (turn, What::BargeIn),
            Event::FalseInterruption { turn, .. } => (turn, What::FalseInterruption),
            Event::Filler { turn } => (turn, What::Filler),
            Event::Keys { turn, .. } => (turn, What::Keys),
            _ => return,
        };
        self.turn(*turn).note(what, at.into());
    }

    /// A stage died. Its turn is told by the mark that follows, which knows no cause.
    pub fn died(&mut self, stage: StageKind, cause: Cause, at: MediaTime) {
        let newest = self.turns.back().map_or_else(TurnNumber::default, |turn| turn.turn);
        self.turn(newest).restart(Restart { stage, cause: Some(cause), at: at.into(), back: None, gone: false });
    }

    /// The call is over.
    pub fn ended(&mut self, at: MediaTime) {
        for turn in &mut self.turns {
            for span in turn.spans.iter_mut().filter(|span| span.outcome == Outcome::Open) {
                (span.outcome, span.end) = (Outcome::Unfinished, Some(at.into()));
            }
            turn.spans.shrink_to_fit();
            turn.notes.shrink_to_fit();
            turn.restarts.shrink_to_fit();
        }
        self.turns.shrink_to_fit();
    }

    fn turn(&mut self, number: TurnNumber) -> &mut TurnLine {
        let at = match self.turns.binary_search_by_key(&number, |turn| turn.turn) {
            Ok(at) => at,
            Err(at) => self.insert(at, number),
        };
        &mut self.turns[at]
    }

    fn insert(&mut self, at: usize, number: TurnNumber) -> usize {
        self.turns.insert(at, TurnLine { turn: number, ..TurnLine::default() });
        if self.turns.len() <= TURNS {
            return at;
        }
        self.turns.pop_front();
        self.dropped += 1;
        at.saturating_sub(1)
    }

    /// The utterance that was counted as turn `of` continues the turn `into`.
    fn merge(&mut self, of: TurnNumber, into: TurnNumber, at: Moment) {
        let Ok(index) = self.turns.binary_search_by_key(&of, |turn| turn.turn) else { return };
        let Some(line) = self.turns.remove(index) else { return };
        let turn = self.turn(into);
        turn.take(line);
        turn.note(What::Merged, at);
    }
}

impl TurnLine {
    /// When the caller's speech ended for the last time.
    pub fn speech_ended(&self) -> Option<Moment> {
        let spoken = |span: &&Span| span.lane == Lane::Caller && span.outcome == Outcome::Done;
        self.spans.iter().filter(spoken).filter_map(|span| span.end).max()
    }

    /// The first moment of the turn and the last that is known.
    pub fn extent(&self) -> Option<(Moment, Moment)> {
        let spans = self.spans.iter().flat_map(|span| [Some(span.start), span.asked, span.first, span.end]);
        let restarts = self.restarts.iter().flat_map(|restart| [Some(restart.at), restart.back]);
        let notes = self.notes.iter().map(|note| Some(note.at));
        let all = || spans.clone().chain(restarts.clone()).chain(notes.clone()).flatten();
        Some((all().min()?, all().max()?))
    }

    fn step(&mut self, step: Step, at: Moment) {
        match step {
            Step::SpeechBegan => self.begin(Lane::Caller, at),
            Step::SpeechEnded => {
                self.end(Lane::Stt, Outcome::Done, at);
                self.end(Lane::Caller, Outcome::Done, at);
            }
            Step::SpeechDropped => {
                self.end(Lane::Stt, Outcome::Wasted, at);
                self.end(Lane::Caller, Outcome::Wasted, at);
            }
            Step::WentOn => {
                self.waste(Lane::Stt, at);
                self.begin(Lane::Stt, at);
                self.note(What::WentOn, at);
            }
            Step::Began(stage) => self.begins(stage, at),
            Step::Asked => self.ask(at),
            Step::First(stage) => self.first(stage, at),
            Step::Done(stage) => self.done(stage, at),
            Step::Cancelled(stage) => self.end_of(stage, Outcome::Cancelled, at),
            Step::Wasted(stage) => self.waste_of(stage, at),
            Step::Lost(stage) => self.lost(stage, at),
            Step::Back(stage) => self.back(stage, at),
            Step::Gone(stage) => self.gone(stage),
            Step::Released => self.note(What::TurnOver, at),
            Step::Sounding => self.begin(Lane::Playout, at),
            Step::Paused => self.end(Lane::Playout, Outcome::Paused, at),
            Step::Resumed => self.resume(at),
            Step::Cleared => self.clear(at),
            Step::Apology => self.note(What::Apology, at),
            Step::Merged { .. } => {}
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn number<S: serde::Serializer>(turn: &TurnNumber, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u32(turn.number())
}

fn cause<S: serde::Serializer>(cause: &Option<Cause>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_some(&cause.map(Cause::name))
}
