//! What all stage actors have in common: how they are driven, and how they end.

use crate::cause::Cause;
use crate::core::marker::Marker;
use crate::error::{Death, Fault, StageError, panic_text};
use actix::prelude::*;
use ringway_turn::StageKind;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll};
use tokio::task::AbortHandle;

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

/// A stage that has filled *voice* goes on when one of so many parts of it is free: each frame by itself would cost a wake.
pub(crate) const PARTS: usize = 4;

/// A stage actor's own work, driven whenever one of its wakers fires or a message came.
pub(crate) trait Stage: Actor<Context = Context<Self>> {
    /// Which stage it is.
    const KIND: Option<StageKind>;

    /// Works until there is nothing to do.
    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError>;

    /// Where its last error is left for the Call.
    fn exit_reason(&self) -> &ExitReason;
}

/// A stage's last error.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExitReason(Rc<RefCell<Option<StageError>>>);

impl ExitReason {
    pub(crate) fn write(&self, error: StageError) {
        self.0.borrow_mut().get_or_insert(error);
    }

    fn take(&self) -> Option<StageError> {
        self.0.borrow_mut().take()
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

/// Starts a stage as a task of its own; `on_exit` is told how it ended unless it was aborted.
pub(crate) fn spawn<A: Stage>(actor: A, marker: &Marker, on_exit: impl FnOnce(Death) + 'static) -> Child<A> {
    let exit_reason = actor.exit_reason().clone();
    let context = Context::<A>::new();
    let addr = context.address();
    let task =
        tokio::task::spawn_local(marked(A::KIND, marker.clone(), Box::pin(context.into_future(actor))));
    let abort = task.abort_handle();
    tokio::task::spawn_local(async move {
        match task.await {
            Ok(()) => on_exit(exit_reason.take().map(|error| (error.cause(), error.to_string()))),
            Err(end) if end.is_panic() => on_exit(Some((Cause::Panic, panic_text(end.into_panic())))),
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
    marker: Marker,
    mut actor: Pin<Box<impl Future<Output = ()>>>,
) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
        let _marked = marker.mark(stage);
        actor.as_mut().poll(cx)
    })
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
            stage.exit_reason().write(error);
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
            stage.exit_reason().write(StageError::Injected);
            ctx.stop();
        }
        Fault::Panic => panic!("injected panic in {:?}", A::KIND),
        Fault::Stall => ctx.wait(actix::fut::wrap_future(std::future::pending::<()>())),
    }
}
