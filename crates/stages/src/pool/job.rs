use crate::stt::Urgency;
use atomic_waker::AtomicWaker;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Nobody wants the job's result any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the job was cancelled")]
pub struct Cancelled;

/// Why a job has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It gave way to something more urgent.
    #[error("the job gave way to a more urgent one")]
    Cancelled,
    /// It panicked, and its engine is being rebuilt.
    #[error("the engine panicked")]
    Panicked,
    /// It did not come back, and its thread was abandoned.
    #[error("the engine is stuck")]
    Stuck,
    /// The pool closed, or lost its last engine, before the job began.
    #[error("no engine was left for the job")]
    Refused,
}

/// What a job and its pool tell each other.
pub struct Control {
    phase: AtomicU8,
    cancelled: AtomicBool,
    /// When the pool was started: what `progress` counts from.
    epoch: Instant,
    /// The last checkpoint, in nanoseconds.
    progress: AtomicU64,
    waker: AtomicWaker,
}

impl Control {
    fn new(epoch: Instant) -> Self {
        Self {
            phase: AtomicU8::new(Phase::Queued as u8),
            cancelled: AtomicBool::new(false),
            epoch,
            progress: AtomicU64::new(0),
            waker: AtomicWaker::new(),
        }
    }

    /// Called by a job between slices of work: it shows that the engine is alive.
    ///
    /// # Errors
    /// The job is to end without a result.
    pub fn checkpoint(&self) -> Result<(), Cancelled> {
        self.progress.store(self.since_epoch(Instant::now()), Ordering::Relaxed);
        if self.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    /// For how long, at `now`, the job has passed no checkpoint.
    pub(super) fn silent_for(&self, now: Instant) -> Duration {
        let silent = self.since_epoch(now).saturating_sub(self.progress.load(Ordering::Relaxed));
        Duration::from_nanos(silent)
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The job runs from now on, unless nobody wants it any more.
    pub(super) fn begin(&self) -> Result<(), Cancelled> {
        self.checkpoint()?;
        self.phase.store(Phase::Running as u8, Ordering::Release);
        Ok(())
    }

    /// Once: the first end counts.
    pub(super) fn end(&self, end: Phase) {
        let open = |phase| (phase <= Phase::Running as u8).then_some(end as u8);
        // Release: who sees the end sees the result.
        if self.phase.fetch_update(Ordering::AcqRel, Ordering::Acquire, open).is_ok() {
            self.waker.wake();
        }
    }

    fn phase(&self) -> u8 {
        self.phase.load(Ordering::Acquire)
    }

    fn since_epoch(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("phase", &self.phase())
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}

/// Where a job is: it only goes forward, to one of the ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    Queued,
    Running,
    /// It returned; its result, if it was not cancelled, has been sent.
    Returned,
    Panicked,
    Stuck,
    Refused,
}

/// A job as it lies in the queue. Dropped before it ran, it is refused.
pub(super) struct Job<E> {
    pub(super) urgency: Urgency,
    pub(super) control: Arc<Control>,
    work: Option<Work<E>>,
}

type Work<E> = Box<dyn FnOnce(&mut E, &Control) + Send>;

/// A job, and what its session holds of it.
pub(super) fn job<E, R: Send + 'static>(
    epoch: Instant,
    urgency: Urgency,
    work: impl FnOnce(&mut E, &Control) -> Result<R, Cancelled> + Send + 'static,
) -> (Job<E>, Ticket<R>) {
    let control = Arc::new(Control::new(epoch));
    let (sender, result) = oneshot::channel();
    let work = move |engine: &mut E, control: &Control| {
        if let Ok(result) = work(engine, control) {
            // The session may have gone; then nobody misses the result.
            drop(sender.send(result));
        }
    };
    let job = Job { urgency, control: control.clone(), work: Some(Box::new(work)) };
    (job, Ticket { control, result })
}

impl<E> Job<E> {
    /// Does the work; the pool tells the end.
    pub(super) fn run(mut self, engine: &mut E) {
        if let Some(work) = self.work.take() {
            work(engine, &self.control);
        }
    }
}

impl<E> Drop for Job<E> {
    fn drop(&mut self) {
        if self.work.is_some() {
            self.control.end(Phase::Refused);
        }
    }
}

/// A session's claim on the result of its job. Dropping it cancels the job.
pub struct Ticket<R> {
    control: Arc<Control>,
    result: oneshot::Receiver<R>,
}

impl<R> Ticket<R> {
    /// Whether the job waits for an engine.
    pub fn is_queued(&self) -> bool {
        self.control.phase() == Phase::Queued as u8
    }

    /// The job's result; until then the task of `cx` waits for it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, JobError>> {
        self.control.waker.register(cx.waker());
        let phase = self.control.phase();
        if phase <= Phase::Running as u8 {
            return Poll::Pending;
        }
        Poll::Ready(match phase {
            phase if phase == Phase::Returned as u8 => {
                self.result.try_recv().map_err(|_| JobError::Cancelled)
            }
            phase if phase == Phase::Panicked as u8 => Err(JobError::Panicked),
            phase if phase == Phase::Stuck as u8 => Err(JobError::Stuck),
            _ => Err(JobError::Refused),
        })
    }
}

impl<R> Drop for Ticket<R> {
    fn drop(&mut self) {
        self.control.cancel();
    }
}

impl<R> fmt::Debug for Ticket<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.control.fmt(f)
    }
}
