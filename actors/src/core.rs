//! Media cores: OS threads that own calls.

pub(crate) mod load;
pub(crate) mod marker;
pub(crate) mod metronome;
pub(crate) mod outbox;
mod tick_broadcast;
pub(crate) mod vad_batch;

use crate::config::Config;
use crate::engines::Engines;
use crate::health::ServiceHealth;
use crate::leg::door::LegDoor;
use crate::sink::EventSink;
use actix_rt::{Arbiter, ArbiterHandle};
use load::{CoreLoad, Place};
use metronome::Metronome;
use outbox::Outbox;
use ringway_frame::CallId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use vad_batch::VadBatch;

/// A thread that owns calls: an actix arbiter on a current-thread runtime.
#[derive(Debug)]
pub struct MediaCore {
    handle: ArbiterHandle,
    arbiter: Mutex<Option<Arbiter>>,
    jobs: CoreHandle,
    load: Arc<CoreLoad>,
}

/// Where work for a media core is put, from any thread.
#[derive(Clone)]
pub struct CoreHandle(mpsc::Sender<Job>);

/// Begins a task on the core.
type Job = Box<dyn FnOnce(&Rc<Core>) + Send>;

/// Tasks that wait to begin on a core at most; whoever has one more waits.
const JOBS: usize = 256;

/// What a media core's own tasks share.
#[derive(Debug)]
pub struct Core {
    pub(crate) metronome: Rc<Metronome>,
    pub(crate) vad: Rc<VadBatch>,
    pub(crate) engines: Arc<Engines>,
    pub(crate) health: Arc<ServiceHealth>,
    pub(crate) config: Arc<Config>,
    pub(crate) events: Rc<Outbox>,
    load: Arc<CoreLoad>,
    /// Where transports come to the legs of the core's calls, each by its number.
    doors: RefCell<HashMap<(CallId, u32), LegDoor>>,
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
        let (sender, jobs) = mpsc::channel(JOBS);
        arbiter.spawn_fn(move || {
            let core = Core::start(engines, health, config, events, shared, observe);
            tokio::task::spawn_local(work(core, jobs));
        });
        let (handle, jobs) = (arbiter.handle(), CoreHandle(sender));
        Self { handle, arbiter: Mutex::new(Some(arbiter)), jobs, load }
    }

    /// How it is doing.
    pub fn load(&self) -> &Arc<CoreLoad> {
        &self.load
    }

    /// Where work for it is put.
    pub fn handle(&self) -> CoreHandle {
        self.jobs.clone()
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

impl CoreHandle {
    /// Makes a future on the core and runs it there, as soon as there is room for it; `false`: the core is gone.
    pub async fn spawn<F>(&self, make: impl FnOnce(Rc<Core>) -> F + Send + 'static) -> bool
    where
        F: Future<Output = ()> + 'static,
    {
        let job = move |core: &Rc<Core>| drop(tokio::task::spawn_local(make(core.clone())));
        self.0.send(Box::new(job)).await.is_ok()
    }
}

/// Begins whatever is put, for as long as the core runs.
async fn work(core: Rc<Core>, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.recv().await {
        job(&core);
    }
}

impl fmt::Debug for CoreHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CoreHandle").field(&self.0.max_capacity()).finish()
    }
}

impl Core {
    /// A core on the present thread, whose runtime must run local tasks. [`MediaCore::start`] does so on a thread of its
    /// own, a test on a runtime whose time it drives.
    pub fn start(
        engines: Arc<Engines>,
        health: Arc<ServiceHealth>,
        config: Arc<Config>,
        events: EventSink,
        load: Arc<CoreLoad>,
        observe: impl Fn(Duration) + 'static,
    ) -> Rc<Self> {
        let vad = Rc::new(VadBatch::new(engines.clone(), load.clone()));
        let metronome = Rc::<Metronome>::default();
        tokio::task::spawn_local(vad.clone().supervise(metronome.clone()));
        let events = Rc::new(Outbox::new(events, load.clone()));
        tokio::task::spawn_local(events.clone().forward());
        let shared = load.clone();
        tokio::task::spawn_local(metronome.clone().run(move |late| {
            shared.beat(late);
            observe(late);
        }));
        Rc::new(Self { metronome, vad, engines, health, config, events, load, doors: RefCell::default() })
    }

    pub(crate) fn load(&self) -> &Arc<CoreLoad> {
        &self.load
    }

    /// Where a transport comes to this leg of this call, if that is in progress here; the caller's has the number 0.
    pub fn door(&self, call: CallId, leg: u32) -> Option<LegDoor> {
        self.doors.borrow().get(&(call, leg)).cloned()
    }

    pub(crate) fn open_door(&self, leg: (CallId, u32), door: LegDoor) {
        self.doors.borrow_mut().insert(leg, door);
    }

    pub(crate) fn close_door(&self, leg: (CallId, u32)) {
        self.doors.borrow_mut().remove(&leg);
    }

    /// Its metronome.
    pub fn metronome(&self) -> &Rc<Metronome> {
        &self.metronome
    }
}
