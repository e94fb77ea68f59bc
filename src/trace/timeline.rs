//! What happened when in the last turns of a call, as plain data.

use super::moment::Moment;
use super::turn_line::{Lane, Outcome, Restart, TurnLine, What};
use ringway_actors::{CallEvent, CallEventKind, Cause};
use ringway_frame::MediaTime;
use ringway_turn::{Event, Mark, StageKind, Step, TurnNumber};
use std::collections::VecDeque;

/// Turns that are kept; older ones give way.
pub const TURNS: usize = 100;

/// The last turns of one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    turns: VecDeque<TurnLine>,
    dropped: u32,
    /// How a stage died, until the turn is known that it worked on.
    causes: [Option<Cause>; 4],
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

    /// Takes in what a call in progress tells.
    pub fn take(&mut self, event: &CallEvent) {
        match &event.kind {
            CallEventKind::Mark(mark) => self.mark(mark),
            CallEventKind::Turn(turn) => self.event(turn, event.at),
            CallEventKind::StageDied { stage, cause, .. } => self.causes[*stage as usize] = Some(*cause),
            CallEventKind::Ended { .. } => self.ended(event.at),
            _ => {}
        }
    }

    /// A step of a turn.
    pub fn mark(&mut self, mark: &Mark) {
        let at = mark.at.into();
        match mark.step {
            Step::Merged { of } => self.merge(of, mark.turn, at),
            Step::Lost(stage) => {
                let cause = self.causes[stage as usize].take();
                self.change(mark.turn, |turn| turn.lost(stage, cause, at));
            }
            Step::Back(stage) => self.restarting(stage, |restart| restart.back = Some(at)),
            Step::Gone(stage) => self.restarting(stage, |restart| restart.gone = true),
            step => self.change(mark.turn, |turn| turn.step(step, at)),
        }
    }

    /// Part of the conversation.
    pub fn event(&mut self, event: &Event, at: MediaTime) {
        let (turn, what) = match event {
            Event::Heard { turn, last: true, .. } => {
                return self.change(*turn, |turn| turn.end(Lane::Playout, Outcome::Done, at.into()));
            }
            Event::BargeIn { turn, .. } => (turn, What::BargeIn),
            Event::FalseInterruption { turn, .. } => (turn, What::FalseInterruption),
            Event::Filler { turn } => (turn, What::Filler),
            Event::Keys { turn, .. } => (turn, What::Keys),
            _ => return,
        };
        self.change(*turn, |turn| turn.note(what, at.into()));
    }

    /// The call is over.
    pub fn ended(&mut self, at: MediaTime) {
        self.turns.iter_mut().for_each(|turn| turn.finish(at.into()));
        self.turns.shrink_to_fit();
    }

    /// The newest restart of the stage that is not over, in whichever turn it was.
    fn restarting(&mut self, stage: StageKind, change: impl FnOnce(&mut Restart)) {
        let mut restarts = self.turns.iter_mut().rev().flat_map(|turn| turn.restarts.iter_mut().rev());
        if let Some(restart) = restarts.find(|restart| restart.stage == stage && restart.is_open()) {
            change(restart);
        }
    }

    fn change(&mut self, number: TurnNumber, change: impl FnOnce(&mut TurnLine)) {
        if let Some(turn) = self.turn(number) {
            change(turn);
        }
    }

    /// The line of this turn, unless it gave way long ago.
    fn turn(&mut self, number: TurnNumber) -> Option<&mut TurnLine> {
        let at = match self.turns.binary_search_by_key(&number, |turn| turn.turn) {
            Ok(at) => at,
            Err(0) if self.dropped > 0 => return None,
            Err(at) => self.insert(at, number),
        };
        self.turns.get_mut(at)
    }

    fn insert(&mut self, at: usize, number: TurnNumber) -> usize {
        self.turns.insert(at, TurnLine { turn: number, ..TurnLine::default() });
        if self.turns.len() <= TURNS {
            return at;
        }
        self.turns.pop_front();
        self.dropped += 1;
        at - 1
    }

    /// The utterance that was counted as turn `of` continues the turn `into`.
    fn merge(&mut self, of: TurnNumber, into: TurnNumber, at: Moment) {
        let Ok(index) = self.turns.binary_search_by_key(&of, |turn| turn.turn) else { return };
        let line = self.turns.remove(index);
        if let (Some(turn), Some(line)) = (self.turn(into), line) {
            turn.absorb(line);
            turn.note(What::Merged, at);
        }
    }
}
