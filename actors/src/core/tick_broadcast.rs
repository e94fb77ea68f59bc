//! Ticks for all who wait for them: to wait and to be woken cost each the same however many there are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Ticks, and those who wait for them.
#[derive(Debug, Default)]
pub(crate) struct TickBroadcast {
    ticks: Cell<u64>,
    waiters: RefCell<Waiters>,
}

/// One who hears the ticks, until dropped.
#[derive(Debug)]
pub struct Beat {
    broadcast: Rc<TickBroadcast>,
    waiter: usize,
    seen: u64,
}

#[derive(Debug, Default)]
struct Waiters {
    waiters: Vec<Waiter>,
    free: Vec<usize>,
    /// Who is to be woken at the next tick; it has room for all, so that no tick allocates.
    waiting: Vec<usize>,
    #[cfg(test)]
    looked_at: usize,
}

#[derive(Debug, Default)]
struct Waiter {
    /// Kept from tick to tick: it is nearly always the same.
    waker: Option<Waker>,
    /// It is among those that wait.
    waits: bool,
}

impl TickBroadcast {
    /// One more; it hears the ticks that follow.
    pub(crate) fn beat(self: &Rc<Self>) -> Beat {
        let waiter = self.waiters.borrow_mut().join();
        Beat { broadcast: self.clone(), waiter, seen: self.ticks.get() }
    }

    /// Wakes all who wait.
    pub(crate) fn tick(&self) {
        self.ticks.set(self.ticks.get() + 1);
        self.waiters.borrow_mut().wake();
    }
}

impl Beat {
    /// Ready once in each tick; ticks that were not awaited do not pile up.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.broadcast.ticks.get();
        if now != self.seen {
            self.seen = now;
            return Poll::Ready(());
        }
        self.broadcast.waiters.borrow_mut().wait(self.waiter, cx.waker());
        Poll::Pending
    }

    /// Forgets the ticks that passed while nothing was played.
    pub fn skip(&mut self) {
        self.seen = self.broadcast.ticks.get();
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.broadcast.waiters.borrow_mut().leave(self.waiter);
    }
}

impl Waiters {
    fn join(&mut self) -> usize {
        let waiter = self.free.pop().unwrap_or_else(|| {
            self.waiters.push(Waiter::default());
            self.waiters.len() - 1
        });
        self.waiting.reserve(self.waiters.len() - self.waiting.len());
        waiter
    }

    /// One that waits stays among those that do: whoever takes its place next finds it there.
    fn leave(&mut self, waiter: usize) {
        self.waiters[waiter].waker = None;
        self.free.push(waiter);
    }

    fn wait(&mut self, waiter: usize, waker: &Waker) {
        let at = self.look_at(waiter);
        match &mut at.waker {
            Some(known) => known.clone_from(waker),
            None => at.waker = Some(waker.clone()),
        }
        if !std::mem::replace(&mut at.waits, true) {
            self.waiting.push(waiter);
        }
    }

    fn wake(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for waiter in waiting.drain(..) {
            let at = self.look_at(waiter);
            at.waits = false;
            if let Some(waker) = &at.waker {
                waker.wake_by_ref();
            }
        }
        self.waiting = waiting;
    }

    fn look_at(&mut self, waiter: usize) -> &mut Waiter {
        #[cfg(test)]
        {
            self.looked_at += 1;
        }
        &mut self.waiters[waiter]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    const CALLS: usize = 1_000;
    const TICKS: usize = 20;

    #[test]
    fn a_tick_looks_at_each_call_that_waits_once_and_allocates_nothing() {
        let broadcast = Rc::new(TickBroadcast::default());
        let mut calls: Vec<_> = (0..CALLS).map(|_| (broadcast.beat(), Arc::<Count>::default())).collect();
        let room = broadcast.waiters.borrow().waiting.capacity();
        for _ in 0..TICKS {
            for (beat, count) in &mut calls {
                let waker = Waker::from(count.clone());
                let waits = beat.poll_tick(&mut Context::from_waker(&waker)).is_pending();
                assert!(waits || beat.poll_tick(&mut Context::from_waker(&waker)).is_pending());
            }
            broadcast.tick();
        }
        assert!(calls.iter().all(|(_, count)| count.0.load(Ordering::Relaxed) == TICKS));
        let waiters = broadcast.waiters.borrow();
        assert_eq!(waiters.looked_at, CALLS * TICKS * 2, "once to wait, once to be woken");
        assert_eq!(waiters.waiting.capacity(), room);
    }

    #[test]
    fn a_call_that_ends_leaves_its_place_to_the_next() {
        let broadcast = Rc::new(TickBroadcast::default());
        let (gone, here) = (Arc::<Count>::default(), Arc::<Count>::default());
        let _other = broadcast.beat();
        for _ in 0..CALLS {
            let waker = Waker::from(gone.clone());
            assert!(broadcast.beat().poll_tick(&mut Context::from_waker(&waker)).is_pending());
        }
        let mut beat = broadcast.beat();
        assert!(beat.poll_tick(&mut Context::from_waker(&Waker::from(here.clone()))).is_pending());
        broadcast.tick();
        assert_eq!((gone.0.load(Ordering::Relaxed), here.0.load(Ordering::Relaxed)), (0, 1));
        assert_eq!(broadcast.waiters.borrow().waiters.len(), 2);
        assert_eq!(Arc::strong_count(&gone), 1, "who has gone is not held on to");
    }
}
