//! Media cores: OS threads that own calls.

use crate::event::EventSink;
use crate::health::ServiceHealth;
use crate::metronome::Metronome;
use crate::vad_batch::VadBatch;
use crate::{Config, Engines};
use actix_rt::{Arbiter, ArbiterHandle};
use ringway_turn::StageKind;
use std::cell::OnceCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A thread that owns calls: an actix arbiter on a current-thread runtime.
#[derive(Debug)]
pub struct MediaCore {
    handle: ArbiterHandle,
    arbiter: Mutex<Option<Arbiter>>,
    load: Arc<CoreLoad>,
}

/// What other threads see of a media core.
#[derive(Debug)]
pub struct CoreLoad {
    epoch: Instant,
    calls: AtomicUsize,
    lines: AtomicUsize,
    beat_nanos: AtomicU64,
    lateness_nanos: AtomicU64,
    marker: AtomicU8,
    hears: watch::Sender<bool>,
}

/// What a media core's own tasks share.
#[derive(Debug)]
pub struct Core {
    pub(crate) metronome: Rc<Metronome>,
    pub(crate) vad: Rc<VadBatch>,
    pub(crate) engines: Arc<Engines>,
    pub(crate) health: Arc<ServiceHealth>,
    pub(crate) config: Arc<Config>,
    pub(crate) events: EventSink,
    load: Arc<CoreLoad>,
}

thread_local! {
    static CORE: OnceCell<Rc<Core>> = const { OnceCell::new() };
}

/// One call's place on a media core, taken back when dropped.
#[derive(Debug)]
pub struct Place {
    load: Arc<CoreLoad>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The socket of one call on a media core, until it is dropped: also when the call is over and its last words are on
/// the way.
#[derive(Debug)]
pub struct OpenLine {
    load: Arc<CoreLoad>,
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        self.load.lines.fetch_sub(1, Ordering::Relaxed);
    }
}

impl MediaCore {
    /// Starts the thread. Needs a running actix system.
    ///
    /// `observe` is told how late each of the metronome's ticks came.
    pub fn start(
        engines: Arc<Engines>,
        health: Arc<ServiceHealth>,
        config: Arc<Config>,
        events: EventSink,
        observe: impl Fn(Duration) + Send + 'static,
    ) -> Self {
        let arbiter = Arbiter::new();
        let load = Arc::new(CoreLoad::new());
        let shared = load.clone();
        arbiter.spawn_fn(move || Core::install(engines, health, config, events, shared, observe));
        Self { handle: arbiter.handle(), arbiter: Mutex::new(Some(arbiter)), load }
    }

    /// How it is doing.
    pub fn load(&self) -> &Arc<CoreLoad> {
        &self.load
    }

    /// Runs a future on the core.
    pub fn spawn<F: Future<Output = ()> + 'static>(&self, make: impl FnOnce() -> F + Send + 'static) -> bool {
        self.handle.spawn_fn(move || {
            tokio::task::spawn_local(make());
        })
    }

    /// A handle to run futures from elsewhere.
    pub fn handle(&self) -> ArbiterHandle {
        self.handle.clone()
    }

    /// Reserves a place for one call.
    pub fn reserve(&self) -> Place {
        self.load.reserve()
    }

    /// Tells the thread to stop.
    pub fn begin_stop(&self) {
        self.handle.stop();
    }

    /// Stops the thread and waits for its end, at most for `bound`; calls on it are dropped. A process must not end
    /// while inference runs: the runtime's library is taken down beneath it.
    pub fn stop(&self, bound: Duration) {
        self.handle.stop();
        let arbiter = self.arbiter.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(arbiter) = arbiter else { return };
        let (ended, end) = sync_channel(1);
        let join = move || {
            // It ended by itself or by a panic: either way it has ended.
            let _ = arbiter.join();
            let _ = ended.send(());
        };
        if std::thread::Builder::new().spawn(join).is_ok() && end.recv_timeout(bound).is_err() {
            tracing::warn!("a media core does not stop");
        }
    }
}

