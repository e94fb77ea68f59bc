//! The course of a run, second by second.

use crate::tally::Tally;
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happened in one second of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Second {
    /// Its end, in seconds since the run began.
    pub at: f64,
    /// Calls that were on then.
    pub calls: u64,
    /// Answers that began.
    pub answers: u64,
    /// The median of their times, in milliseconds.
    pub p50: Option<f64>,
    /// The longest of their times, in milliseconds.
    pub max: Option<f64>,
    /// Gaps inside the bot's utterances.
    pub underruns: u64,
    /// Answers given up.
    pub missing: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Calls that failed.
    pub errors: u64,
}

/// Takes a look at the tally once a second.
#[derive(Debug, Default)]
pub struct Timeline {
    seconds: Vec<Second>,
    next: MediaTime,
    before: Counts,
}

/// Counts that only grow.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    underruns: u64,
    missing: u64,
    refused: u64,
    errors: u64,
}

const SECOND: Duration = Duration::from_secs(1);

impl Timeline {
    /// A run begins at zero.
    pub fn new() -> Self {
        Self { next: MediaTime::ZERO + SECOND, ..Self::default() }
    }

    /// Looks, when a second is over.
    pub fn look(&mut self, now: MediaTime, tally: &mut Tally) {
        if now >= self.next {
            self.next = now + SECOND;
            self.add(now, tally);
        }
    }

    /// The whole course, with what happened since the last look.
    pub fn finish(mut self, now: MediaTime, tally: &mut Tally) -> Vec<Second> {
        self.add(now, tally);
        self.seconds
    }

    fn add(&mut self, now: MediaTime, tally: &mut Tally) {
        let mut answers = tally.take_recent();
        answers.sort_unstable();
        let millis = |time: &Duration| time.as_secs_f64() * 1_000.0;
        let counts = Counts::of(tally);
        let before = std::mem::replace(&mut self.before, counts);
        self.seconds.push(Second {
            at: (now.since_start().as_secs_f64() * 10.0).round() / 10.0,
            calls: tally.active,
            answers: answers.len() as u64,
            p50: answers.get(answers.len() / 2).map(millis),
            max: answers.last().map(millis),
            underruns: counts.underruns - before.underruns,
            missing: counts.missing - before.missing,
            refused: counts.refused - before.refused,
            errors: counts.errors - before.errors,
        });
    }
}

impl Counts {
    fn of(tally: &Tally) -> Self {
        let Tally { underruns, missing, .. } = *tally;
        Self { underruns, missing, refused: tally.refused_count(), errors: tally.error_count() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_what_happened_in_it() {
        let (mut timeline, mut tally) = (Timeline::new(), Tally::new());
        tally.answered(Duration::from_millis(300));
        tally.answered(Duration::from_millis(500));
        tally.underruns = 2;
        timeline.look(MediaTime::from_millis(900), &mut tally);
        timeline.look(MediaTime::from_millis(1_000), &mut tally);
        tally.missing = 1;
        timeline.look(MediaTime::from_millis(2_000), &mut tally);
        tally.error("gone".into());
        let course = timeline.finish(MediaTime::from_millis(2_100), &mut tally);
        let counts = |of: fn(&Second) -> u64| course.iter().map(of).collect::<Vec<_>>();
        assert_eq!(counts(|second| second.answers), [2, 0, 0]);
        assert_eq!(counts(|second| second.underruns), [2, 0, 0]);
        assert_eq!(counts(|second| second.missing), [0, 1, 0]);
        assert_eq!(counts(|second| second.errors), [0, 0, 1]);
        assert_eq!((course[0].p50, course[0].max, course[1].max), (Some(500.0), Some(500.0), None));
    }
}
