use super::sliding::Sliding;
use super::{Config, Standing};
use std::time::Duration;

/// A circuit breaker: closed while a service does well; open when it does not, so that nobody waits for it; half-open
/// while one request tries whether it does again.
#[derive(Clone, Debug)]
pub struct Circuit {
    config: Config,
    state: State,
    /// Failures since the last success.
    failures: u32,
    failed_at: Duration,
    /// How long it is open the next time.
    wait: Duration,
    outcomes: Sliding<2>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `=> Open` by failures in a row or by their share.
    Closed,
    /// `=> HalfOpen` by the first who tries after this time.
    Open { until: Duration },
    /// `=> Closed` by a success, `=> Open` by a failure; a try that tells nothing until this time gives way to another.
    HalfOpen { until: Duration },
}

/// Where a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// The service is asked.
    Closed,
    /// It is being tried.
    HalfOpen,
    /// Requests go elsewhere.
    Open,
}

/// Kinds of outcomes.
const GOOD: usize = 0;
const BAD: usize = 1;

/// Requests within the window from which on their share of failures tells something.
const ENOUGH: u64 = 10;

impl Circuit {
    /// A closed one.
    pub fn new(config: Config) -> Self {
        let (wait, outcomes) = (config.wait, Sliding::new(config.window));
        Self { config, state: State::Closed, failures: 0, failed_at: Duration::ZERO, wait, outcomes }
    }

    /// Where it stands.
    pub fn state(&self, now: Duration) -> CircuitState {
        match self.state {
            State::Closed => CircuitState::Closed,
            State::HalfOpen { until } if now < until => CircuitState::HalfOpen,
            State::Open { .. } | State::HalfOpen { .. } => CircuitState::Open,
        }
    }

    /// What may be expected of the service.
    pub fn standing(&self, now: Duration) -> Standing {
        match self.state {
            State::Closed if self.failures == 0 => Standing::Good,
            State::Closed if now < self.failed_at + self.config.wait => Standing::Doubtful,
            State::Closed => Standing::Due,
            State::Open { until } if now < until => Standing::Open,
            State::HalfOpen { until } if now < until => Standing::Tried,
            State::Open { .. } | State::HalfOpen { .. } => Standing::Due,
        }
    }

    /// Takes the one try that is due.
    pub fn try_it(&mut self, now: Duration) -> bool {
        let due = self.standing(now) == Standing::Due;
        if due {
            self.state = State::HalfOpen { until: now + self.config.wait };
        }
        due
    }

    /// A request was answered. While nobody is to ask, it was asked before and proves nothing.
    pub fn succeeded(&mut self, now: Duration) {
        match self.state {
            State::Closed => {
                self.failures = 0;
                self.outcomes.add(GOOD, now);
            }
            State::Open { .. } => {}
            State::HalfOpen { .. } => *self = Self::new(self.config.clone()),
        }
    }

    /// A request failed.
    pub fn failed(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = self.failed_at.max(now);
        match self.state {
            State::Closed => {
                self.outcomes.add(BAD, now);
                if self.failures >= self.config.failures.max(1) || self.fails_too_often(now) {
                    self.open(now);
                }
            }
            State::Open { .. } => {}
            State::HalfOpen { .. } => self.open(now),
        }
    }

    /// A request was answered too late.
    pub fn late(&mut self, now: Duration) {
        match self.state {
            State::Closed => {
                self.outcomes.add(BAD, now);
                if self.fails_too_often(now) {
                    self.open(now);
                }
            }
            State::Open { .. } => {}
            State::HalfOpen { .. } => self.open(now),
        }
    }

    fn fails_too_often(&mut self, now: Duration) -> bool {
        let [good, bad] = self.outcomes.counts(now);
        good + bad >= ENOUGH && bad as f64 >= (good + bad) as f64 * f64::from(self.config.rate)
    }

