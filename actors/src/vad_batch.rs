//! Voice activity detection of all calls of a media core in one session, in slices that never block it long.

use crate::core::CoreLoad;
use crate::engines::{Engines, VadEngine};
use crate::metronome::Metronome;
use arrayvec::ArrayVec;
use ringway_stages::vad::{Vad, VadError, VadJob, VadState};
use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Windows of all calls, gathered for 5 ms and judged together.
pub(crate) struct VadBatch {
    engines: Arc<Engines>,
    vad: RefCell<Option<Box<dyn Vad + Send>>>,
    queue: RefCell<VecDeque<Rc<Ticket>>>,
    failures: Cell<u64>,
    building: Cell<bool>,
    load: Arc<CoreLoad>,
}

/// One call's seat in the batch: it lends its model state and one window at a time.
#[derive(Debug)]
pub(crate) struct Ticket {
    seat: RefCell<Seat>,
    status: Cell<Status>,
    waker: RefCell<Option<Waker>>,
}

#[derive(Debug)]
struct Seat {
    state: VadState,
    samples: Box<[f32]>,
    probability: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Idle,
    Queued,
    Judged,
    Failed,
}

/// Windows that are judged without a break: about 1 ms with ONNX Runtime at 16 kHz.
const SLICE: usize = 24;

/// An engine that cannot be built is tried again after this time.
const REBUILD_AFTER: Duration = Duration::from_millis(500);

type Slice = ArrayVec<Rc<Ticket>, SLICE>;

impl Ticket {
    /// A seat for a call that begins.
    pub(crate) fn new(vad: &VadEngine) -> Rc<Self> {
        let samples = vec![0.0; vad.window].into_boxed_slice();
        let seat = Seat { state: vad.state.clone(), samples, probability: 0.0 };
        Rc::new(Self { seat: seat.into(), status: Status::Idle.into(), waker: None.into() })
    }

    /// No window is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.status.get() == Status::Idle
    }

    /// The probability of the window that was submitted, once.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<f32, VadError>> {
        match self.status.get() {
            Status::Idle | Status::Queued => {
                self.waker.replace(Some(cx.waker().clone()));
                return Poll::Pending;
            }
            Status::Judged => {}
            Status::Failed => return Poll::Ready(Err(VadError::Inference("the batch failed".into()))),
        }
        self.status.set(Status::Idle);
        Poll::Ready(Ok(self.seat.borrow().probability))
    }

    fn settle(&self, status: Status) {
        self.status.set(status);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for VadBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VadBatch").field("failures", &self.failures).finish_non_exhaustive()
    }
}

impl VadBatch {
    pub(crate) fn new(engines: Arc<Engines>, load: Arc<CoreLoad>) -> Self {
        Self {
            engines,
            vad: RefCell::default(),
            queue: RefCell::default(),
            failures: Cell::new(0),
            building: Cell::new(false),
            load,
        }
    }

    /// The engine is on its way: windows wait for it, and a stage that waits with them is not stuck.
    pub(crate) fn is_building(&self) -> bool {
        self.building.get()
    }

    /// Puts one window of the ticket's call into the batch. A ticket stands in the queue once, so that it is bounded
    /// by the number of calls.
    pub(crate) fn submit(&self, ticket: &Rc<Ticket>, window: &[f32]) {
        debug_assert!(ticket.is_idle(), "one window of a call at a time");
        ticket.seat.borrow_mut().samples.copy_from_slice(window);
        ticket.status.set(Status::Queued);
        self.queue.borrow_mut().push_back(ticket.clone());
    }

    /// Judges what has gathered, every 5 ms, for ever. The engine is built on a thread of its own, also after it has
    /// failed: building takes far longer than a media core may be blocked.
    pub(crate) async fn run(self: Rc<Self>, metronome: Rc<Metronome>) {
        let mut seen = 0;
        let mut slice = ArrayVec::new();
        loop {
            if self.vad.borrow().is_none() {
                self.build().await;
            }
            poll_fn(|cx| metronome.poll_subtick(&mut seen, cx)).await;
            while self.take(&mut slice) {
                self.judge(&mut slice);
                tokio::task::yield_now().await;
            }
        }
    }

    async fn build(&self) {
        let engines = self.engines.clone();
        self.building.set(true);
        let built = tokio::task::spawn_blocking(move || (engines.vad.build)()).await;
        self.building.set(false);
        match built {
            Ok(Ok(vad)) => {
                *self.vad.borrow_mut() = Some(vad);
                self.load.set_hears(true);
            }
            Ok(Err(error)) => self.unbuilt(&error.to_string()).await,
            Err(panic) => self.unbuilt(&panic.to_string()).await,
        }
    }

    async fn unbuilt(&self, reason: &str) {
        tracing::error!(reason, "the voice activity detector cannot be built");
        tokio::time::sleep(REBUILD_AFTER).await;
    }

    fn take(&self, slice: &mut Slice) -> bool {
        let mut queue = self.queue.borrow_mut();
        let count = queue.len().min(SLICE);
        slice.extend(queue.drain(..count));
        count > 0
    }

    /// An engine that fails is built anew for the next slice; the stages whose windows it lost are restarted.
    fn judge(&self, slice: &mut Slice) {
        let result = self.infer(slice);
        if let Err(error) = &result {
            self.failures.set(self.failures.get() + 1);
            tracing::error!(%error, failures = self.failures.get(), "voice activity detection failed");
            *self.vad.borrow_mut() = None;
            self.load.set_hears(false);
        }
        let status = if result.is_ok() { Status::Judged } else { Status::Failed };
        slice.drain(..).for_each(|ticket| ticket.settle(status));
    }

    fn infer(&self, slice: &[Rc<Ticket>]) -> Result<(), VadError> {
        let mut vad = self.vad.borrow_mut();
        let vad = vad.as_mut().ok_or_else(|| VadError::Inference("the engine is being built".into()))?;
        crate::core::mark(Some(ringway_turn::StageKind::Vad));
        let mut seats: Seats<'_> = slice.iter().map(|ticket| ticket.seat.borrow_mut()).collect();
        let result = infer_seats(vad.as_mut(), &mut seats);
        crate::core::unmark();
        result
    }
}

type Seats<'a> = ArrayVec<RefMut<'a, Seat>, SLICE>;

fn infer_seats(vad: &mut dyn Vad, seats: &mut Seats<'_>) -> Result<(), VadError> {
    let mut probabilities = [0.0; SLICE];
    let mut jobs: ArrayVec<VadJob<'_>, SLICE> = seats.iter_mut().map(|seat| seat.job()).collect();
    vad.infer(&mut jobs)?;
    for (probability, job) in probabilities.iter_mut().zip(&jobs) {
        *probability = job.probability;
    }
    drop(jobs);
    for (seat, probability) in seats.iter_mut().zip(probabilities) {
        seat.probability = probability;
    }
    Ok(())
}

impl Seat {
    fn job(&mut self) -> VadJob<'_> {
        VadJob { state: &mut self.state, samples: &self.samples, probability: 0.0 }
    }
}
