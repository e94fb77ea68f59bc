use super::job::{Job, Phase};
use super::roster::MemberId;
use super::{BuildError, Shared};
use crate::Backoff;
use crossbeam::channel::{RecvTimeoutError, Sender};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Starts a thread with an engine; `built` hears whether it has one. `false`: the system gives no thread.
pub(super) fn spawn<E: 'static>(
    shared: &Arc<Shared<E>>,
    alive: Sender<Infallible>,
    built: Option<Sender<Result<(), BuildError>>>,
) -> bool {
    let member = shared.roster().join();
    let worker = Worker { shared: shared.clone(), member, _alive: alive };
    let run = move || worker.run(built);
    let spawned = std::thread::Builder::new().name(shared.name.to_owned()).spawn(run);
    if let Err(error) = &spawned {
        tracing::error!(%error, pool = shared.name, "no thread for an engine");
        give_up(shared, member);
    }
    spawned.is_ok()
}

/// Abandons the threads of stuck jobs, and starts others in their place while the bound allows it.
pub(super) fn quarantine_stuck<E: 'static>(shared: &Arc<Shared<E>>, now: Instant) -> usize {
    let (evicted, left) = {
        let mut roster = shared.roster();
        (roster.evict_stuck(now, shared.config.stuck_after), roster.is_empty())
    };
    if evicted == 0 {
        // The system may have had no thread the last time.
        refill(shared);
        return 0;
    }
    shared.meters.quarantined.add(evicted as u64);
    tracing::error!(pool = shared.name, evicted, "engine threads are stuck and were abandoned");
    refill(shared);
    if left && shared.roster().is_empty() {
        shared.queues.clear();
    }
    evicted
}

/// Starts the threads that are missing, as many as the bound on abandoned threads allows.
fn refill<E: 'static>(shared: &Arc<Shared<E>>) {
    loop {
        let roster = shared.roster();
        let full = roster.members() >= shared.config.threads.get();
        if full || roster.abandoned > shared.config.max_quarantined {
            return;
        }
        let Some(alive) = roster.alive() else { return };
        drop(roster);
        if !spawn(shared, alive, None) {
            return;
        }
    }
}

/// A thread ends without an engine; jobs must not wait for the last one.
fn give_up<E>(shared: &Shared<E>, member: MemberId) {
    let mut roster = shared.roster();
    roster.leave(member);
    if roster.is_empty() {
        shared.queues.clear();
    }
}

struct Worker<E> {
    shared: Arc<Shared<E>>,
    member: MemberId,
    /// Dropped with the thread, so that shutting down can wait for it.
    _alive: Sender<Infallible>,
}

impl<E: 'static> Worker<E> {
    fn run(self, built: Option<Sender<Result<(), BuildError>>>) {
        let engine = match (self.build(), built) {
            (Ok(engine), Some(built)) => {
                drop(built.send(Ok(())));
                Some(engine)
            }
            // The pool does not start at all.
            (Err(error), Some(built)) => {
                drop(built.send(Err(error)));
                None
            }
            (Ok(engine), None) => Some(engine),
            (Err(error), None) => self.retry(&error),
        };
        match engine {
            Some(engine) => self.serve(engine),
            None => give_up(&self.shared, self.member),
        }
    }

    fn build(&self) -> Result<E, BuildError> {
        catch_unwind(AssertUnwindSafe(|| (self.shared.factory)()))
            .unwrap_or_else(|_| Err("its factory panicked".into()))
    }

    fn serve(&self, mut engine: E) {
        while let Some(job) = self.shared.queues.pop(&self.shared.closing) {
            match self.work(job, &mut engine) {
                After::Next => {}
                After::Rebuild => match self.rebuild(engine) {
                    Some(rebuilt) => engine = rebuilt,
                    None => break,
                },
                After::Abandoned => return refill(&self.shared),
            }
        }
        give_up(&self.shared, self.member);
    }

    /// A new engine for one that panicked, which goes first: two may not fit. `None`: the pool closes.
    fn rebuild(&self, broken: E) -> Option<E> {
        if catch_unwind(AssertUnwindSafe(|| drop(broken))).is_err() {
            tracing::warn!(pool = self.shared.name, "a broken engine panicked again when it was dropped");
        }
        match self.build() {
            Ok(engine) => Some(engine),
            Err(error) => self.retry(&error),
        }
    }

    /// Builds an engine again and again, ever more seldom, since what is wrong may pass: memory that is short, a file
    /// that is being replaced. Until then jobs are refused rather than kept waiting for it. `None`: the pool closes.
    fn retry(&self, error: &BuildError) -> Option<E> {
        self.lack_engine(error);
        let mut backoff = Backoff::default();
        loop {
            let wait = backoff.failed(self.shared.started.elapsed()).max(SHORTEST_WAIT);
            let Err(RecvTimeoutError::Timeout) = self.shared.closing.recv_timeout(wait) else { return None };
            match self.build() {
                Ok(engine) => {
                    self.shared.roster().can_work(self.member, true);
                    tracing::warn!(
                        pool = self.shared.name,
                        failures = backoff.failures(),
                        "an engine is back"
                    );
                    return Some(engine);
                }
                Err(error) => self.lack_engine(&error),
            }
        }
    }

    fn lack_engine(&self, error: &BuildError) {
        tracing::error!(%error, pool = self.shared.name, "an engine cannot be built");
        let mut roster = self.shared.roster();
        roster.can_work(self.member, false);
        if roster.is_empty() {
            self.shared.queues.clear();
        }
    }

    fn work(&self, job: Job<E>, engine: &mut E) -> After {
        let control = job.control.clone();
        if control.begin().is_err() {
            return After::Next;
        }
        self.shared.roster().begin(self.member, control.clone(), job.urgency);
        let began = Instant::now();
        // A panic costs the engine: nobody looks at what it left behind.
        let outcome = catch_unwind(AssertUnwindSafe(|| job.run(engine)));
        let busy = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.shared.meters.busy_nanos.add(busy);
        self.shared.meters.finished.increment();
        // Free before it is told: who hears of the end may count on the engine.
        let kept = self.shared.roster().finish(self.member);
        if outcome.is_err() {
            self.shared.meters.panics.increment();
            tracing::error!(pool = self.shared.name, "an engine panicked and is rebuilt");
        }
        control.end(if outcome.is_ok() { Phase::Returned } else { Phase::Panicked });
        match (kept, outcome) {
            (false, _) => After::Abandoned,
            (true, Ok(())) => After::Next,
            (true, Err(_)) => After::Rebuild,
        }
    }
}

/// Until an engine that could not be built is tried again for the first time.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

enum After {
    Next,
    Rebuild,
    /// Its thread was abandoned while the job ran.
    Abandoned,
}
