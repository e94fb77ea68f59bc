//! Who may still come in: places are reserved before a call is accepted.

mod refused;

pub use refused::Refused;

use crate::addresses::{Addresses, Held, Kind};
use crate::refusals;
use crate::unstarted::{Late, Ticket, Unstarted};
use ringway_actors::{Core, CoreHandle, CoreLoad, Engines, MediaCore, Place};
use ringway_turn::StageKind;
use std::future::Future;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Events of calls' lifecycles that wait on the cores beyond the channel to the hub; above it no call begins.
const MOST_WAITING: usize = 1_024;

/// How long the media cores may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// Limits of admission.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls at once.
    pub calls: usize,
    /// Sockets without a call at once.
    pub unstarted: usize,
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
    unstarted: Arc<Unstarted>,
    addresses: Arc<Addresses>,
    /// Places are counted and taken under it, so that two cores do not both take the last one; once a call.
    door: Mutex<()>,
}

/// A socket that may say `start`: it holds no place yet.
#[derive(Debug)]
pub struct Arrived {
    ticket: Ticket,
    core: usize,
    address: Option<IpAddr>,
    _of_address: Held,
}

/// What a socket says that it comes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A new call.
    New,
    /// A call in progress, which has its place: there is room for it also in a full or draining server.
    Resumed,
}

/// A caller who has been let in.
#[derive(Debug)]
pub struct Admitted {
    /// The core where its socket lives.
    pub core: Rc<Core>,
    /// The core's number.
    pub number: usize,
    /// Its place there.
    pub place: Place,
    /// Its share of what its address may hold.
    pub of_address: Held,
}

impl Arrived {
    /// The number of the core where its socket lives.
    pub fn core(&self) -> usize {
        self.core
    }

    /// Waits for a start message.
    ///
    /// # Errors
    /// None came in time; the socket holds nothing any more.
    pub async fn start_within<T>(self, start: impl Future<Output = T>) -> Result<(Self, T), Late> {
        let Self { ticket, core, address, _of_address } = self;
        let (ticket, started) = ticket.start_within(start).await?;
        Ok((Self { ticket, core, address, _of_address }, started))
    }
}

impl Admission {
    /// Opens the door to these cores.
    pub fn new(
        cores: Vec<MediaCore>,
        engines: Arc<Engines>,
        limits: Limits,
        addresses: Arc<Addresses>,
    ) -> Self {
        let unstarted = Unstarted::new(limits.unstarted);
        let draining = AtomicBool::new(false);
        let door = Mutex::default();
        let admission = Self { cores, engines, limits, draining, unstarted, addresses, door };
        admission.report();
        admission
    }

    /// Lets a socket in that has not said `start` yet, on the core with the fewest calls and sockets. An address of
    /// `None` has no limits of its own.
    ///
    /// # Errors
    /// A call would be refused now, or too many sockets are open without a call, in all or from this address.
    pub async fn receive(
        &self,
        address: Option<IpAddr>,
        entry: Entry,
    ) -> Result<(Arrived, CoreHandle), Refused> {
        self.enter(address, entry).await.inspect_err(|refused| refused.tell(address))
    }

    async fn enter(&self, address: Option<IpAddr>, entry: Entry) -> Result<(Arrived, CoreHandle), Refused> {
        let choose = || match entry {
            Entry::New => self.choose(),
            Entry::Resumed => Ok(0),
        };
        choose()?;
        let of_address = self.addresses.take(address, Kind::Unstarted)?;
        let mut core = 0;
        let place = || {
            core = choose()?;
            Ok::<_, Refused>(core)
        };
        let ticket = self.unstarted.enter(place).await?;
        let handle = self.cores[core].handle();
        Ok((Arrived { ticket, core, address, _of_address: of_address }, handle))
    }

