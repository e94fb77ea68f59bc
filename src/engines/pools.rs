use metrics::{counter, gauge};
use ringway_stages::pool::Counters;
use std::fmt;

/// The threads of blocking engines, as metrics see them.
#[derive(Default)]
pub struct Pools(Vec<Pool>);

struct Pool {
    name: &'static str,
    counters: Box<dyn Fn() -> Counters + Send + Sync>,
}

impl Pools {
    /// Watches a pool.
    pub fn add(&mut self, name: &'static str, counters: impl Fn() -> Counters + Send + Sync + 'static) {
        self.0.push(Pool { name, counters: Box::new(counters) });
    }

    /// Writes what they do into the metrics.
    pub fn report(&self) {
        for Pool { name, counters } in &self.0 {
            let now = counters();
            gauge!("ringway_pool_threads", "pool" => *name).set(now.engines as f64);
            gauge!("ringway_pool_jobs_running", "pool" => *name).set(now.running as f64);
            gauge!("ringway_pool_jobs_queued", "pool" => *name).set(now.queued as f64);
            counter!("ringway_pool_jobs_total", "pool" => *name).absolute(now.finished);
            counter!("ringway_pool_overloads_total", "pool" => *name).absolute(now.overloads);
            counter!("ringway_pool_panics_total", "pool" => *name).absolute(now.panics);
            counter!("ringway_pool_quarantined_total", "pool" => *name).absolute(now.quarantined);
        }
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|pool| pool.name)).finish()
    }
}
