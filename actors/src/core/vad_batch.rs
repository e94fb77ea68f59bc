//! Voice activity detection of all calls of a media core in one session, in slices that never block it long.

use crate::core::load::CoreLoad;
use crate::core::metronome::Metronome;
use crate::engines::{Engines, VadEngine};
use crate::error::panic_text;
use arrayvec::ArrayVec;
use ringway_frame::{Format, Frame, MediaTime};
use ringway_stages::Backoff;
use ringway_stages::silero::WindowCutter;
use ringway_stages::vad::{Vad, VadError, VadJob, VadState};
use ringway_turn::StageKind;
use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::time::{Instant, sleep};

/// Windows of all calls, gathered for 5 ms and judged together.
///
/// The detector is supervised here, since it is the whole core's: after an error or a panic it is built anew on a thread
/// of its own, because building takes far longer than a media core may be blocked. Meanwhile windows wait. When it keeps
/// failing they are refused, so that the calls escalate; it is tried on for the calls to come.
pub(crate) struct VadBatch {
    engines: Arc<Engines>,
    detector: RefCell<Option<Detector>>,
    state: Cell<State>,
    queue: RefCell<VecDeque<Rc<Ticket>>>,
    /// What is being judged.
    slice: RefCell<Slice>,
    load: Arc<CoreLoad>,
}

type Detector = Box<dyn Vad + Send>;

/// How the detector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is on its way. `=> Ready`, or `=> Gone` when it has failed too often.
    Building,
    /// It is there. `=> Building` when it fails.
    Ready,
    /// It keeps failing. `=> Ready` when it can be built after all.
    Gone,
}

/// One call's stream in the batch: it lends its model state and one window at a time, from where that was cut.
#[derive(Debug)]
pub(crate) struct Ticket {
    stream: RefCell<Stream>,
    status: Cell<Status>,
    waker: RefCell<Option<Waker>>,
}

#[derive(Debug)]
struct Stream {
    state: VadState,
    cutter: WindowCutter,
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

/// A detector that fails more often in a row is not waited for any more: a second and a half, and what it takes to build
/// it five times, when *mic* cannot hold more.
const MOST_FAILURES: u32 = 5;

type Slice = ArrayVec<Rc<Ticket>, SLICE>;

impl Ticket {
    /// The stream of a call that begins, whose frames have this format.
    ///
    /// # Errors
    /// There are no windows for it.
    pub(crate) fn new(vad: &VadEngine, format: Format) -> Result<Rc<Self>, VadError> {
        let cutter = WindowCutter::new(format, vad.rate)?;
        let stream = Stream { state: vad.state.clone(), cutter, probability: 0.0 };
        Ok(Rc::new(Self { stream: stream.into(), status: Status::Idle.into(), waker: None.into() }))
    }

    /// Takes 20 ms in, while no window is under way.
    pub(crate) fn hear(&self, frame: &Frame) {
        debug_assert!(self.is_idle(), "the window that is judged lies in the cutter");
        self.stream.borrow_mut().cutter.hear(frame);
    }

    /// How many more frames complete the next window, 1 or more.
    pub(crate) fn frames_to_window(&self) -> usize {
        self.stream.borrow().cutter.frames_to_window()
    }

    /// When the window ended that the last frame completed, once.
    pub(crate) fn cut(&self) -> Option<MediaTime> {
        self.stream.borrow_mut().cutter.next_window().map(|window| window.until)
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
        Poll::Ready(Ok(self.stream.borrow().probability))
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
        f.debug_struct("VadBatch").field("state", &self.state).finish_non_exhaustive()
    }
}

impl VadBatch {
    pub(crate) fn new(engines: Arc<Engines>, load: Arc<CoreLoad>) -> Self {
        Self {
            engines,
            detector: RefCell::default(),
            state: Cell::new(State::Building),
            queue: RefCell::default(),
            slice: RefCell::default(),
            load,
        }
    }

    /// The detector is on its way: windows wait for it, and a stage that waits with them is not stuck.
    pub(crate) fn is_building(&self) -> bool {
        self.state.get() == State::Building
    }

    /// Puts the window that was cut of the ticket's call into the batch. A ticket stands in the queue once, so that it is
    /// bounded by the number of calls.
    pub(crate) fn submit(&self, ticket: &Rc<Ticket>) {
        debug_assert!(ticket.is_idle(), "one window of a call at a time");
        if self.state.get() == State::Gone {
            return ticket.status.set(Status::Failed);
        }
        ticket.status.set(Status::Queued);
        self.queue.borrow_mut().push_back(ticket.clone());
    }

