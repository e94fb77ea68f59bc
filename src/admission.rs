//! Who may still come in: places are reserved before a call is accepted.

use crate::telemetry::stage_name;
use ringway_actors::{CoreLoad, Engines, MediaCore, Place};
use ringway_turn::StageKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Why a caller is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many calls as are permitted.
    #[error("all {calls} places are taken")]
    Capacity {
        /// How many there are.
        calls: usize,
    },
    /// As many calls as a stage's engines can serve at the moment.
    #[error("the {} engines serve {calls} calls, and no more", stage_name(*.stage))]
    EngineSlots {
        /// Whose engines.
        stage: StageKind,
        /// How many they can.
        calls: usize,
    },
    /// Nothing serves in a stage: its engines are being rebuilt.
    #[error("no {} engine can serve at the moment", stage_name(*.stage))]
    Unavailable {
        /// Which stage.
        stage: StageKind,
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
    pub const REASONS: [&str; 5] = ["capacity", "engine_slots", "unavailable", "overload", "draining"];

    /// Its stable code for pages: where there is no room, why does not matter to them.
    pub fn code(self) -> &'static str {
        match self {
            Self::Capacity { .. }
            | Self::EngineSlots { .. }
            | Self::Unavailable { .. }
            | Self::Overload { .. } => "capacity",
            Self::Draining => "draining",
        }
    }

    /// Its stable name in metrics and close reasons.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Capacity { .. } => "capacity",
            Self::EngineSlots { .. } => "engine_slots",
            Self::Unavailable { .. } => "unavailable",
            Self::Overload { .. } => "overload",
            Self::Draining => "draining",
        }
    }
}

/// How long the media cores may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// Limits of admission.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls at once.
    pub calls: usize,
    /// Calls for each slot of the recogniser that serves; 0: any number.
    pub calls_per_recogniser: usize,
    /// Calls for each slot of the voice that serves; 0: any number.
    pub calls_per_voice: usize,
    /// Metronome lateness above which nobody else comes in.
    pub lateness: Duration,
}

/// The door: knows the media cores and the engines, and how full they are.
#[derive(Debug)]
pub struct Admission {
    cores: Vec<MediaCore>,
    engines: Arc<Engines>,
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
    pub fn new(cores: Vec<MediaCore>, engines: Arc<Engines>, limits: Limits) -> Self {
        let admission = Self { cores, engines, limits, draining: AtomicBool::new(false) };
        admission.report();
        admission
    }

    /// Reserves a place on the core with the fewest calls.
    ///
    /// # Errors
    /// Full, late, without an engine that serves, or draining.
    pub fn admit(&self) -> Result<Admitted<'_>, Refused> {
        let core = self.choose().inspect_err(|refused| {
            metrics::counter!("ringway_refusals_total", "reason" => refused.reason()).increment(1);
        })?;
        Ok(Admitted { core, place: core.reserve() })
    }

    /// Whether a place could be reserved now; who asks before a caller comes for it counts as that caller.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn would_admit(&self) -> Result<(), Refused> {
        let chosen = self.choose().map(drop);
        chosen.inspect_err(|refused| {
            metrics::counter!("ringway_refusals_total", "reason" => refused.reason()).increment(1);
        })
    }

    fn choose(&self) -> Result<&MediaCore, Refused> {
        if self.is_draining() {
            return Err(Refused::Draining);
        }
        self.limits.check(&self.engines, self.calls())?;
        Ok(&self.cores[choose(self.loads(), self.limits.lateness)?])
    }

    /// Calls that would be admitted now, besides those in progress: none while nobody would be served, or while draining.
    pub fn left(&self) -> usize {
        self.choose().map_or(0, |_| self.limits.capacity(&self.engines).saturating_sub(self.calls()))
    }

    /// Writes how many calls are taken at the moment into the metrics.
    pub fn report(&self) {
        metrics::gauge!("ringway_capacity_calls").set(self.limits.capacity(&self.engines) as f64);
    }

    /// Calls in progress, places reserved included.
    pub fn calls(&self) -> usize {
        self.loads().map(|load| load.calls()).sum()
    }

    /// Sockets of calls that are open, those included whose call is over and which say goodbye.
    pub fn lines(&self) -> usize {
        self.loads().map(|load| load.lines()).sum()
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
        self.cores.iter().for_each(MediaCore::begin_stop);
        let deadline = Instant::now() + STOP_WITHIN;
        self.cores.iter().for_each(|core| core.stop(deadline.saturating_duration_since(Instant::now())));
    }

    /// Nobody else is let in.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl Limits {
    /// Whether one more call can be served beside so many.
    fn check(&self, engines: &Engines, calls: usize) -> Result<(), Refused> {
        if calls >= self.calls {
            return Err(Refused::Capacity { calls: self.calls });
        }
        for (stage, bound) in self.by_engines(engines) {
            match bound {
                Some(0) => return Err(Refused::Unavailable { stage }),
                Some(bound) if calls >= bound => return Err(Refused::EngineSlots { stage, calls: bound }),
                _ => {}
            }
        }
        Ok(())
    }

    /// Calls that are taken at once at the moment. A stage in which nothing serves does not count: it is no full server,
    /// and what is left is told as a part of this.
    fn capacity(&self, engines: &Engines) -> usize {
        let bounds = self.by_engines(engines).filter_map(|(_, bound)| bound);
        bounds.filter(|bound| *bound > 0).fold(self.calls, usize::min)
    }

    /// Calls that the engines of each stage can serve at the moment; `None`: any number.
    fn by_engines(&self, engines: &Engines) -> impl Iterator<Item = (StageKind, Option<usize>)> {
        let per_slot = [
            (StageKind::Stt, self.calls_per_recogniser),
            (StageKind::Llm, 0),
            (StageKind::Tts, self.calls_per_voice),
        ];
        // A call that a service hears and answers needs none of the others, as long as one serves.
        let alone = engines.slots(StageKind::SpeechToSpeech).iter().any(|slots| *slots != Some(0));
        per_slot
            .into_iter()
            .filter(move |_| !alone)
            .map(|(stage, per_slot)| (stage, bound(&engines.slots(stage), per_slot)))
    }
}

