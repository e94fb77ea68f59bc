use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// How long to wait before something that failed is tried again: not at all at first, then twice as long each time.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    /// Failures in a row.
    failures: u32,
    /// The last one.
    at: Duration,
}

/// Before the second attempt in a row.
const FIRST: Duration = Duration::from_millis(100);

/// At most.
const LONGEST: Duration = Duration::from_secs(10);

/// What has done well for so long begins anew.
const FORGIVEN_AFTER: Duration = Duration::from_secs(30);

impl Backoff {
    /// It failed `at` this time, by any clock that does not go back; the time to wait before the next attempt.
    pub fn failed(&mut self, at: Duration) -> Duration {
        if at.saturating_sub(self.at) >= FORGIVEN_AFTER {
            self.failures = 0;
        }
        self.at = at;
        self.failures = self.failures.saturating_add(1);
        match self.failures {
            1 => Duration::ZERO,
            failures => LONGEST.min(FIRST * 2_u32.saturating_pow((failures - 2).min(16))),
        }
    }

    /// The same for one of many that fail together: never at once, and up to a half sooner or later, so that they do not
    /// come back together.
    pub fn failed_among_many(&mut self, at: Duration) -> Duration {
        let share = RandomState::new().hash_one(at) as f64 / u64::MAX as f64;
        self.failed(at).max(FIRST).mul_f64(0.5 + share)
    }

    /// Failures in a row, none longer than 30 s after the one before it.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound() {
        let mut backoff = Backoff::default();
        let mut now = Duration::from_secs(100);
        let waits: Vec<_> = (0..10)
            .map(|_| {
                let wait = backoff.failed(now);
                now += wait;
                wait.as_millis()
            })
            .collect();
        assert_eq!(waits, [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        assert_eq!(backoff.failures(), 10);
    }

    #[test]
    fn many_that_fail_together_do_not_come_back_together() {
        let waits: Vec<_> = (0..100)
            .map(|_| {
                let mut backoff = Backoff::default();
                (0..5).for_each(|_| _ = backoff.failed(Duration::ZERO));
                backoff.failed_among_many(Duration::ZERO).as_millis()
            })
            .collect();
        assert!(waits.iter().all(|wait| (800..=2_400).contains(wait)), "{waits:?}");
        let apart = waits.iter().max().unwrap() - waits.iter().min().unwrap();
        assert!(apart > 800, "{waits:?}");
        let first = Backoff::default().failed_among_many(Duration::ZERO).as_millis();
        assert!((50..=150).contains(&first), "{first}");
    }

    #[test]
    fn what_did_well_for_long_is_tried_again_at_once() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.failed(Duration::from_secs(1));
        }
        assert_eq!(backoff.failed(Duration::from_secs(31)), Duration::ZERO);
        assert_eq!(backoff.failures(), 1);
    }
}
