//! A bounded pool of OS threads for engines that block.
//!
//! ```text
//!  session ──submit──► one bounded queue an urgency ──► thread ─ owns ─► engine
//!     ▲                                                   │
//!     └──────────── ticket: the result, or why not ◄──────┘        watchdog: quarantines stuck threads
//! ```
//!
//! A job brings everything it needs: audio goes to and from it only through rings of its own. So a thread that
//! never comes back can be abandoned whole, with its engine and its rings, and the call goes on with another.

mod counters;
mod job;
mod queue;
mod roster;
mod worker;

pub use counters::Counters;
pub use job::{Cancelled, Control, JobError, Ticket};

use crate::stt::Urgency;
use counters::Meters;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use queue::Queues;
use roster::Roster;
use std::convert::Infallible;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How large a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Threads, each with an engine of its own: what works at one time.
    pub threads: NonZeroUsize,
    /// Jobs that may wait, for each urgency; beyond it the newest is refused.
    pub queue: usize,
    /// A running job that passes no [`Control::checkpoint`] for so long is stuck.
    pub stuck_after: Duration,
    /// Threads that may be abandoned at one time: each costs its memory for good, or until it comes back.
    pub max_quarantined: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            threads: NonZeroUsize::new(2).expect("two is not zero"),
            queue: 32,
            stuck_after: Duration::from_secs(2),
            max_quarantined: 8,
        }
    }
}

/// Threads that each own an engine `E`, built on the thread itself, so that it need not be [`Send`].
///
/// Dropping it cancels what runs and refuses what waits; [`shut_down`](Self::shut_down) also waits for the threads.
pub struct EnginePool<E> {
    shared: Arc<Shared<E>>,
    /// Disconnected when the last thread has gone.
    gone: Receiver<Infallible>,
}

/// Why a job was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// All engines are busy and the queue is full, or the job is a guess and the engines have other work.
    #[error("all engines are busy ({queued} jobs waiting)")]
    Overloaded {
        /// How many jobs wait.
        queued: usize,
    },
    /// The pool is shut down, or every engine was lost and none can be built at the moment.
    #[error("no engine is left")]
    NoEngine,
}

/// An engine could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the engine cannot be built: {0}")]
pub struct StartError(#[source] pub BuildError);

/// What a factory of engines says when it fails.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

/// What the threads share.
///
/// `roster` is a lock: who works on what. It is taken twice a job by an engine's thread and once by the session
/// that submits one, for a few list operations, never for a frame; atomics would not do, since "no engine is left"
/// and "this job waits" must be decided together, or a job waits for ever.
struct Shared<E> {
    name: &'static str,
    config: Config,
    factory: Box<dyn Fn() -> Result<E, BuildError> + Send + Sync>,
    queues: Queues<E>,
    roster: Mutex<Roster>,
    meters: Meters,
    started: Instant,
    closing: Receiver<Infallible>,
}

impl<E: 'static> EnginePool<E> {
    /// Starts the threads and waits until each has its engine.
    ///
    /// # Errors
    /// The factory's first error; threads that have an engine end again.
    pub fn start(
        name: &'static str,
        config: Config,
        factory: impl Fn() -> Result<E, BuildError> + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let (closing_guard, closing) = bounded(0);
        let (alive, gone) = bounded(0);
        let shared = Arc::new(Shared {
            name,
            config,
            factory: Box::new(factory),
            queues: Queues::new(config.queue),
            roster: Mutex::new(Roster::new(closing_guard, alive.clone())),
            meters: Meters::default(),
            started: Instant::now(),
            closing,
        });
        let pool = Self { shared, gone };
        let threads = config.threads.get();
        let (built, outcomes) = bounded(threads);
        for _ in 0..threads {
            worker::spawn(&pool.shared, alive.clone(), Some(built.clone()));
        }
        drop(built);
        for outcome in outcomes {
            outcome.map_err(StartError)?;
        }
        if pool.shared.roster().is_empty() {
            return Err(StartError("the system gives no thread".into()));
        }
        spawn_watchdog(pool.shared.clone(), alive);
        Ok(pool)
    }

    /// Queues `work`, to be done by the first free engine after everything more urgent.
    ///
    /// A [`Urgency::Partial`] is taken only while an engine is free, and is cancelled when something more urgent
    /// needs its engine. Dropping the ticket cancels the job.
    ///
    /// # Errors
    /// [`SubmitError`]; overloads are counted.
    pub fn submit<R: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&mut E, &Control) -> Result<R, Cancelled> + Send + 'static,
    ) -> Result<Ticket<R>, SubmitError> {
        let (job, ticket) = job::job(self.shared.started, urgency, work);
        // Held until the job is queued: see `Shared`.
        let roster = self.shared.roster();
        if roster.is_empty() || roster.is_closed() {
            return Err(SubmitError::NoEngine);
        }
        let queued = self.shared.queues.len();
        let free = roster.idle() > queued;
        if (urgency == Urgency::Partial && !free) || self.shared.queues.push(job).is_err() {
            self.shared.meters.overloads.increment();
            return Err(SubmitError::Overloaded { queued });
        }
        if !free {
            roster.preempt_partial();
        }
        Ok(ticket)
    }

    /// Engines that work or wait for work at the moment; with none, [`submit`](Self::submit) is refused.
    pub fn engines(&self) -> usize {
        let roster = self.shared.roster();
        if roster.is_closed() { 0 } else { roster.len() }
    }

    /// What the pool has done and does, for metrics.
    pub fn counters(&self) -> Counters {
        let roster = self.shared.roster();
        self.shared.meters.snapshot(&roster, self.shared.queues.len())
    }

    /// Abandons each thread whose job has passed no checkpoint for [`Config::stuck_after`] before `now`, and starts
    /// another in its place; how many. The pool's own watchdog calls it all the time.
    pub fn quarantine_stuck(&self, now: Instant) -> usize {
        worker::quarantine_stuck(&self.shared, now)
    }

    /// Cancels what runs, refuses what waits, and waits for the threads, at most `bound`; whether all have ended.
    pub fn shut_down(&self, bound: Duration) -> bool {
        self.shared.close();
        matches!(self.gone.recv_timeout(bound), Err(RecvTimeoutError::Disconnected))
    }
}

impl<E> Shared<E> {
    /// The lock is held over list operations only, which leave it whole even where one panics.
    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut roster = self.roster();
        roster.close();
        // What still waits would keep its sessions waiting.
        self.queues.clear();
    }
}

impl<E> Drop for EnginePool<E> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<E> fmt::Debug for EnginePool<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnginePool").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

/// Looks for stuck threads several times within the bound, until the pool closes.
fn spawn_watchdog<E: 'static>(shared: Arc<Shared<E>>, alive: Sender<Infallible>) {
    let period = (shared.config.stuck_after / 8).max(Duration::from_millis(1));
    let name = format!("{}-watchdog", shared.name);
    let watch = move || {
        let _alive = alive;
        while matches!(shared.closing.recv_timeout(period), Err(RecvTimeoutError::Timeout)) {
            worker::quarantine_stuck(&shared, Instant::now());
        }
    };
    // Without a thread to watch, the calls' own watchdogs still replace a stage whose engine is stuck.
    if let Err(error) = std::thread::Builder::new().name(name).spawn(watch) {
        tracing::error!(%error, "no thread for the watchdog of an engine pool");
    }
}
