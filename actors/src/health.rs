use crate::engines::Engines;
use ringway_stages::health::{Config, Health, HedgeBudget, Report, Standing};
use ringway_turn::StageKind;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The health of all services, as all calls of all media cores know it.
#[derive(Debug)]
pub struct ServiceHealth {
    began: Instant,
    /// By stage, in order of preference.
    services: [Vec<Arc<Health>>; StageKind::ALL.len()],
    /// Of requests to language models. Held for a moment, once a request.
    hedges: Mutex<HedgeBudget>,
}

impl ServiceHealth {
    /// Of services of which nothing is known yet. A stage may keep a caller waiting for `late_after`.
    pub fn new(engines: &Engines, config: &Config, late_after: Option<Duration>) -> Self {
        let of = |stage| {
            let names = engines.names(stage).into_iter();
            names.map(|name| Arc::new(Health::new(name, config, late_after))).collect()
        };
        let services = StageKind::ALL.map(of);
        Self { began: Instant::now(), services, hedges: Mutex::default() }
    }

    /// All services with what is known of them.
    pub fn reports(&self) -> impl Iterator<Item = (StageKind, &str, Report)> {
        let now = self.now();
        let stages = StageKind::ALL.into_iter().filter(|stage| *stage != StageKind::Vad);
        let of =
            move |stage: StageKind| self.services[stage as usize].iter().map(move |health| (stage, health));
        stages.flat_map(of).map(move |(stage, health)| (stage, &**health.service(), health.report(now)))
    }

    /// The time by which services are judged.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The health of one service of a stage.
    pub(crate) fn of(&self, stage: StageKind, service: usize) -> Option<&Arc<Health>> {
        self.services[stage as usize].get(service)
    }

    /// What may be expected of it now.
    pub(crate) fn standing(&self, stage: StageKind, service: usize) -> Standing {
        self.of(stage, service).map_or(Standing::Open, |health| health.standing(self.now()))
    }

    /// Takes the one try of a service that is due for one; `false`: somebody else has it.
    pub(crate) fn try_it(&self, stage: StageKind, service: usize) -> bool {
        self.of(stage, service).is_some_and(|health| health.try_it(self.now()))
    }

    /// A request was made that might be asked a second time.
    pub(crate) fn count_request(&self) {
        self.hedges().asked();
    }

    /// Takes the leave to ask one a second time; `false`: too many were.
    pub(crate) fn may_hedge(&self) -> bool {
        self.hedges().take()
    }

    /// It was not asked after all.
    pub(crate) fn did_not_hedge(&self) {
        self.hedges().give_back();
    }

    fn hedges(&self) -> MutexGuard<'_, HedgeBudget> {
        self.hedges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which of these services of a stage serves new calls: the first that does well, or else the best.
    pub(crate) fn first(&self, stage: StageKind, services: Range<usize>) -> usize {
        let begin = services.start;
        services.min_by_key(|service| self.standing(stage, *service).max(Standing::Doubtful)).unwrap_or(begin)
    }
}
