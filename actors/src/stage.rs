//! What all stage actors have in common: how they are driven, fail, are injected with faults, and are watched.

use crate::event::Cause;
use actix::prelude::*;
use ringway_stages::llm::LlmError;
use ringway_stages::services::Refused;
use ringway_stages::speech_to_speech::SpeechError;
use ringway_stages::stt::SttError;
use ringway_stages::tts::TtsError;
use ringway_turn::StageKind;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Why a stage gave up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// Voice activity detection failed.
    #[error(transparent)]
    Vad(#[from] ringway_stages::vad::VadError),
    /// The recogniser failed.
    #[error(transparent)]
    Stt(#[from] ringway_stages::stt::SttError),
    /// The language model failed.
    #[error(transparent)]
    Llm(#[from] ringway_stages::llm::LlmError),
    /// The voice failed.
    #[error(transparent)]
    Tts(#[from] ringway_stages::tts::TtsError),
    /// The service that hears and speaks failed.
    #[error(transparent)]
    Speech(#[from] ringway_stages::speech_to_speech::SpeechError),
    /// The router does not take what it is told.
    #[error("the router's mailbox is {0}")]
    Router(&'static str),
    /// The stage's ring ends were taken back.
    #[error("the stage was replaced")]
    Fenced,
    /// No engine is configured, or none is left.
    #[error("no engine is left")]
    NoEngine,
    /// On request.
    #[error("injected error")]
    Injected,
}

impl StageError {
    /// What it counts as.
    fn cause(&self) -> Cause {
        let refusal = match self {
            Self::Llm(LlmError::Empty { reason, .. }) => return Cause::Empty(*reason),
            Self::Stt(SttError::Service { source, .. })
            | Self::Llm(LlmError::Service { source, .. })
            | Self::Tts(TtsError::Service { source, .. } | TtsError::Refused { source, .. })
            | Self::Speech(SpeechError::Service { source, .. }) => source.refusal(),
            _ => None,
        };
        match refusal {
            Some(Refused::Request) => Cause::Refused,
            Some(Refused::Service) => Cause::Unfit,
            None => Cause::Error,
        }
    }
}

/// A fault that is put into a stage on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The stage returns an error.
    Error,
    /// The stage panics.
    Panic,
    /// The stage stops making progress.
    Stall,
}

/// Puts a fault into a stage.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Inject(pub Fault);

/// Nothing has come for long: the memory of the ring that the stage fills is given back.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Rest;

/// What a stage passes on before it lets the others work. It goes on only as long as the router's inbox has room: the
/// router may read less at once than all stages together have to tell.
pub(crate) const AT_ONCE: usize = 64;

/// A stage actor's own work, driven whenever one of its wakers fires or a message came.
pub(crate) trait Stage: Actor<Context = Context<Self>> {
    /// Which stage it is.
    const KIND: Option<StageKind>;

    /// Works until there is nothing to do.
    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError>;

    /// Where its last error is left for the Call.
    fn obituary(&self) -> &Obituary;
}

/// A stage's last error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Obituary(Rc<RefCell<Option<StageError>>>);

impl Obituary {
    pub(crate) fn write(&self, error: StageError) {
        self.0.borrow_mut().get_or_insert(error);
    }

    fn take(&self) -> Option<StageError> {
        self.0.borrow_mut().take()
    }
}

/// Work that a stage owes: set by whoever asks, moved on by each sign of progress.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Rc<Cell<Debt>>);

#[derive(Clone, Copy, Debug, Default)]
struct Debt {
    answers: u32,
    since: Option<Instant>,
}

impl Watch {
    /// One more answer is owed.
    pub(crate) fn owe(&self) {
        let Debt { answers, since } = self.0.get();
        self.0.set(Debt { answers: answers + 1, since: since.or_else(|| Some(Instant::now())) });
    }

    /// One answer is owed from now on; earlier ones are not wanted any more.
    pub(crate) fn owe_anew(&self) {
        self.settle();
        self.owe();
    }

    /// A sign of progress; as much is owed as before.
    pub(crate) fn progress(&self) {
        let Debt { answers, since } = self.0.get();
        self.0.set(Debt { answers, since: since.map(|_| Instant::now()) });
    }

    /// One answer came.
    pub(crate) fn repay(&self) {
        let answers = self.0.get().answers.saturating_sub(1);
        self.0.set(Debt { answers, since: (answers > 0).then(Instant::now) });
    }

    /// How many answers are owed.
    pub(crate) fn answers(&self) -> u32 {
        self.0.get().answers
    }

    /// Nothing is owed.
    pub(crate) fn settle(&self) {
        self.0.set(Debt::default());
    }

    /// Since when no progress was made on what is owed.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.0.get().since
    }
}

/// A running stage.
#[derive(Debug)]
pub(crate) struct Child<A: Actor> {
    pub(crate) addr: Addr<A>,
    abort: AbortHandle,
}

impl<A: Actor> Drop for Child<A> {
    /// Aborting drops the actor: its ring ends come home and its address closes.
    fn drop(&mut self) {
        self.abort.abort();
    }
}

impl<A: Stage + Handler<Inject>> Child<A> {
    /// Puts a fault into it; `false`: it takes no messages.
    pub(crate) fn inject(&self, fault: Inject) -> bool {
        self.addr.try_send(fault).is_ok()
    }
}

/// How a stage ended: `None` when it was told to.
pub(crate) type Death = Option<(Cause, String)>;

/// Starts a stage as a task of its own; `bury` is told how it ended unless it was aborted.
pub(crate) fn spawn<A: Stage>(actor: A, bury: impl FnOnce(Death) + 'static) -> Child<A> {
    let obituary = actor.obituary().clone();
    let context = Context::<A>::new();
    let addr = context.address();
    let task = tokio::task::spawn_local(marked(A::KIND, Box::pin(context.into_future(actor))));
    let abort = task.abort_handle();
    tokio::task::spawn_local(async move {
        match task.await {
            Ok(()) => bury(obituary.take().map(|error| (error.cause(), error.to_string()))),
            Err(end) if end.is_panic() => bury(Some((Cause::Panic, panic_text(end.into_panic())))),
            Err(_aborted) => {}
        }
    });
    Child { addr, abort }
}

/// Whatever the actor does, in its pump or in a handler, is seen to be its stage's.
///
/// It is boxed, since an asynchronous function would hold it twice: as what it was given, and where it polls it.
fn marked(
    stage: Option<StageKind>,
    mut actor: Pin<Box<impl Future<Output = ()>>>,
) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
        let _marked = crate::core::mark(stage);
        actor.as_mut().poll(cx)
    })
}