impl Core {
    /// Makes the present thread a media core; its runtime must run local tasks. [`MediaCore::start`] does so on a
    /// thread of its own, a test on a runtime whose time it drives.
    ///
    /// # Panics
    /// The thread is a media core already.
    pub fn install(
        engines: Arc<Engines>,
        health: Arc<ServiceHealth>,
        config: Arc<Config>,
        events: EventSink,
        load: Arc<CoreLoad>,
        observe: impl Fn(Duration) + 'static,
    ) {
        let vad = Rc::new(VadBatch::new(engines.clone(), load.clone()));
        let metronome = Rc::<Metronome>::default();
        tokio::task::spawn_local(vad.clone().supervise(metronome.clone()));
        let shared = load.clone();
        tokio::task::spawn_local(metronome.clone().run(move |late| {
            shared.beat(late);
            observe(late);
        }));
        let core = Self { metronome, vad, engines, health, config, events, load };
        CORE.with(|slot| slot.set(Rc::new(core))).unwrap_or_else(|_| panic!("a thread is one media core"));
    }

    /// The core of the present thread.
    ///
    /// # Panics
    /// On a thread that is no media core.
    pub fn current() -> Rc<Self> {
        CORE.with(|core| core.get().cloned()).expect("calls live on media cores only")
    }

    pub(crate) fn load(&self) -> &Arc<CoreLoad> {
        &self.load
    }

    /// Its metronome.
    pub fn metronome(&self) -> &Rc<Metronome> {
        &self.metronome
    }
}

impl Default for CoreLoad {
    fn default() -> Self {
        Self::new()
    }
}

impl CoreLoad {
    /// Of a core that is about to start.
    pub fn new() -> Self {
        Self {
            epoch: Instant::now(),
            calls: AtomicUsize::new(0),
            lines: AtomicUsize::new(0),
            beat_nanos: AtomicU64::new(0),
            lateness_nanos: AtomicU64::new(0),
            marker: AtomicU8::new(0),
            hears: watch::Sender::new(false),
        }
    }

    /// Whether its voice activity detector is there.
    pub fn hears(&self) -> bool {
        *self.hears.borrow()
    }

    /// Waits until its voice activity detector is there: until then a call on it is deaf.
    pub async fn heard(&self) {
        // The sender is alive as long as `self` is.
        let _ = self.hears.subscribe().wait_for(|hears| *hears).await;
    }

    /// Its detector has come or gone; the core itself says so.
    pub fn set_hears(&self, hears: bool) {
        self.hears.send_replace(hears);
    }

    /// Reserves a place for one call.
    pub fn reserve(self: &Arc<Self>) -> Place {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Place { load: self.clone() }
    }

    /// Counts the socket of a call.
    pub(crate) fn open_line(self: &Arc<Self>) -> OpenLine {
        self.lines.fetch_add(1, Ordering::Relaxed);
        OpenLine { load: self.clone() }
    }

    fn beat(&self, late: Duration) {
        self.beat_nanos.store(self.epoch.elapsed().as_nanos() as u64, Ordering::Relaxed);
        self.lateness_nanos.store(late.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Calls that it owns, places reserved included.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Sockets of its calls that are open.
    pub fn lines(&self) -> usize {
        self.lines.load(Ordering::Relaxed)
    }

    /// How long ago its metronome last ticked: long when something blocks the thread.
    pub fn silent_for(&self) -> Duration {
        let last = Duration::from_nanos(self.beat_nanos.load(Ordering::Relaxed));
        self.epoch.elapsed().saturating_sub(last)
    }

    /// How late its last tick came.
    pub fn lateness(&self) -> Duration {
        Duration::from_nanos(self.lateness_nanos.load(Ordering::Relaxed))
    }

    /// The stage whose code runs at the moment.
    pub fn running(&self) -> Option<StageKind> {
        StageKind::ALL.get(usize::from(self.marker.load(Ordering::Relaxed)).wrapping_sub(1)).copied()
    }
}

/// While it is there, the thread that watches this core sees that code of this stage runs.
#[derive(Debug)]
pub(crate) struct Marked {
    before: u8,
}

/// Notes that a stage's code runs on this core, until the result is dropped; `None`: code of no stage.
pub(crate) fn mark(stage: Option<StageKind>) -> Marked {
    let marker =
        StageKind::ALL.iter().position(|kind| Some(*kind) == stage).map_or(0, |index| index as u8 + 1);
    Marked { before: swap_marker(marker) }
}

impl Drop for Marked {
    /// Also when the stage's code panics.
    fn drop(&mut self) {
        swap_marker(self.before);
    }
}

fn swap_marker(value: u8) -> u8 {
    let swap = |core: &OnceCell<Rc<Core>>| {
        let marker = &core.get()?.load.marker;
        let before = marker.load(Ordering::Relaxed);
        // Only this thread writes it.
        marker.store(value, Ordering::Relaxed);
        Some(before)
    };
    // Tasks may still be dropped when the thread's locals are gone.
    CORE.try_with(swap).ok().flatten().unwrap_or(0)
}
