//! A run: all callers on one thread, the server watched meanwhile.

use crate::call::{Shared, calls};
use crate::clock::Clock;
use crate::exposition::{Exposition, Mark};
use crate::interrupts::Interrupts;
use crate::process::{Process, ProcessError};
use crate::progress::Progress;
use crate::report::{Report, Setting};
use crate::scenario::Scenario;
use crate::tally::Tally;
use crate::target::Target;
use crate::timeline::Timeline;
use crate::usage::Usage;
use crate::voice::Voice;
use fastrand::Rng;
use ringway_frame::MediaTime;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::{JoinSet, LocalSet};

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who is called, and how.
    pub target: Target,
    /// Calls at once.
    pub calls: u32,
    /// How long all of them are on.
    pub duration: Duration,
    /// In which time they begin, evenly.
    pub ramp: Duration,
    /// What callers do.
    pub scenario: Rc<Scenario>,
    /// What they say.
    pub voice: Rc<Voice>,
    /// Gives the same words and pauses again.
    pub seed: u64,
    /// The server's process, if it is on this machine.
    pub server: Option<Process>,
    /// Where others may watch the run.
    pub exposition: Option<Exposition>,
}

/// A run that is over.
#[derive(Debug)]
pub struct Outcome {
    /// What was measured.
    pub report: Report,
    /// Somebody stopped it.
    pub interrupted: bool,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No runtime.
    #[error("cannot run: {0}")]
    Runtime(#[from] io::Error),
    /// The server's process cannot be watched.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// How often progress is shown and memory looked at.
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// Callers that have not hung up so long after an interrupt are not waited for.
const HANG_UP_WITHIN: Duration = Duration::from_secs(3);

impl Plan {
    /// Runs it to its end, or until interrupted.
    ///
    /// # Errors
    /// The server's process is not there when the run begins.
    pub fn run(&self) -> Result<Outcome, RunError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, self.drive())
    }

    pub(crate) async fn drive(&self) -> Result<Outcome, RunError> {
        let mut usages = Usages {
            server: Usage::begin(self.server)?,
            tester: Usage::begin(Some(Process::new(std::process::id())))?,
        };
        let mut interrupts = Interrupts::catch()?;
        let mut run = self.start();
        run.watch(&mut usages, &mut interrupts).await;
        self.exposition.iter().for_each(Exposition::clear);
        let ended = run.shared.clock.now().min(run.shared.until.get());
        let tally = &mut run.shared.tally.borrow_mut();
        let timeline = run.timeline.finish(ended, tally);
        let setting = self.setting(ended);
        let report = Report::new(setting, tally, usages.server.sum_up(), timeline)
            .with_tester_cpu(usages.tester.sum_up().cpu_per_call);
        Ok(Outcome { report, interrupted: run.interrupted.is_some() })
    }

    /// Lets the callers begin, evenly over the ramp.
    fn start(&self) -> Run {
        let shared = Rc::new(Shared {
            target: self.target.clone(),
            run: fastrand::u64(..),
            scenario: self.scenario.clone(),
            voice: self.voice.clone(),
            clock: Clock::start(),
            until: Cell::new(self.until()),
            tally: RefCell::new(Tally::new()),
        });
        let mut rng = Rng::with_seed(self.seed);
        let mut callers = JoinSet::new();
        for number in 0..self.calls {
            let begin = MediaTime::ZERO + self.ramp.mul_f64(f64::from(number) / f64::from(self.calls));
            callers.spawn_local(calls(shared.clone(), number, begin, rng.fork()));
        }
        let ramped = MediaTime::ZERO + self.ramp;
        let exposition = self.exposition.clone();
        Run {
            shared,
            calls: self.calls,
            callers,
            ramped,
            timeline: Timeline::new(),
            exposition,
            interrupted: None,
        }
    }

    /// When all hang up.
    fn until(&self) -> MediaTime {
        MediaTime::ZERO + self.ramp + self.duration
    }

    fn setting(&self, ended: MediaTime) -> Setting {
        Setting {
            url: self.target.url.to_string(),
            protocol: self.target.dialect.name().to_owned(),
            codec: self.target.codec_name().to_owned(),
            scenario: self.scenario.name.clone(),
            calls: self.calls,
            duration_s: ended.since(MediaTime::ZERO + self.ramp).as_secs_f64(),
            cut_short: ended < self.until(),
            seed: self.seed,
        }
    }
}

/// What both ends use.
#[derive(Debug)]
struct Usages {
    server: Usage,
    tester: Usage,
}

/// A run that is on.
struct Run {
    shared: Rc<Shared>,
    calls: u32,
    callers: JoinSet<()>,
    /// From when on all calls are on.
    ramped: MediaTime,
    timeline: Timeline,
    exposition: Option<Exposition>,
    /// When somebody stopped it.
    interrupted: Option<MediaTime>,
}

impl Run {
    /// Until all callers have ended, by themselves or because the run was interrupted.
    async fn watch(&mut self, usages: &mut Usages, interrupts: &mut Interrupts) {
        let progress = Progress::start(self.shared.until.get().since_start());
        let mut look = tokio::time::interval(WATCH_EVERY);
        loop {
            tokio::select! {
                biased;
                ended = self.callers.join_next() => match ended {
                    Some(Ok(())) => {}
                    Some(Err(aborted)) => assert!(aborted.is_cancelled(), "a caller does not panic"),
                    None => break,
                },
                _ = look.tick() => self.look(usages, &progress),
                () = interrupts.next() => self.interrupt(),
            }
        }
        progress.finish();
    }

    fn look(&mut self, usages: &mut Usages, progress: &Progress) {
        let now = self.shared.clock.now();
        let mut tally = self.shared.tally.borrow_mut();
        if now < self.shared.until.get() {
            usages.server.look(now, now >= self.ramped, tally.active);
            usages.tester.look(now, now >= self.ramped, tally.active);
            self.timeline.look(now, &mut tally);
        }
        progress.show(now.since_start(), &tally);
        if let Some(exposition) = &self.exposition {
            exposition.show(self.mark(), &tally);
        }
        drop(tally);
        if self.interrupted.is_some_and(|interrupted| now.since(interrupted) >= HANG_UP_WITHIN) {
            self.callers.abort_all();
        }
    }

    fn mark(&self) -> Mark<'_> {
        let Shared { scenario, target, .. } = &*self.shared;
        Mark { scenario: &scenario.name, protocol: target.dialect.name(), calls: self.calls }
    }

    /// Every caller hangs up with its next frame.
    fn interrupt(&mut self) {
        let now = self.shared.clock.now();
        self.shared.until.set(self.shared.until.get().min(now));
        self.interrupted.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests;