pub(crate) fn panic_text(payload: Box<dyn std::any::Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => {
            payload.downcast::<&str>().map_or_else(|_| "panic".to_owned(), |text| (*text).to_owned())
        }
    }
}

/// Drives [`Stage::pump`] for as long as the actor lives.
pub(crate) struct Pump;

impl<A: Stage> ActorFuture<A> for Pump {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        stage: &mut A,
        ctx: &mut A::Context,
        task: &mut task::Context<'_>,
    ) -> Poll<()> {
        if let Err(error) = stage.pump(task) {
            stage.obituary().write(error);
            ctx.stop();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

/// Does to a stage what an injected fault says.
pub(crate) fn inject<A: Stage>(stage: &A, fault: Fault, ctx: &mut Context<A>) {
    match fault {
        Fault::Error => {
            stage.obituary().write(StageError::Injected);
            ctx.stop();
        }
        Fault::Panic => panic!("injected panic in {:?}", A::KIND),
        Fault::Stall => ctx.wait(actix::fut::wrap_future(std::future::pending::<()>())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_stages::llm::Emptiness;

    #[test]
    fn an_empty_answer_counts_by_its_reason_and_other_errors_as_errors() {
        let empty = |reason| StageError::Llm(LlmError::Empty { engine: "x", reason }).cause().name();
        let names = Emptiness::ALL.map(empty);
        assert!(
            names.iter().zip(Emptiness::ALL).all(|(name, of)| *name == format!("empty_{of}")),
            "{names:?}"
        );
        assert_eq!(StageError::Injected.cause(), Cause::Error);
    }
}
