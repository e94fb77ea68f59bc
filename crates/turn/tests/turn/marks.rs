//! The steps that are read off a call.

use crate::line::Line;
use ringway_frame::MediaTime;
use ringway_turn::recording::{Witness, replay_before};
use ringway_turn::{Command, Config, Input, Mark, Observer, StageKind, Step, Turn, TurnNumber};
use std::time::Duration;

const STT: StageKind = StageKind::Stt;
const LLM: StageKind = StageKind::Llm;
const TTS: StageKind = StageKind::Tts;

#[derive(Default)]
struct Marks {
    observer: Observer,
    seen: Vec<Mark>,
}

impl Witness for Marks {
    fn input(&mut self, input: &Input, now: MediaTime) {
        self.seen.extend(self.observer.input(input, now));
    }

    fn command(&mut self, command: &Command, turn: &Turn) {
        self.observer.command(command, turn, |mark| self.seen.push(mark));
    }
}

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

/// All that is read off the line's call until then.
fn marks(line: &mut Line, until: u64) -> Vec<Mark> {
    line.run(until);
    let mut marks = Marks::default();
    let report = replay_before(line.recording.as_bytes(), &mut marks).expect("a recording");
    assert_eq!(report.difference, None);
    marks.seen
}

fn of_turn(marks: &[Mark], turn: u32) -> Vec<Step> {
    marks.iter().filter(|mark| mark.turn == TurnNumber::new(turn)).map(|mark| mark.step).collect()
}

fn count(marks: &[Mark], step: Step) -> usize {
    marks.iter().filter(|mark| mark.step == step).count()
}

/// Whether these steps are among the others, in this order.
#[track_caller]
fn in_order(steps: &[Step], wanted: &[Step]) {
    let mut left = steps.iter();
    for step in wanted {
        assert!(left.any(|other| other == step), "{step:?} of {wanted:?} in {steps:?}");
    }
}

#[test]
fn a_turn_has_each_step_once_and_in_order() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table for two");
    let marks = marks(&mut line, 8_000);
    let steps = of_turn(&marks, 1);
    in_order(
        &steps,
        &[
            Step::SpeechBegan,
            Step::Began(STT),
            Step::Asked,
            Step::Done(STT),
            Step::Began(LLM),
            Step::First(LLM),
            Step::Began(TTS),
            Step::First(TTS),
            Step::Sounding,
            Step::Done(TTS),
        ],
    );
    in_order(&steps, &[Step::SpeechEnded, Step::Released, Step::Sounding]);
    for step in [Step::SpeechBegan, Step::SpeechEnded, Step::Released, Step::Sounding, Step::First(LLM)] {
        assert_eq!(steps.iter().filter(|other| **other == step).count(), 1, "{step:?} in {steps:?}");
    }
    let dated = |step| marks.iter().find(|mark| mark.turn.number() == 1 && mark.step == step).unwrap().at;
    assert!((950..=1_064).contains(&dated(Step::SpeechBegan).as_millis()), "dated by its first sign");
    assert_eq!(dated(Step::SpeechEnded).as_millis(), 1_800, "dated by its last sound");
}

#[test]
fn no_step_is_made_of_every_frame() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table for two");
    let marks = marks(&mut line, 8_000);
    assert!(line.sound.len() > 3 * marks.len(), "{} marks, {} frames", marks.len(), line.sound.len());
}

#[test]
fn a_barge_in_is_seen_in_both_turns() {
    let mut line = Line::new(config());
    line.says(1_000, 1_800, "stop please");
    let marks = marks(&mut line, 6_000);
    in_order(&of_turn(&marks, 0), &[Step::Sounding, Step::Paused, Step::Cleared]);
    in_order(&of_turn(&marks, 1), &[Step::SpeechBegan, Step::SpeechEnded, Step::Sounding]);
}

#[test]
fn a_cough_is_speech_that_was_none() {
    let mut line = Line::new(config());
    line.coughs(1_000, 1_050);
    let marks = marks(&mut line, 8_000);
    in_order(&of_turn(&marks, 1), &[Step::SpeechBegan, Step::SpeechDropped]);
    in_order(&of_turn(&marks, 0), &[Step::Sounding, Step::Paused, Step::Resumed]);
    assert_eq!(count(&marks, Step::Cleared), 0);
}

#[test]
fn a_pause_that_was_not_the_end_makes_work_void() {
    let mut line =
        Line::greeted(Config { hang_over_fixed: Some(Duration::from_millis(700)), ..Config::default() });
    line.says(1_000, 1_500, "a table");
    line.says(1_900, 2_400, "for two");
    let steps = of_turn(&marks(&mut line, 9_000), 1);
    in_order(
        &steps,
        &[Step::Asked, Step::Began(LLM), Step::WentOn, Step::Wasted(LLM), Step::Asked, Step::SpeechEnded],
    );
}

#[test]
fn speech_before_the_answer_sounds_is_counted_to_its_turn() {
    let mut line = Line::greeted(config());
    line.model_delay = 2_000;
    line.says(1_000, 1_500, "a table");
    line.says(2_000, 2_700, "for two");
    let marks = marks(&mut line, 12_000);
    let merged =
        Mark { turn: TurnNumber::new(1), at: MediaTime::ZERO, step: Step::Merged { of: TurnNumber::new(2) } };
    assert_eq!(count(&marks, merged.step), 1, "{marks:?}");
    let ended: Vec<_> =
        marks.iter().filter(|mark| mark.step == Step::SpeechEnded).map(|mark| mark.turn).collect();
    assert_eq!(ended, [merged.turn, merged.turn]);
    assert_eq!(count(&marks, Step::Released), 3, "the greeting, the turn, and the turn again");
}

#[test]
fn a_stage_that_dies_begins_again_in_its_turn() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table for two");
    let healthy = marks(&mut line, 9_000);
    for stage in [STT, LLM, TTS] {
        let at = |step| {
            let mark = healthy.iter().find(|mark| mark.turn.number() == 1 && mark.step == step);
            mark.expect("a step of the healthy call").at.as_millis()
        };
        let amid = u64::midpoint(at(Step::Began(stage)), at(Step::Done(stage)));
        let mut line = Line::greeted(config());
        line.says(1_000, 1_800, "a table for two");
        line.loses(stage, amid, 200);
        let steps = of_turn(&marks(&mut line, 9_000), 1);
        in_order(&steps, &[Step::Began(stage), Step::Lost(stage), Step::Back(stage), Step::Began(stage)]);
        in_order(&steps, &[Step::Began(stage), Step::Done(stage)]);
        assert_eq!(steps.iter().filter(|step| **step == Step::SpeechBegan).count(), 1);
    }
}

#[test]
fn a_stage_that_is_gone_ends_in_an_apology() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table for two");
    line.at(2_300, Input::StageLost { stage: TTS });
    line.at(2_310, Input::StageGone { stage: TTS });
    let marks = marks(&mut line, 9_000);
    in_order(&of_turn(&marks, 1), &[Step::Lost(TTS), Step::Gone(TTS), Step::Apology]);
}
