use super::config::Conduct;
use super::fault::{self, Extent, Fault, Limit};
use super::stats::Service;
use fastrand::Rng;
use std::time::Duration;

/// What becomes of one request: drawn from the seed of the run, the service and the number of the request, so that the
/// same requests in the same order meet the same fate again.
#[derive(Debug)]
pub struct Fate {
    /// How it fails, if it does.
    pub fault: Option<Fault>,
    /// From the complete request to the first byte.
    pub delay: Duration,
    /// For all else that is left to chance.
    pub rng: Rng,
    /// By how much everything is slower than usual.
    stretch: f64,
    /// Where its connection ends, if that is its fate.
    pub limit: Limit,
    /// Behind its answer the connection breaks off.
    pub breaks_off: bool,
}

impl Fate {
    /// Draws it; only failures that `may_strike` do.
    pub fn draw(seed: u64, conduct: &Conduct, extent: Extent, may_strike: impl Fn(Fault) -> bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let fault = fault::draw(conduct.fail.iter().filter(|rule| may_strike(rule.fault)), &mut rng);
        let stretch = if fault == Some(Fault::Slow) { extent.slow_factor } else { 1.0 };
        let delay = conduct.delay_ms.draw(&mut rng).mul_f64(stretch);
        Self { fault, delay, rng, stretch, limit: extent.limit, breaks_off: false }
    }

    /// What usually takes `time` in this request.
    pub fn stretched(&self, time: Duration) -> Duration {
        time.mul_f64(self.stretch)
    }
}

/// The seed of a request, or of part `part` of it.
pub fn seed(run: u64, service: Service, number: u64, part: u64) -> u64 {
    [service as u64, number, part].into_iter().fold(mixed(run), |seed, value| mixed(seed ^ value))
}

/// By `SplitMix64` (Steele, Lea, Flood 2014): neighbours come out far apart.
const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENT: Extent =
        Extent { slow_factor: 10.0, limit: Limit { after: Duration::from_secs(5), bytes: None } };

    fn conduct() -> Conduct {
        Conduct {
            delay_ms: "uniform(0,1000)".parse().unwrap(),
            fail: vec!["50%:slow".parse().unwrap(), "20%:500".parse().unwrap()],
        }
    }

    fn fates(run: u64, service: Service) -> Vec<(Option<Fault>, Duration)> {
        let draw = |number| Fate::draw(seed(run, service, number, 0), &conduct(), EXTENT, |_| true);
        (0..50).map(draw).map(|fate| (fate.fault, fate.delay)).collect()
    }

    #[test]
    fn a_seed_repeats_every_request_and_another_does_not() {
        assert_eq!(fates(1, Service::Llm), fates(1, Service::Llm));
        assert_ne!(fates(1, Service::Llm), fates(2, Service::Llm));
        assert_ne!(fates(1, Service::Llm), fates(1, Service::Tts));
    }

    #[test]
    fn what_is_slow_is_slower_in_all_by_the_same() {
        let all = Conduct { delay_ms: "100".parse().unwrap(), fail: vec!["100%:slow".parse().unwrap()] };
        let fate = Fate::draw(1, &all, EXTENT, |_| true);
        assert_eq!(fate.delay, Duration::from_secs(1));
        assert_eq!(fate.stretched(Duration::from_millis(10)), Duration::from_millis(100));
    }

    #[test]
    fn failures_that_may_not_strike_do_not() {
        let draw = |number| {
            Fate::draw(seed(1, Service::Listen, number, 0), &conduct(), EXTENT, Fault::is_of_handshakes)
        };
        assert!((0..200).map(draw).all(|fate| matches!(fate.fault, None | Some(Fault::Status(500)))));
    }
}
