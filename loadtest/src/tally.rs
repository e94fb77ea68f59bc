//! What all callers of a run have measured so far.

use crate::playout::Gap;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Counts and histograms, shared by the callers of a run.
#[derive(Debug)]
pub struct Tally {
    /// End of the caller's last loud frame to the first loud frame of the answer.
    pub answer: Times,
    /// The last key to the first loud frame of the answer.
    pub key_answer: Times,
    /// Start of the caller's first loud frame over the bot to the bot's silence.
    pub barge_in: Times,
    /// How late our own frames were sent.
    pub lateness: Times,
    /// Gaps heard inside the bot's utterances.
    pub underruns: u64,
    /// Gaps because the caller had spoken.
    pub paused: u64,
    /// Answers that never began.
    pub missing: u64,
    /// Answers that began before the caller had finished.
    pub early: u64,
    /// Times that the bot began to speak inside of what the caller said.
    pub cut_in: u64,
    /// Times that the bot spoke on.
    pub ignored: u64,
    /// Times that the bot went on over a sound that was no interruption.
    pub went_on: u64,
    /// Times that the bot stopped because of one.
    pub words_cut: u64,
    /// Calls that the server had no place for, by how it said so.
    pub refusals: BTreeMap<String, u64>,
    /// Calls that failed, by what went wrong.
    pub errors: BTreeMap<String, u64>,
    /// Calls that began.
    pub calls: u64,
    /// Calls that are on now.
    pub active: u64,
    /// Answers since they were last taken, for the course of the run.
    recent: Vec<Duration>,
}

/// Durations in a histogram with a resolution of 0.1 %.
#[derive(Debug)]
pub struct Times(Histogram<u64>);

/// A piece of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its beginning in milliseconds, which belongs to it.
    pub from: u64,
    /// Its end in milliseconds, which does not.
    pub to: u64,
    /// How many times are in it; never zero.
    pub count: u64,
}

/// The pieces of histograms in reports.
const BUCKET: Duration = Duration::from_millis(10);

/// Different errors that are told apart.
const MOST_ERRORS: usize = 100;

/// Longer times count as this.
const LONGEST: Duration = Duration::from_secs(60);

impl Tally {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self {
            answer: Times::new(),
            key_answer: Times::new(),
            barge_in: Times::new(),
            lateness: Times::new(),
            underruns: 0,
            paused: 0,
            missing: 0,
            early: 0,
            cut_in: 0,
            ignored: 0,
            went_on: 0,
            words_cut: 0,
            refusals: BTreeMap::new(),
            errors: BTreeMap::new(),
            calls: 0,
            active: 0,
            recent: Vec::new(),
        }
    }

    /// A gap was heard.
    pub const fn gap(&mut self, gap: Gap) {
        match gap {
            Gap::Underrun => self.underruns += 1,
            Gap::Paused => self.paused += 1,
        }
    }

    /// An answer began after this time.
    pub fn answered(&mut self, after: Duration) {
        self.answer.record(after);
        self.recent.push(after);
    }

    /// The answers since this was last called.
    pub fn take_recent(&mut self) -> Vec<Duration> {
        std::mem::take(&mut self.recent)
    }

    /// The server had no place for a call.
    pub fn refused(&mut self, how: String) {
        *self.refusals.entry(how).or_default() += 1;
    }

    /// All calls that the server had no place for.
    pub fn refused_count(&self) -> u64 {
        self.refusals.values().sum()
    }

    /// A call failed. Messages that differ each time are counted together beyond a bound.
    pub fn error(&mut self, what: String) {
        let is_new = !self.errors.contains_key(&what);
        let what = if is_new && self.errors.len() >= MOST_ERRORS { "other errors".to_owned() } else { what };
        *self.errors.entry(what).or_default() += 1;
    }

    /// All calls that failed.
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }
}

impl Times {
    fn new() -> Self {
        let longest = u64::try_from(LONGEST.as_micros()).expect("a minute is few microseconds");
        Self(Histogram::new_with_bounds(1, longest, 3).expect("constant bounds that the histogram takes"))
    }

    /// Adds one.
    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// So many of a hundred are not longer than this, rounded up; `None` where there are none.
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.0.value_at_percentile(percent)))
    }

    /// Counted in pieces of 10 ms, empty ones left out.
    pub fn buckets(&self) -> Vec<Bucket> {
        let width = BUCKET.as_millis() as u64;
        let mut counts = BTreeMap::<u64, u64>::new();
        for value in self.0.iter_recorded() {
            let micros = value.value_iterated_to();
            *counts.entry(micros / 1_000 / width * width).or_default() += value.count_at_value();
        }
        counts.into_iter().map(|(from, count)| Bucket { from, to: from + width, count }).collect()
    }

    /// For each of these bounds, which grow, how many are not longer.
    pub fn not_longer_than<const N: usize>(&self, bounds: &[Duration; N]) -> [u64; N] {
        let mut counts = [0; N];
        for value in self.0.iter_recorded() {
            let time = Duration::from_micros(self.0.lowest_equivalent(value.value_iterated_to()));
            let bucket = bounds.partition_point(|bound| *bound < time);
            counts.iter_mut().skip(bucket).for_each(|count| *count += value.count_at_value());
        }
        counts
    }

    /// All of them together.
    pub fn sum(&self) -> Duration {
        Duration::from_micros((self.0.mean() * self.count() as f64) as u64)
    }

    /// The longest.
    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.0.max()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_measured_has_no_percentile() {
        let times = Times::new();
        assert_eq!((times.count(), times.percentile(50.0), times.max()), (0, None, None));
    }

    #[test]
    fn percentiles_are_within_a_thousandth() {
        let mut times = Times::new();
        (1..=1_000).for_each(|millis| times.record(Duration::from_millis(millis)));
        for (percent, millis) in [(50.0, 500.0), (95.0, 950.0), (100.0, 1_000.0)] {
            let found = times.percentile(percent).unwrap().as_secs_f64() * 1_000.0;
            assert!((found / millis - 1.0).abs() <= 0.001, "p{percent}: {found}");
        }
    }

    #[test]
    fn buckets_hold_every_time() {
        let mut times = Times::new();
        [101, 105, 109, 110, 354].into_iter().for_each(|ms| times.record(Duration::from_millis(ms)));
        let bucket = |from, count| Bucket { from, to: from + 10, count };
        assert_eq!(times.buckets(), [bucket(100, 3), bucket(110, 1), bucket(350, 1)]);
    }

    #[test]
    fn times_beyond_the_histogram_are_kept_at_its_end() {
        let mut times = Times::new();
        times.record(Duration::from_secs(3_600));
        assert!(times.max().is_some_and(|max| max >= LONGEST));
    }
}