    fn open(&mut self, now: Duration) {
        self.state = State::Open { until: now + self.wait };
        self.wait = (self.wait * 2).min(self.config.wait_max.max(self.config.wait));
        self.outcomes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn broken(at: Duration) -> Circuit {
        let mut circuit = Circuit::new(Config::default());
        (0..3).for_each(|_| circuit.failed(at));
        circuit
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let mut circuit = Circuit::new(Config::default());
        for second in 0..30 {
            circuit.failed(ms(second * 1_000));
            circuit.failed(ms(second * 1_000));
            circuit.succeeded(ms(second * 1_000));
            (0..3).for_each(|_| circuit.succeeded(ms(second * 1_000)));
        }
        assert_eq!(circuit.state(ms(30_000)), CircuitState::Closed);
        (0..3).for_each(|_| circuit.failed(ms(30_000)));
        assert_eq!(circuit.state(ms(30_000)), CircuitState::Open);
    }

    #[test]
    fn a_share_of_failures_opens_it_though_none_follows_another() {
        let mut circuit = Circuit::new(Config::default());
        for request in 0..5 {
            assert_eq!(circuit.state(ms(request)), CircuitState::Closed);
            circuit.succeeded(ms(request));
            circuit.failed(ms(request));
        }
        assert_eq!(circuit.state(ms(5)), CircuitState::Open);
    }

    #[test]
    fn answers_that_come_too_late_open_it() {
        let mut circuit = Circuit::new(Config::default());
        (0..10).for_each(|request| circuit.late(ms(request)));
        assert_eq!(circuit.state(ms(10)), CircuitState::Open);
    }

    #[test]
    fn one_may_try_it_and_a_success_closes_it() {
        let mut circuit = broken(ms(0));
        assert_eq!(circuit.standing(ms(4_999)), Standing::Open);
        assert_eq!(circuit.standing(ms(5_000)), Standing::Due);
        assert!(circuit.try_it(ms(5_000)) && !circuit.try_it(ms(5_000)));
        assert_eq!(circuit.standing(ms(5_001)), Standing::Tried);
        circuit.succeeded(ms(5_100));
        assert_eq!(circuit.standing(ms(5_100)), Standing::Good);
    }

    #[test]
    fn each_try_that_fails_doubles_the_wait_up_to_its_bound() {
        let (mut circuit, mut now) = (broken(ms(0)), ms(0));
        let waits: Vec<u64> = (0..7)
            .map(|_| {
                let wait = (0..).find(|second| circuit.standing(now + ms(second * 1_000)) == Standing::Due);
                let wait = wait.expect("a try is due some time");
                now += ms(wait * 1_000);
                assert!(circuit.try_it(now));
                circuit.failed(now);
                wait
            })
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 120, 120]);
    }

    #[test]
    fn a_try_that_tells_nothing_gives_way_to_another() {
        let mut circuit = broken(ms(0));
        assert!(circuit.try_it(ms(5_000)));
        assert_eq!(circuit.standing(ms(9_999)), Standing::Tried);
        assert!(circuit.try_it(ms(10_000)));
    }

    #[test]
    fn what_failed_once_is_doubted_and_then_tried_by_one() {
        let mut circuit = Circuit::new(Config::default());
        circuit.failed(ms(0));
        assert_eq!(circuit.standing(ms(1)), Standing::Doubtful);
        assert!(circuit.try_it(ms(5_000)));
        assert_eq!(circuit.standing(ms(5_000)), Standing::Tried);
        circuit.failed(ms(5_100));
        assert_eq!(circuit.standing(ms(5_100)), Standing::Open, "it takes no third failure");
    }

    #[test]
    fn what_failed_once_is_trusted_again_when_it_has_answered_anybody() {
        let mut circuit = Circuit::new(Config::default());
        circuit.failed(ms(0));
        circuit.succeeded(ms(2));
        assert_eq!(circuit.standing(ms(2)), Standing::Good);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Wait(u64),
        Try,
        Succeed,
        Fail,
        Late,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..20_000u64).prop_map(Step::Wait),
            Just(Step::Try),
            Just(Step::Succeed),
            Just(Step::Fail),
            Just(Step::Late)
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_a_service_is_asked_again_some_time_and_by_one_at_a_time(steps in proptest::collection::vec(step(), 0..200)) {
            let (mut circuit, mut now) = (Circuit::new(Config::default()), ms(0));
            for step in steps {
                let before = circuit.standing(now);
                match step {
                    Step::Wait(millis) => now += ms(millis),
                    Step::Try => {
                        prop_assert_eq!(circuit.try_it(now), before == Standing::Due);
                        prop_assert!(!circuit.try_it(now));
                    }
                    Step::Succeed => {
                        circuit.succeeded(now);
                        let closed = matches!(before, Standing::Good | Standing::Doubtful | Standing::Tried);
                        prop_assert!(!closed || circuit.standing(now) == Standing::Good);
                    }
                    Step::Fail => {
                        circuit.failed(now);
                        prop_assert_ne!(circuit.standing(now), Standing::Good);
                    }
                    Step::Late => circuit.late(now),
                }
            }
            let later = now + Config::default().wait_max;
            prop_assert!(!matches!(circuit.standing(later), Standing::Open | Standing::Tried));
        }
    }
}