/// Calls that a stage's engines can serve: a new call gets the first one that serves.
fn bound(engines: &[Option<usize>], per_slot: usize) -> Option<usize> {
    let serving = engines.iter().find(|slots| **slots != Some(0));
    match serving {
        None => Some(0),
        Some(Some(slots)) if per_slot > 0 => Some(slots.saturating_mul(per_slot)),
        Some(_) => None,
    }
}

/// The core with the fewest calls of those that hear and are in time.
fn choose<'c>(cores: impl Iterator<Item = &'c Arc<CoreLoad>>, lateness: Duration) -> Result<usize, Refused> {
    let hearing: Vec<_> = cores.enumerate().filter(|(_, core)| core.hears()).collect();
    let late = |core: &CoreLoad| core.lateness().max(core.silent_for());
    let in_time = hearing.iter().filter(|(_, core)| late(core) <= lateness);
    if let Some((index, _)) = in_time.min_by_key(|(_, core)| core.calls()) {
        return Ok(*index);
    }
    match hearing.iter().map(|(_, core)| late(core)).min() {
        Some(late) => Err(Refused::Overload { late_ms: late.as_millis() as u64 }),
        None => Err(Refused::Unavailable { stage: StageKind::Vad }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_stages::stt::{SpeechToText, SttCall, SttError, SttSession};
    use std::sync::atomic::AtomicUsize;

    const PATIENT: Duration = Duration::from_secs(3_600);

    fn core(hears: bool) -> Arc<CoreLoad> {
        let core = Arc::new(CoreLoad::new());
        core.set_hears(hears);
        core
    }

    #[test]
    fn a_call_is_placed_on_the_emptiest_core_that_hears() {
        let cores = [core(true), core(false), core(true)];
        let _one = cores[0].reserve();
        assert_eq!(choose(cores.iter(), PATIENT), Ok(2));
        let _more = (cores[2].reserve(), cores[2].reserve());
        assert_eq!(choose(cores.iter(), PATIENT), Ok(0), "the empty one is deaf");
        cores[1].set_hears(true);
        assert_eq!(choose(cores.iter(), PATIENT), Ok(1));
    }

    #[test]
    fn a_call_that_nobody_would_hear_is_refused() {
        let refused = Refused::Unavailable { stage: StageKind::Vad };
        assert_eq!(choose([core(false), core(false)].iter(), PATIENT), Err(refused));
        assert_eq!(refused.to_string(), "no vad engine can serve at the moment");
        assert_eq!((refused.code(), refused.reason()), ("capacity", "unavailable"));
    }

    #[test]
    fn cores_that_are_late_take_no_call() {
        let cores = [core(true)];
        while cores[0].silent_for().is_zero() {
            std::hint::spin_loop();
        }
        assert!(matches!(choose(cores.iter(), Duration::ZERO), Err(Refused::Overload { .. })));
    }

    #[test]
    fn the_first_engine_that_serves_bounds_the_calls() {
        assert_eq!(bound(&[Some(2), None], 25), Some(50));
        assert_eq!(bound(&[Some(0), Some(1)], 25), Some(25));
        assert_eq!(bound(&[Some(0), None], 25), None, "a service sets no bound");
        assert_eq!(bound(&[Some(2)], 0), None, "the limit is off");
        assert_eq!(bound(&[Some(0)], 0), Some(0), "nothing serves");
    }

    /// A recogniser with so many threads.
    struct Threads(AtomicUsize);

    impl SpeechToText for Threads {
        fn name(&self) -> &str {
            "threads"
        }

        fn slots(&self) -> Option<usize> {
            Some(self.0.load(Ordering::Relaxed))
        }

        fn open(&self, _: SttCall) -> Result<Box<dyn SttSession>, SttError> {
            Err(SttError::Overloaded { queued: 0 })
        }
    }

    #[test]
    fn engine_slots_go_with_the_threads_that_are_lost() {
        let recogniser = Arc::new(Threads(AtomicUsize::new(2)));
        let engines = crate::engines::scripted_with(recogniser.clone());
        let limits = Limits { calls: 10, calls_per_recogniser: 2, calls_per_voice: 0, lateness: PATIENT };
        assert_eq!((limits.check(&engines, 3), limits.capacity(&engines)), (Ok(()), 4));
        let full = |calls| Err(Refused::EngineSlots { stage: StageKind::Stt, calls });
        assert_eq!(limits.check(&engines, 4), full(4));
        recogniser.0.store(1, Ordering::Relaxed);
        assert_eq!((limits.check(&engines, 2), limits.capacity(&engines)), (full(2), 2));
        recogniser.0.store(0, Ordering::Relaxed);
        assert_eq!(limits.check(&engines, 0), Err(Refused::Unavailable { stage: StageKind::Stt }));
        assert_eq!(limits.capacity(&engines), 10);
        recogniser.0.store(9, Ordering::Relaxed);
        assert_eq!(limits.check(&engines, 10), Err(Refused::Capacity { calls: 10 }));
    }
}
