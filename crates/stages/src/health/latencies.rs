use super::sliding::Sliding;
use std::time::Duration;

/// First results of a service within a sliding window: a small histogram whose bounds grow by a fifth.
#[derive(Clone, Debug)]
pub struct Latencies(Sliding<BUCKETS>);

/// From 1 ms to beyond 10 s.
const BUCKETS: usize = 52;

const GROWTH: f64 = 1.2;

/// Fewer tell nothing of the slowest twentieth.
const ENOUGH: u64 = 20;

impl Latencies {
    /// Within a window of this length.
    pub fn new(window: Duration) -> Self {
        Self(Sliding::new(window))
    }

    /// One more.
    pub fn add(&mut self, latency: Duration, now: Duration) {
        self.0.add(bucket(latency), now);
    }

    /// The time within which this share of them came, a fifth too long at most; `None`: there are fewer than 20.
    pub fn quantile(&mut self, share: f64, now: Duration) -> Option<Duration> {
        let counts = self.0.counts(now);
        let all: u64 = counts.iter().sum();
        if all < ENOUGH {
            return None;
        }
        let wanted = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let found = counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map(bound)
    }
}

/// The bucket whose bounds enclose this time.
fn bucket(latency: Duration) -> usize {
    let millis = latency.as_secs_f64() * 1_000.0;
    let steps = (millis.max(1.0).ln() / GROWTH.ln()).ceil();
    (steps as usize).min(BUCKETS - 1)
}

/// The longest time in a bucket.
fn bound(bucket: usize) -> Duration {
    Duration::from_secs_f64(GROWTH.powi(bucket as i32) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quantile_is_a_fifth_too_long_at_most(
            mut millis in proptest::collection::vec(1..10_000u64, 20..200),
            share in 0.01..1.0f64,
        ) {
            let mut latencies = Latencies::new(Duration::from_secs(60));
            for millis in &millis {
                latencies.add(Duration::from_millis(*millis), Duration::from_secs(1));
            }
            millis.sort_unstable();
            let exact = millis[((millis.len() as f64 * share).ceil() as usize).max(1) - 1] as f64 / 1_000.0;
            let told = latencies.quantile(share, Duration::from_secs(1)).unwrap().as_secs_f64();
            prop_assert!(told >= exact * 0.999 && told <= exact * 1.201, "{exact} {told}");
        }
    }

    #[test]
    fn a_few_tell_nothing() {
        let mut latencies = Latencies::new(Duration::from_secs(60));
        for _ in 0..19 {
            latencies.add(Duration::from_millis(100), Duration::ZERO);
        }
        assert_eq!(latencies.quantile(0.5, Duration::ZERO), None);
        latencies.add(Duration::from_millis(100), Duration::ZERO);
        assert!(latencies.quantile(0.5, Duration::ZERO).is_some());
        assert_eq!(latencies.quantile(0.5, Duration::from_secs(100)), None, "they are forgotten");
    }
}
