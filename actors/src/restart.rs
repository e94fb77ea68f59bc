//! Restart policy: how often a stage may be rebuilt before the call escalates.

use ringway_stages::humane;
use serde::Deserialize;
use std::collections::VecDeque;
use std::time::Duration;

/// How often a service may fail a call: at most `max_restarts` times `within` a sliding window.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestartConfig {
    /// Restarts of one engine in one call that are permitted within the window.
    pub max_restarts: usize,
    /// The window.
    #[serde(with = "humane")]
    pub within: Duration,
}

impl Default for RestartConfig {
    fn default() -> Self {
        Self { max_restarts: 5, within: Duration::from_secs(30) }
    }
}

/// What one service has left of its restarts in one call (one-for-one, permanent).
#[derive(Debug)]
pub(crate) struct RestartBudget {
    config: RestartConfig,
    recent: VecDeque<Duration>,
}

impl RestartBudget {
    pub(crate) fn new(config: RestartConfig) -> Self {
        let recent = VecDeque::with_capacity(config.max_restarts + 1);
        Self { config, recent }
    }

    /// It died `at` this time since the call began.
    pub(crate) fn died(&mut self, at: Duration) {
        self.recent.push_back(at);
        if self.recent.len() > self.config.max_restarts + 1 {
            self.recent.pop_front();
        }
    }

    /// It died lately.
    pub(crate) fn is_touched(&self, at: Duration) -> bool {
        self.recent(at) > 0
    }

    /// It died more often than it may.
    pub(crate) fn is_spent(&self, at: Duration) -> bool {
        self.recent(at) > self.config.max_restarts
    }

    fn recent(&self, at: Duration) -> usize {
        let horizon = at.saturating_sub(self.config.within);
        self.recent.iter().filter(|death| **death >= horizon).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent_after(seconds: impl IntoIterator<Item = u64>) -> Vec<bool> {
        let config = RestartConfig { max_restarts: 2, within: Duration::from_secs(10) };
        let mut budget = RestartBudget::new(config);
        let die = |second| {
            budget.died(Duration::from_secs(second));
            budget.is_spent(Duration::from_secs(second))
        };
        seconds.into_iter().map(die).collect()
    }

    #[test]
    fn what_keeps_dying_is_given_up() {
        assert_eq!(spent_after([0, 1, 2, 3]), [false, false, true, true]);
    }

    #[test]
    fn deaths_that_lie_far_apart_are_forgiven() {
        assert!(spent_after((0..100).map(|minute| 60 * minute)).into_iter().all(|spent| !spent));
    }
}
