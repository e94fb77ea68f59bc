//! How well a service does, known across calls: what the next call, and the next turn, choose by.
//!
//! Everything here is driven by the time that it is given. A service's state is behind a lock that is taken a few times
//! a request and held for a few hundred additions, never by a frame.

mod circuit;
mod hedge;
mod latencies;
mod sliding;

pub use circuit::{Circuit, CircuitState};
pub use hedge::HedgeBudget;
pub use latencies::Latencies;

use crate::humane;
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// When a service's circuit opens, and for how long. Of a chain with one service nothing of it counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Consecutive failures that open the circuit. Default 3.
    pub failures: u32,
    /// The share of failed and late requests within `window` that opens it. Default 0.5; from 10 requests on.
    pub rate: f32,
    /// The window in which that share is counted. Default 30 s.
    #[serde(with = "humane")]
    pub window: Duration,
    /// An answer whose first result took longer than this many times what a stage may keep a caller waiting
    /// (`turn.answer_budget`, `turn.late_share`) counts as late even if no caller waited for it. Default 1.5.
    pub late_factor: f32,
    /// How long it stays open at first, before one request probes the service. Default 5 s; doubled by each
    /// probe that fails.
    #[serde(with = "humane")]
    pub wait: Duration,
    /// The longest that it stays open before a probe. Default 2 min.
    #[serde(with = "humane")]
    pub wait_max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            failures: 3,
            rate: 0.5,
            window: Duration::from_secs(30),
            late_factor: 1.5,
            wait: Duration::from_secs(5),
            wait_max: Duration::from_secs(120),
        }
    }
}

/// What may be expected of a service now, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does well, as far as is known.
    Good,
    /// It failed lately and has not answered since.
    Doubtful,
    /// It was open for long enough: one request may probe the service.
    Due,
    /// It is being tried.
    Tried,
    /// Requests go elsewhere.
    Open,
}

/// The health of one service.
#[derive(Debug)]
pub struct Health {
    service: Arc<str>,
    /// First results that are later are late; `None`: none is.
    late: Option<Duration>,
    /// Held for a moment, a few times a request; calls on several cores share a service.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    circuit: Circuit,
    latencies: Latencies,
}

/// What is known of a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Its circuit.
    pub circuit: CircuitState,
    /// First results within the window: the median and the 95th percentile.
    pub quantiles: Option<(Duration, Duration)>,
}

impl Health {
    /// Of the service of this name, of which nothing is known. First results after `budget` times the configured factor
    /// are late.
    pub fn new(service: &str, config: &Config, budget: Option<Duration>) -> Self {
        let late = budget.map(|budget| budget.mul_f64(config.late_factor.max(0.0).into()));
        let circuit = Circuit::new(config.clone());
        let latencies = Latencies::new(config.window);
        Self { service: service.into(), late, state: Mutex::new(State { circuit, latencies }) }
    }

    /// The service's name.
    pub fn service(&self) -> &Arc<str> {
        &self.service
    }

    /// What may be expected of it.
    pub fn standing(&self, now: Duration) -> Standing {
        self.state().circuit.standing(now)
    }

    /// Takes the one try of a service whose standing is [`Standing::Due`]; `false`: somebody else has it.
    pub fn try_it(&self, now: Duration) -> bool {
        self.state().circuit.try_it(now)
    }

    /// The first result of a request came after so long.
    pub fn began(&self, after: Duration, now: Duration) {
        let late = self.late.is_some_and(|late| after > late);
        let mut state = self.state();
        state.latencies.add(after, now);
        if late {
            state.circuit.late(now);
        }
    }

    /// A request was given up after so long without a result, because another gave one: it would have taken longer, and
    /// nothing else is known of it. Left out, the slowest would never be counted, and ever more be found slow.
    pub fn outrun(&self, after: Duration, now: Duration) {
        self.state().latencies.add(after, now);
    }

    /// A request was answered whole.
    pub fn succeeded(&self, now: Duration) {
        self.state().circuit.succeeded(now);
    }

    /// A request failed, or was given up because it was late.
    pub fn failed(&self, now: Duration) {
        self.state().circuit.failed(now);
    }

    /// What is known.
    pub fn report(&self, now: Duration) -> Report {
        let mut state = self.state();
        let circuit = state.circuit.state(now);
        let median = state.latencies.quantile(0.5, now);
        Report { circuit, quantiles: median.zip(state.latencies.quantile(0.95, now)) }
    }

    /// The time within which 95 of 100 requests gave their first result, once there are enough to tell.
    pub fn p95(&self, now: Duration) -> Option<Duration> {
        self.state().latencies.quantile(0.95, now)
    }

    /// A panic while it is held would leave counts that are short by one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
