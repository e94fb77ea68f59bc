//! Orders on their way to an actor: none is dropped.

use actix::prelude::*;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where one actor's orders are put. It takes them in order and refuses none up to a bound, which only one that is stuck
/// lets them reach: then it is as good as dead, and whoever rebuilds it asks again for all that is wanted.
pub(crate) struct Post<A: Actor> {
    addr: Addr<A>,
    waiting: Arc<AtomicUsize>,
    /// It was said that it is stuck.
    told: Cell<bool>,
}

/// An order, which counts as long as it waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Posted<M> {
    pub(crate) it: M,
    _waiting: Waiting,
}

#[derive(Debug)]
struct Waiting(Arc<AtomicUsize>);

/// So many orders wait that the actor does not do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not take its orders")]
pub(crate) struct Stuck;

/// Orders that wait at most: more than a whole inbox makes of what it holds.
const MOST: usize = 1_024;

impl<A: Actor<Context = Context<A>>> Post<A> {
    pub(crate) fn to(addr: Addr<A>) -> Self {
        Self { addr, waiting: Arc::default(), told: Cell::default() }
    }

    /// Puts an order behind those before it. One that is gone already needs none: the news of its end is on the way.
    ///
    /// # Errors
    /// It is stuck; said once, since all that comes behind is asked again of whoever takes its place.
    pub(crate) fn put<M>(&self, it: M) -> Result<(), Stuck>
    where
        M: Message<Result = ()> + Send + 'static,
        A: Handler<Posted<M>>,
    {
        if self.waiting.load(Ordering::Relaxed) < MOST {
            self.put_surely(it);
            return Ok(());
        }
        if self.told.replace(true) { Ok(()) } else { Err(Stuck) }
    }

    /// The same for what comes a bounded number of times.
    pub(crate) fn put_surely<M>(&self, it: M)
    where
        M: Message<Result = ()> + Send + 'static,
        A: Handler<Posted<M>>,
    {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        send_surely(&self.addr, Posted { it, _waiting: Waiting(self.waiting.clone()) });
    }
}

/// Sends what comes a bounded number of times: once a hedged request, once for each time that a call falls idle.
/// A full mailbox does not lose it; who is gone needs it no more.
#[expect(clippy::disallowed_methods, reason = "bounded by what it is sent for, and must not be dropped")]
pub(crate) fn send_surely<A, M>(addr: &Addr<A>, message: M)
where
    A: Actor<Context = Context<A>> + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    addr.do_send(message);
}

impl<A: Actor> fmt::Debug for Post<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

/// The actor does an order as its message says.
macro_rules! takes_orders {
    ($actor:ty, $message:ty) => {
        impl actix::Handler<$crate::post::Posted<$message>> for $actor {
            type Result = ();

            fn handle(&mut self, order: $crate::post::Posted<$message>, ctx: &mut Self::Context) {
                actix::Handler::<$message>::handle(self, order.it, ctx);
            }
        }
    };
}
pub(crate) use takes_orders;

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    struct Clerk(Arc<Mutex<Vec<usize>>>);

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Number(usize);

    impl Actor for Clerk {
        type Context = Context<Self>;
    }

    impl Handler<Posted<Number>> for Clerk {
        type Result = ();

        fn handle(&mut self, order: Posted<Number>, _: &mut Self::Context) {
            self.0.lock().expect("nobody panics").push(order.it.0);
        }
    }

    #[test]
    fn a_thousand_orders_at_once_are_all_done_in_order_and_one_more_says_that_it_is_stuck() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let done = Arc::<Mutex<Vec<usize>>>::default();
            let context = Context::<Clerk>::new();
            let post = Post::to(context.address());
            for number in 0..MOST {
                assert_eq!(post.put(Number(number)), Ok(()));
            }
            assert_eq!(post.put(Number(MOST)), Err(Stuck));
            tokio::task::spawn_local(context.into_future(Clerk(done.clone())));
            while post.waiting.load(Ordering::Relaxed) > 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(*done.lock().expect("nobody panics"), (0..MOST).collect::<Vec<_>>());
            assert_eq!(post.put(Number(MOST)), Ok(()));
        });
    }
}
