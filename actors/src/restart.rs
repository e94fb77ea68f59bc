//! Restart policy: how often a stage may be rebuilt before the call escalates.

use serde::Deserialize;
use std::collections::VecDeque;
use std::time::Duration;

/// How often a stage may die: at most `max_restarts` times `within` a sliding window, then the next engine is tried.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestartConfig {
    /// Restarts of one engine in one call that are permitted within the window.
    pub max_restarts: usize,
    /// The window.
    #[serde(with = "crate::config::humane")]
    pub within: Duration,
}

impl Default for RestartConfig {
    fn default() -> Self {
        Self { max_restarts: 5, within: Duration::from_secs(30) }
    }
}

/// What is to be done about a dead stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Build it again, with this one of its engines.
    Restart {
        /// Index into the configured engines.
        engine: usize,
    },
    /// No engine is left.
    GiveUp,
}

/// One stage's restarts in one call (one-for-one, permanent).
#[derive(Debug)]
pub struct RestartBudget {
    config: RestartConfig,
    engines: usize,
    engine: usize,
    recent: VecDeque<Duration>,
    total: u32,
}

impl RestartBudget {
    /// A stage that can be served by `engines` engines, in order of preference.
    pub fn new(config: RestartConfig, engines: usize) -> Self {
        let recent = VecDeque::with_capacity(config.max_restarts + 1);
        Self { config, engines, engine: 0, recent, total: 0 }
    }

    /// The stage died `at` this time since the call began.
    pub fn died(&mut self, at: Duration) -> Decision {
        self.total += 1;
        let horizon = at.saturating_sub(self.config.within);
        self.recent.retain(|death| *death >= horizon);
        self.recent.push_back(at);
        if self.recent.len() > self.config.max_restarts {
            self.recent.clear();
            self.engine += 1;
        }
        if self.engine < self.engines { Decision::Restart { engine: self.engine } } else { Decision::GiveUp }
    }

    /// The present engine cannot be built: the next one's turn.
    pub fn unusable(&mut self) -> Decision {
        self.recent.clear();
        self.engine += 1;
        if self.engine < self.engines { Decision::Restart { engine: self.engine } } else { Decision::GiveUp }
    }

    /// Index of the engine that serves now.
    pub fn engine(&self) -> usize {
        self.engine
    }

    /// Deaths so far.
    pub fn total(&self) -> u32 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(engines: usize) -> RestartBudget {
        RestartBudget::new(RestartConfig { max_restarts: 2, within: Duration::from_secs(10) }, engines)
    }

    #[test]
    fn an_engine_that_keeps_dying_gives_way_to_the_next() {
        let mut stage = budget(2);
        let decisions: Vec<_> = (0..6).map(|second| stage.died(Duration::from_secs(second))).collect();
        let (first, second) = (Decision::Restart { engine: 0 }, Decision::Restart { engine: 1 });
        assert_eq!(decisions, [first, first, second, second, second, Decision::GiveUp]);
        assert_eq!(stage.total(), 6);
    }

    #[test]
    fn deaths_that_lie_far_apart_are_forgiven() {
        let mut stage = budget(1);
        for minute in 0..100 {
            assert_eq!(stage.died(Duration::from_secs(60 * minute)), Decision::Restart { engine: 0 });
        }
    }

    #[test]
    fn an_engine_that_cannot_be_built_is_passed_over() {
        let mut stage = budget(2);
        assert_eq!(stage.unusable(), Decision::Restart { engine: 1 });
        assert_eq!(stage.unusable(), Decision::GiveUp);
    }
}
