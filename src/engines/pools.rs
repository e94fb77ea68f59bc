use super::knowledge::{self, Librarian};
use metrics::{counter, gauge};
use ringway_speech_cache::{Counters as CacheCounters, Tiers};
use ringway_stages::pool::Counters;
use std::fmt;
use std::sync::Arc;

/// The threads of blocking engines, and the speech that is kept, as metrics see them.
#[derive(Default)]
pub struct Pools {
    pools: Vec<Pool>,
    /// The speech that is kept.
    pub tiers: Option<Arc<Tiers>>,
    /// What answers from the knowledge base.
    librarian: Option<Librarian>,
}

struct Pool {
    name: String,
    counters: Box<dyn Fn() -> Counters + Send + Sync>,
}

impl Pools {
    /// No pools yet; searches of this librarian are reported too.
    pub fn beside(librarian: Option<Librarian>) -> Self {
        Self { librarian, ..Self::default() }
    }

    /// Watches a pool.
    pub fn add(&mut self, name: &'static str, counters: impl Fn() -> Counters + Send + Sync + 'static) {
        self.pools.push(Pool { name: name.to_owned(), counters: Box::new(counters) });
    }

    /// Watches those of another language too.
    pub(super) fn join(&mut self, others: Self, code: &str) {
        let named =
            others.pools.into_iter().map(|pool| Pool { name: format!("{}/{code}", pool.name), ..pool });
        self.pools.extend(named);
    }

    /// Writes what they do into the metrics.
    pub fn report(&self) {
        for Pool { name, counters } in &self.pools {
            let now = counters();
            gauge!("ringway_pool_threads", "pool" => name.clone()).set(now.engines as f64);
            gauge!("ringway_pool_jobs_running", "pool" => name.clone()).set(now.running as f64);
            gauge!("ringway_pool_jobs_queued", "pool" => name.clone()).set(now.queued as f64);
            counter!("ringway_pool_jobs_total", "pool" => name.clone()).absolute(now.finished);
            counter!("ringway_pool_overloads_total", "pool" => name.clone()).absolute(now.overloads);
            counter!("ringway_pool_panics_total", "pool" => name.clone()).absolute(now.panics);
            counter!("ringway_pool_quarantined_total", "pool" => name.clone()).absolute(now.quarantined);
        }
        if let Some(tiers) = &self.tiers {
            let now = tiers.counters();
            report_cache("memory", &now.memory);
            now.disk.iter().for_each(|disk| report_cache("disk", disk));
        }
        knowledge::report(self.librarian.as_ref());
    }
}

fn report_cache(tier: &'static str, now: &CacheCounters) {
    counter!("ringway_speech_cache_hits_total", "tier" => tier).absolute(now.hits);
    counter!("ringway_speech_cache_misses_total", "tier" => tier).absolute(now.misses);
    counter!("ringway_speech_cache_evictions_total", "tier" => tier).absolute(now.evictions);
    counter!("ringway_speech_cache_damaged_total", "tier" => tier).absolute(now.damaged);
    gauge!("ringway_speech_cache_clauses", "tier" => tier).set(now.clauses as f64);
    gauge!("ringway_speech_cache_bytes", "tier" => tier).set(now.bytes as f64);
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pools.iter().map(|pool| &pool.name)).finish()
    }
}
