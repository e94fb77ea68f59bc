//! What happened when in the last turns of a call, as plain data.

use super::moment::Moment;
use super::turn_line::{Given, Lane, LanguageChange, Outcome, Restart, Switch, ToolUse, TurnLine, What};
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
    causes: [Option<Cause>; StageKind::ALL.len()],
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
            CallEventKind::ServiceSwitched { stage, from, to, cause } => {
                let at = event.at.into();
                self.switched(Switch {
                    stage: *stage,
                    from: from.clone(),
                    to: to.clone(),
                    cause: *cause,
                    at,
                });
            }
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
            Event::Tool { turn, tool, bytes, outcome, after, arguments } => {
                let took_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                let (tool, bytes, outcome) = (tool.clone(), *bytes, *outcome);
                let arguments = arguments.clone();
                let used = ToolUse { tool, bytes, outcome, end: at.into(), took_ms, arguments };
                return self.change(*turn, |turn| turn.used(used));
            }
            Event::Cited { turn, passages } => {
                let given = Given { passages: passages.clone(), at: at.into() };
                return self.change(*turn, |turn| turn.given(given));
            }
            Event::Language { turn, language } => {
                let change = LanguageChange { language: language.as_str().into(), at: at.into() };
                return self.change(*turn, |turn| turn.language = Some(change));
            }
            Event::BargeIn { turn, .. } => (turn, What::BargeIn),
            Event::FalseInterruption { turn, .. } => (turn, What::FalseInterruption),
            Event::Filler { turn } => (turn, What::Filler),
            Event::Unspoken { turn } => (turn, What::Unspoken),
            Event::Late { turn, .. } => (turn, What::Late),
            Event::Hedged { turn } => (turn, What::Hedged),
            Event::Summarised { turn, .. } => (turn, What::Summarised),
            Event::NotSummarised { turn } => (turn, What::NotSummarised),
            Event::Forgotten { turn, .. } => (turn, What::Forgotten),
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

    /// It befalls the newest turn.
    fn switched(&mut self, switch: Switch) {
        if let Some(turn) = self.turns.back_mut() {
            turn.switched(switch);
        }
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

#[cfg(test)]
mod tests {
    use super::super::turn_line::{ENTRIES, Span};
    use super::*;
    use ringway_frame::CallId;

    const CALL: CallId = CallId::from_bits(1);

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn mark(turn: u32, millis: u64, step: Step) -> Mark {
        Mark { turn: TurnNumber::new(turn), at: at(millis), step }
    }

    fn timeline(marks: impl IntoIterator<Item = Mark>) -> Timeline {
        let mut timeline = Timeline::default();
        marks.into_iter().for_each(|mark| timeline.mark(&mark));
        timeline
    }

    fn of_turn(timeline: &Timeline, number: u32) -> &TurnLine {
        timeline.turns().find(|line| line.turn.number() == number).expect("the turn")
    }

    /// Lane, outcome, beginning and end of each span.
    fn spans(line: &TurnLine) -> Vec<(Lane, Outcome, f64, Option<f64>)> {
        let span =
            |span: &Span| (span.lane, span.outcome, span.start.as_millis(), span.end.map(Moment::as_millis));
        line.spans.iter().map(span).collect()
    }

    fn tell(timeline: &mut Timeline, millis: u64, kind: CallEventKind) {
        timeline.take(&CallEvent { call: CALL, at: at(millis), kind, record: None });
    }

    const STT: StageKind = StageKind::Stt;
    const LLM: StageKind = StageKind::Llm;
    const TTS: StageKind = StageKind::Tts;

    #[test]
    fn a_turn_is_a_span_for_each_who_worked_on_it() {
        let mut timeline = timeline([
            mark(1, 1_000, Step::SpeechBegan),
            mark(1, 1_100, Step::Began(STT)),
            mark(1, 1_560, Step::Asked),
            mark(1, 1_610, Step::Done(STT)),
            mark(1, 1_500, Step::SpeechEnded),
            mark(1, 1_610, Step::Began(LLM)),
            mark(1, 1_700, Step::Released),
            mark(1, 1_710, Step::First(LLM)),
            mark(1, 1_720, Step::Began(TTS)),
            mark(1, 1_770, Step::First(TTS)),
            mark(1, 1_772, Step::Sounding),
            mark(1, 1_790, Step::Done(LLM)),
            mark(1, 1_900, Step::Done(TTS)),
        ]);
        let heard = Event::Heard { turn: TurnNumber::new(1), text: "Yes.".into(), last: true };
        tell(&mut timeline, 2_500, CallEventKind::Turn(heard));
        let line = of_turn(&timeline, 1);
        let done = Outcome::Done;
        let wanted = [
            (Lane::Caller, done, 1_000.0, Some(1_500.0)),
            (Lane::Stt, done, 1_100.0, Some(1_610.0)),
            (Lane::Llm, done, 1_610.0, Some(1_790.0)),
            (Lane::Tts, done, 1_720.0, Some(1_900.0)),
            (Lane::Playout, done, 1_772.0, Some(2_500.0)),
        ];
        assert_eq!(spans(line), wanted);
        let waits: Vec<_> =
            line.spans.iter().filter_map(|span| span.wait()).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [50, 100, 50], "of the recogniser from the question, of the others from the start");
    }

    #[test]
    fn a_barge_in_breaks_the_answer_off_where_it_paused() {
        let mut timeline = timeline([
            mark(0, 0, Step::Began(LLM)),
            mark(0, 10, Step::Began(TTS)),
            mark(0, 20, Step::Sounding),
            mark(1, 900, Step::SpeechBegan),
            mark(0, 1_000, Step::Paused),
            mark(0, 1_150, Step::Cancelled(TTS)),
            mark(0, 1_150, Step::Cleared),
        ]);
        let after = at(1_150) - at(900);
        tell(&mut timeline, 1_150, CallEventKind::Turn(Event::BargeIn { turn: TurnNumber::new(0), after }));
        timeline.mark(&mark(0, 1_151, Step::Resumed));
        let line = of_turn(&timeline, 0);
        assert_eq!(
            spans(line)[1..],
            [
                (Lane::Tts, Outcome::Cancelled, 10.0, Some(1_150.0)),
                (Lane::Playout, Outcome::Cancelled, 20.0, Some(1_000.0)),
            ]
        );
        assert_eq!(line.notes[0].what, What::BargeIn);
        assert_eq!(spans(of_turn(&timeline, 1)), [(Lane::Caller, Outcome::Open, 900.0, None)]);
    }

    #[test]
    fn an_answer_that_paused_for_a_cough_goes_on() {
        let timeline = timeline([
            mark(0, 20, Step::Sounding),
            mark(0, 1_000, Step::Paused),
            mark(0, 1_200, Step::Resumed),
        ]);
        let wanted = [
            (Lane::Playout, Outcome::Paused, 20.0, Some(1_000.0)),
            (Lane::Playout, Outcome::Open, 1_200.0, None),
        ];
        assert_eq!(spans(of_turn(&timeline, 0)), wanted);
    }

    #[test]
    fn a_restart_has_its_cause_and_its_return_in_the_turn_that_lost_the_stage() {
        let mut timeline = timeline([mark(1, 100, Step::Began(LLM)), mark(2, 150, Step::SpeechBegan)]);
        let detail = "injected".to_owned();
        tell(&mut timeline, 200, CallEventKind::StageDied { stage: LLM, cause: Cause::Panic, detail });
        timeline.mark(&mark(1, 201, Step::Lost(LLM)));
        timeline.mark(&mark(2, 203, Step::Back(LLM)));
        timeline.mark(&mark(1, 203, Step::Began(LLM)));
        let line = of_turn(&timeline, 1);
        assert_eq!((line.spans[0].outcome, line.spans[1].outcome), (Outcome::Lost, Outcome::Open));
        let restart = line.restarts[0];
        assert_eq!((restart.stage, restart.cause, restart.gone), (LLM, Some(Cause::Panic), false));
        assert_eq!(restart.back, Some(at(203).into()));
        assert!(of_turn(&timeline, 2).restarts.is_empty());
    }

    #[test]
    fn work_ahead_that_was_in_vain_is_shown_as_such() {
        let timeline = timeline([
            mark(1, 0, Step::SpeechBegan),
            mark(1, 100, Step::Began(STT)),
            mark(1, 500, Step::Asked),
            mark(1, 550, Step::Done(STT)),
            mark(1, 550, Step::Began(LLM)),
            mark(1, 600, Step::WentOn),
            mark(1, 600, Step::Cancelled(LLM)),
            mark(1, 600, Step::Wasted(LLM)),
        ]);
        let outcomes: Vec<_> =
            spans(of_turn(&timeline, 1)).into_iter().map(|span| (span.0, span.1)).collect();
        let wanted = [
            (Lane::Caller, Outcome::Open),
            (Lane::Stt, Outcome::Wasted),
            (Lane::Llm, Outcome::Wasted),
            (Lane::Stt, Outcome::Open),
        ];
        assert_eq!(outcomes, wanted);
    }

    #[test]
    fn speech_before_the_answer_sounds_continues_its_turn() {
        let timeline = timeline([
            mark(1, 0, Step::SpeechBegan),
            mark(1, 500, Step::SpeechEnded),
            mark(2, 700, Step::SpeechBegan),
            mark(2, 750, Step::Began(STT)),
            mark(1, 900, Step::Merged { of: TurnNumber::new(2) }),
            mark(1, 1_500, Step::SpeechEnded),
        ]);
        assert_eq!(timeline.turns().count(), 1);
        let line = of_turn(&timeline, 1);
        let speech: Vec<_> = line.lane(Lane::Caller).map(|span| span.end.map(Moment::as_millis)).collect();
        assert_eq!(speech, [Some(500.0), Some(1_500.0)]);
        assert_eq!(line.notes[0].what, What::Merged);
    }

    #[test]
    fn nothing_stays_open_when_the_call_is_over() {
        let mut timeline = timeline([mark(0, 20, Step::Sounding), mark(0, 10, Step::Began(TTS))]);
        tell(&mut timeline, 400, CallEventKind::Ended { reason: ringway_turn::EndReason::Caller });
        let line = of_turn(&timeline, 0);
        assert!(line.spans.iter().all(|span| span.outcome == Outcome::Unfinished && span.end.is_some()));
    }

    #[test]
    fn a_long_call_keeps_its_last_turns_and_counts_the_others() {
        let turns = TURNS as u32 + 7;
        let mut timeline = timeline((0..turns).map(|turn| mark(turn, u64::from(turn), Step::SpeechBegan)));
        timeline.mark(&mark(3, 5_000, Step::Sounding));
        assert_eq!((timeline.turns().count(), timeline.dropped()), (TURNS, 7));
        assert!(timeline.turns().all(|line| line.spans.len() == 1), "what is too old changes nothing");
    }

    #[test]
    fn a_turn_without_end_keeps_its_beginning_and_counts_the_rest() {
        let many = 3 * ENTRIES as u64;
        let timeline = timeline((0..many).map(|millis| mark(1, millis, Step::WentOn)));
        let line = of_turn(&timeline, 1);
        assert_eq!((line.spans.len(), line.notes.len()), (ENTRIES, ENTRIES));
        assert_eq!(u64::from(line.more), 2 * (many - ENTRIES as u64));
    }
}