    /// Whether a call would be admitted now; who asks before a caller comes for it counts as that caller.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn would_admit(&self) -> Result<(), Refused> {
        self.choose().map(drop).inspect_err(|refused| refusals::count(refused.reason()))
    }

    /// Reserves a place for a call that begins, on the core where its socket lives.
    ///
    /// # Errors
    /// Full, late, without an engine that serves, draining, or its address has as many calls as it may.
    pub fn admit(&self, arrived: Arrived, core: Rc<Core>) -> Result<Admitted, Refused> {
        let Arrived { ticket, core: index, address, _of_address } = arrived;
        drop(ticket);
        let (place, of_address) =
            self.reserve(index, address).inspect_err(|refused| refused.tell(address))?;
        Ok(Admitted { core, number: index, place, of_address })
    }

    /// Lets a socket in whose call has its place already; its share of what its address may hold.
    ///
    /// # Errors
    /// The address has as many calls as it may.
    pub fn join(&self, arrived: Arrived) -> Result<Held, Refused> {
        let Arrived { ticket, address, .. } = arrived;
        drop(ticket);
        let of_address = self.addresses.take(address, Kind::Call).map_err(Refused::from);
        of_address.inspect_err(|refused| refused.tell(address))
    }

    /// Reserves a place for a call whose caller is to come.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn reserve_awaited(&self) -> Result<(CoreHandle, usize, Place), Refused> {
        let reserved = || {
            let core = self.choose()?;
            let (place, _) = self.reserve(core, None)?;
            Ok((self.cores[core].handle(), core, place))
        };
        reserved().inspect_err(|refused: &Refused| refused.tell(None))
    }

    /// Where work for the core of this number is put.
    pub fn core(&self, number: usize) -> CoreHandle {
        self.cores[number].handle()
    }

    fn reserve(&self, core: usize, address: Option<IpAddr>) -> Result<(Place, Held), Refused> {
        let of_address = self.addresses.take(address, Kind::Call)?;
        let _one_at_a_time = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_draining() {
            return Err(Refused::Draining);
        }
        self.limits.check(&self.engines, self.calls())?;
        keeps_up(self.lifecycle_backlog())?;
        choose(std::iter::once((self.cores[core].load(), 0)), self.limits.lateness)?;
        Ok((self.cores[core].reserve(), of_address))
    }

    /// The core with the fewest calls and sockets, if a call would be admitted now.
    fn choose(&self) -> Result<usize, Refused> {
        if self.is_draining() {
            return Err(Refused::Draining);
        }
        self.limits.check(&self.engines, self.calls())?;
        keeps_up(self.lifecycle_backlog())?;
        let loads = self.loads().enumerate().map(|(core, load)| (load, self.unstarted.on_core(core)));
        choose(loads, self.limits.lateness)
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

    /// Events of calls' lifecycles that wait on the cores.
    pub fn lifecycle_backlog(&self) -> usize {
        self.loads().map(|load| load.lifecycle_backlog()).sum()
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

/// Whether what is told of calls is taken.
fn keeps_up(waiting: usize) -> Result<(), Refused> {
    if waiting > MOST_WAITING { Err(Refused::LifecycleBacklog { waiting }) } else { Ok(()) }
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

/// The core with the fewest calls, and sockets that may become calls, of those that hear and are in time.
fn choose<'c>(
    cores: impl Iterator<Item = (&'c Arc<CoreLoad>, usize)>,
    lateness: Duration,
) -> Result<usize, Refused> {
    let hearing: Vec<_> = cores.enumerate().filter(|(_, (core, _))| core.hears()).collect();
    let late = |core: &CoreLoad| core.lateness().max(core.silent_for());
    let in_time = hearing.iter().filter(|(_, (core, _))| late(core) <= lateness);
    if let Some((index, _)) = in_time.min_by_key(|(_, (core, unstarted))| core.calls() + unstarted) {
        return Ok(*index);
    }
    match hearing.iter().map(|(_, (core, _))| late(core)).min() {
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

    fn placed(cores: &[Arc<CoreLoad>]) -> Result<usize, Refused> {
        choose(cores.iter().map(|core| (core, 0)), PATIENT)
    }

    #[test]
    fn sockets_without_a_call_count_when_one_is_placed() {
        let cores = [core(true), core(true)];
        let loads = || cores.iter().zip([1, 0]);
        assert_eq!(choose(loads(), PATIENT), Ok(1));
        let _two = (cores[1].reserve(), cores[1].reserve());
        assert_eq!(choose(loads(), PATIENT), Ok(0));
    }

    #[test]
    fn a_call_is_placed_on_the_emptiest_core_that_hears() {
        let cores = [core(true), core(false), core(true)];
        let _one = cores[0].reserve();
        assert_eq!(placed(&cores), Ok(2));
        let _more = (cores[2].reserve(), cores[2].reserve());
        assert_eq!(placed(&cores), Ok(0), "the empty one is deaf");
        cores[1].set_hears(true);
        assert_eq!(placed(&cores), Ok(1));
    }

    #[test]
    fn a_call_that_nobody_would_hear_is_refused() {
        let refused = Refused::Unavailable { stage: StageKind::Vad };
        assert_eq!(placed(&[core(false), core(false)]), Err(refused));
        assert_eq!(refused.to_string(), "no vad engine can serve at the moment");
        assert_eq!((refused.code(), refused.reason()), ("capacity", "unavailable"));
    }

    #[test]
    fn cores_that_are_late_take_no_call() {
        let cores = [core(true)];
        while cores[0].silent_for().is_zero() {
            std::hint::spin_loop();
        }
        assert!(matches!(
            choose(cores.iter().map(|core| (core, 0)), Duration::ZERO),
            Err(Refused::Overload { .. })
        ));
    }

    #[test]
    fn the_first_engine_that_serves_bounds_the_calls() {
        assert_eq!(bound(&[Some(2), None], 25), Some(50));
        assert_eq!(bound(&[Some(0), Some(1)], 25), Some(25));
        assert_eq!(bound(&[Some(0), None], 25), None, "a service sets no bound");
        assert_eq!(bound(&[Some(2)], 0), None, "the limit is off");
        assert_eq!(bound(&[Some(0)], 0), Some(0), "nothing serves");
    }

    #[test]
    fn no_call_begins_while_too_much_of_the_others_waits_to_be_taken() {
        assert_eq!(keeps_up(MOST_WAITING), Ok(()));
        let refused = keeps_up(MOST_WAITING + 1).expect_err("too much");
        assert_eq!((refused.code(), refused.reason()), ("capacity", "lifecycle_backlog"));
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
        let limits = Limits {
            calls: 10,
            unstarted: 10,
            calls_per_recogniser: 2,
            calls_per_voice: 0,
            lateness: PATIENT,
        };
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
