//! Who may still come in: places are reserved before a call is accepted.

use ringway_actors::{CoreLoad, MediaCore, Place};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Why a caller is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many calls as are permitted.
    #[error("all {calls} places are taken")]
    Capacity {
        /// How many there are.
        calls: usize,
    },
    /// The media cores are late: calls in progress keep their quality.
    #[error("the media cores are {late_ms} ms late")]
    Overload {
        /// How late.
        late_ms: u64,
    },
    /// The server is about to stop.
    #[error("the server is draining")]
    Draining,
}

impl Refused {
    /// Every reason.
    pub const REASONS: [&str; 3] = ["capacity", "overload", "draining"];

    /// Its stable code for pages: where there is no room, why does not matter to them.
    pub fn code(self) -> &'static str {
        match self {
            Self::Capacity { .. } | Self::Overload { .. } => "capacity",
            Self::Draining => "draining",
        }
    }

    /// Its stable name in metrics and close reasons.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Capacity { .. } => "capacity",
            Self::Overload { .. } => "overload",
            Self::Draining => "draining",
        }
    }
}

/// How long a media core may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// Limits of admission.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls at once.
    pub calls: usize,
    /// Metronome lateness above which nobody else comes in.
    pub lateness: Duration,
}

/// The door: knows the media cores and how full they are.
#[derive(Debug)]
pub struct Admission {
    cores: Vec<MediaCore>,
    limits: Limits,
    draining: AtomicBool,
}

/// A caller who has been let in.
#[derive(Debug)]
pub struct Admitted<'a> {
    /// The core that the call will live on.
    pub core: &'a MediaCore,
    /// Its place there.
    pub place: Place,
}

impl Admission {
    /// Opens the door to these cores.
    pub fn new(cores: Vec<MediaCore>, limits: Limits) -> Self {
        metrics::gauge!("ringway_capacity_calls").set(limits.calls as f64);
        Self { cores, limits, draining: AtomicBool::new(false) }
    }

    /// Reserves a place on the core with the fewest calls.
    ///
    /// # Errors
    /// Full, late, or draining.
    pub fn admit(&self) -> Result<Admitted<'_>, Refused> {
        let core = self.choose().inspect_err(|refused| {
            metrics::counter!("ringway_refusals_total", "reason" => refused.reason()).increment(1);
        })?;
        Ok(Admitted { core, place: core.reserve() })
    }

    fn choose(&self) -> Result<&MediaCore, Refused> {
        if self.is_draining() {
            return Err(Refused::Draining);
        }
        if self.calls() >= self.limits.calls {
            return Err(Refused::Capacity { calls: self.limits.calls });
        }
        let core =
            self.cores.iter().min_by_key(|core| core.load().calls()).ok_or(Refused::Capacity { calls: 0 })?;
        let late = core.load().lateness().max(core.load().silent_for());
        if late > self.limits.lateness {
            return Err(Refused::Overload { late_ms: late.as_millis() as u64 });
        }
        Ok(core)
    }

    /// Calls that would be admitted now, besides those in progress: none while the server is late or draining.
    pub fn left(&self) -> usize {
        self.choose().map_or(0, |_| self.limits.calls.saturating_sub(self.calls()))
    }

    /// Calls in progress, places reserved included.
    pub fn calls(&self) -> usize {
        self.loads().map(|load| load.calls()).sum()
    }

    /// What the cores say of themselves.
    pub fn loads(&self) -> impl Iterator<Item = &Arc<CoreLoad>> {
        self.cores.iter().map(MediaCore::load)
    }

    /// Lets nobody else in.
    pub fn close(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Stops the media cores.
    pub fn stop(&self) {
        self.cores.iter().for_each(|core| core.stop(STOP_WITHIN));
    }

    /// Nobody else is let in.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