    /// Has the detector judge what gathers, and builds it anew whenever it fails, for ever.
    pub(crate) async fn supervise(self: Rc<Self>, metronome: Rc<Metronome>) {
        let began = Instant::now();
        let mut backoff = Backoff::default();
        let mut broken = None;
        loop {
            let reason = match self.build(broken.take()).await {
                Ok(()) => match tokio::task::spawn_local(self.clone().judge(metronome.clone())).await {
                    Ok(error) => error.to_string(),
                    Err(end) if end.is_panic() => panic_text(end.into_panic()),
                    // The thread comes to its end.
                    Err(_cancelled) => return,
                },
                Err(reason) => reason,
            };
            let wait = backoff.failed(began.elapsed());
            tracing::error!(reason, failures = backoff.failures(), "voice activity detection failed");
            broken = self.lose(backoff.failures() > MOST_FAILURES);
            sleep(wait).await;
        }
    }

    /// The broken one goes first, and on the same thread: two may not fit, and nobody knows what its end takes.
    async fn build(&self, broken: Option<Detector>) -> Result<(), String> {
        let engines = self.engines.clone();
        let build = move || {
            drop(broken);
            (engines.vad.build)()
        };
        let detector = match tokio::task::spawn_blocking(build).await {
            Ok(built) => built.map_err(|error| error.to_string())?,
            Err(end) => return Err(end.to_string()),
        };
        *self.detector.borrow_mut() = Some(detector);
        self.state.set(State::Ready);
        self.load.set_hears(true);
        Ok(())
    }

    /// The detector is not there any more; the stages whose windows it had are restarted.
    fn lose(&self, for_good: bool) -> Option<Detector> {
        self.load.set_hears(false);
        self.state.set(if for_good { State::Gone } else { State::Building });
        self.slice.borrow_mut().drain(..).for_each(|ticket| ticket.settle(Status::Failed));
        if for_good {
            self.queue.borrow_mut().drain(..).for_each(|ticket| ticket.settle(Status::Failed));
        }
        self.detector.borrow_mut().take()
    }

    /// Judges what has gathered, every 5 ms, until the detector fails.
    async fn judge(self: Rc<Self>, metronome: Rc<Metronome>) -> VadError {
        let mut beat = metronome.fast_beat();
        loop {
            poll_fn(|cx| beat.poll_tick(cx)).await;
            while self.take() {
                if let Err(error) = self.infer() {
                    return error;
                }
                self.slice.borrow_mut().drain(..).for_each(|ticket| ticket.settle(Status::Judged));
                tokio::task::yield_now().await;
            }
        }
    }

    fn take(&self) -> bool {
        let mut queue = self.queue.borrow_mut();
        let count = queue.len().min(SLICE);
        self.slice.borrow_mut().extend(queue.drain(..count));
        count > 0
    }

    fn infer(&self) -> Result<(), VadError> {
        let mut detector = self.detector.borrow_mut();
        let vad = detector.as_mut().ok_or_else(|| VadError::Inference("there is no detector".into()))?;
        let _marked = self.load.marker().mark(Some(StageKind::Vad));
        let slice = self.slice.borrow();
        let mut streams: Streams<'_> = slice.iter().map(|ticket| ticket.stream.borrow_mut()).collect();
        infer_streams(vad.as_mut(), &mut streams)
    }
}

type Streams<'a> = ArrayVec<RefMut<'a, Stream>, SLICE>;

fn infer_streams(vad: &mut dyn Vad, streams: &mut Streams<'_>) -> Result<(), VadError> {
    let mut probabilities = [0.0; SLICE];
    let mut jobs: ArrayVec<VadJob<'_>, SLICE> = streams.iter_mut().map(|stream| stream.job()).collect();
    vad.infer(&mut jobs)?;
    for (probability, job) in probabilities.iter_mut().zip(&jobs) {
        *probability = job.probability;
    }
    drop(jobs);
    for (stream, probability) in streams.iter_mut().zip(probabilities) {
        stream.probability = probability;
    }
    Ok(())
}

impl Stream {
    fn job(&mut self) -> VadJob<'_> {
        VadJob { state: &mut self.state, samples: self.cutter.window(), probability: 0.0 }
    }
}
