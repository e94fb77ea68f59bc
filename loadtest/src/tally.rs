//! What all callers of a run have measured so far.

use crate::playout::Gap;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// Counts and histograms, shared by the callers of a run.
#[derive(Debug)]
pub struct Tally {
    /// End of the caller's last loud frame to the first loud frame of the answer.
    pub answer: Times,
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
    /// Times that the bot spoke on.
    pub ignored: u64,
    /// Calls that the server had no place for.
    pub refused: u64,
    /// Calls that failed, by what went wrong.
    pub errors: BTreeMap<String, u64>,
    /// Calls that began.
    pub calls: u64,
    /// Calls that are on now.
    pub active: u64,
}

/// Durations in a histogram with a resolution of 0.1 %.
#[derive(Debug)]
pub struct Times(Histogram<u64>);

/// Longer times count as this.
const LONGEST: Duration = Duration::from_secs(60);

impl Tally {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self {
            answer: Times::new(),
            barge_in: Times::new(),
            lateness: Times::new(),
            underruns: 0,
            paused: 0,
            missing: 0,
            early: 0,
            ignored: 0,
            refused: 0,
            errors: BTreeMap::new(),
            calls: 0,
            active: 0,
        }
    }

    /// A gap was heard.
    pub const fn gap(&mut self, gap: Gap) {
        match gap {
            Gap::Underrun => self.underruns += 1,
            Gap::Paused => self.paused += 1,
        }
    }

    /// A call failed.
    pub fn error(&mut self, what: String) {
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

    /// So many of a hundred are not longer than this; `None` where there are none.
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.0.value_at_percentile(percent)))
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
    fn times_beyond_the_histogram_are_kept_at_its_end() {
        let mut times = Times::new();
        times.record(Duration::from_secs(3_600));
        assert!(times.max().is_some_and(|max| max >= LONGEST));
    }
}
