//! A run: all callers on one thread, the server watched meanwhile.

use crate::call::{Shared, calls};
use crate::clock::Clock;
use crate::process::{Process, ProcessError};
use crate::progress::Progress;
use crate::report::{Report, Setting};
use crate::scenario::Scenario;
use crate::tally::Tally;
use crate::target::Dialect;
use crate::usage::Usage;
use crate::voice::{Encoding, Voice};
use fastrand::Rng;
use ringway_frame::MediaTime;
use ringway_wire::voice_ws::Codec;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::{JoinSet, LocalSet};
use tokio_tungstenite::tungstenite::http::Uri;

/// What is to be run.
#[derive(Debug)]
pub struct Plan {
    /// The media socket.
    pub url: Uri,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// How audio is coded on a browser socket.
    pub codec: Codec,
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

impl Plan {
    /// How callers' audio is coded.
    pub fn encoding(dialect: Dialect, codec: Codec) -> Encoding {
        match dialect {
            Dialect::Twilio => Encoding::Mulaw,
            Dialect::Browser => codec.into(),
        }
    }

    /// Runs it to its end, or until interrupted.
    ///
    /// # Errors
    /// The server's process is not there when the run begins.
    pub fn run(self) -> Result<Report, RunError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, self.drive())
    }

    async fn drive(self) -> Result<Report, RunError> {
        let mut usage = Usage::begin(self.server)?;
        let mut run = self.start();
        run.watch(&mut usage).await;
        let tally = run.shared.tally.borrow();
        Ok(Report::new(self.setting(run.length()), &tally, usage.sum_up()))
    }

    /// Lets the callers begin, evenly over the ramp.
    fn start(&self) -> Run {
        let shared = Rc::new(Shared {
            url: self.url.clone(),
            dialect: self.dialect,
            codec: self.codec,
            scenario: self.scenario.clone(),
            voice: self.voice.clone(),
            clock: Clock::start(),
            until: Cell::new(MediaTime::ZERO + self.ramp + self.duration),
            tally: RefCell::new(Tally::new()),
        });
        let mut rng = Rng::with_seed(self.seed);
        let mut callers = JoinSet::new();
        for number in 0..self.calls {
            let begin = MediaTime::ZERO + self.ramp.mul_f64(f64::from(number) / f64::from(self.calls));
            callers.spawn_local(calls(shared.clone(), number, begin, rng.fork()));
        }
        Run { shared, callers, ramped: MediaTime::ZERO + self.ramp }
    }

    fn setting(&self, duration: Duration) -> Setting {
        Setting {
            url: self.url.to_string(),
            protocol: self.dialect.name(),
            codec: match self.dialect {
                Dialect::Twilio => "mulaw",
                Dialect::Browser => self.codec.name(),
            },
            scenario: self.scenario.name,
            calls: self.calls,
            duration_s: duration.as_secs_f64(),
            seed: self.seed,
        }
    }
}

/// A run that is on.
struct Run {
    shared: Rc<Shared>,
    callers: JoinSet<()>,
    /// From when on all calls are on.
    ramped: MediaTime,
}

impl Run {
    /// Until all callers have ended, by themselves or because the run was interrupted.
    async fn watch(&mut self, usage: &mut Usage) {
        let progress = Progress::start(self.shared.until.get().since_start());
        let mut look = tokio::time::interval(WATCH_EVERY);
        loop {
            tokio::select! {
                biased;
                ended = self.callers.join_next() => match ended {
                    Some(ended) => ended.expect("a caller does not panic"),
                    None => break,
                },
                _ = look.tick() => self.look(usage, &progress),
                // Without a handler for the signal the run just goes on.
                Ok(()) = tokio::signal::ctrl_c() => self.interrupt(),
            }
        }
        progress.finish();
    }

    fn look(&self, usage: &mut Usage, progress: &Progress) {
        let now = self.shared.clock.now();
        let tally = self.shared.tally.borrow();
        if now < self.shared.until.get() {
            usage.look(now, now >= self.ramped, tally.active);
        }
        progress.show(now.since_start(), &tally);
    }

    /// Every caller hangs up with its next frame.
    fn interrupt(&self) {
        self.shared.until.set(self.shared.until.get().min(self.shared.clock.now()));
    }

    /// How long all calls were on.
    fn length(&self) -> Duration {
        self.shared.until.get().since(self.ramped)
    }
}
