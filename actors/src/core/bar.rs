//! Those who wait for the same ticks: each has a seat of their own, so that to wait and to be woken cost each the same
//! however many there are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Ticks, and the seats of those who wait for them.
#[derive(Debug, Default)]
pub(crate) struct Bar {
    ticks: Cell<u64>,
    seats: RefCell<Seats>,
}

/// Somebody's place in a bar, given up when dropped.
#[derive(Debug)]
pub struct Beat {
    bar: Rc<Bar>,
    seat: usize,
    seen: u64,
}

#[derive(Debug, Default)]
struct Seats {
    seats: Vec<Seat>,
    free: Vec<usize>,
    /// Seats to be woken at the next tick; it has room for all, so that no tick allocates.
    waiting: Vec<usize>,
    #[cfg(test)]
    looked_at: usize,
}

#[derive(Debug, Default)]
struct Seat {
    /// Kept from tick to tick: it is nearly always the same.
    waker: Option<Waker>,
    /// It is among those that wait.
    waits: bool,
}

impl Bar {
    /// A place for one more; it hears the ticks that follow.
    pub(crate) fn beat(self: &Rc<Self>) -> Beat {
        let seat = self.seats.borrow_mut().sit();
        Beat { bar: self.clone(), seat, seen: self.ticks.get() }
    }

    /// Wakes all who wait.
    pub(crate) fn tick(&self) {
        self.ticks.set(self.ticks.get() + 1);
        self.seats.borrow_mut().wake();
    }
}

impl Beat {
    /// Ready once in each tick; ticks that were not awaited do not pile up.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.bar.ticks.get();
        if now != self.seen {
            self.seen = now;
            return Poll::Ready(());
        }
        self.bar.seats.borrow_mut().wait(self.seat, cx.waker());
        Poll::Pending
    }

    /// Forgets the ticks that passed while nothing was played.
    pub fn skip(&mut self) {
        self.seen = self.bar.ticks.get();
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.bar.seats.borrow_mut().leave(self.seat);
    }
}

impl Seats {
    fn sit(&mut self) -> usize {
        let seat = self.free.pop().unwrap_or_else(|| {
            self.seats.push(Seat::default());
            self.seats.len() - 1
        });
        self.waiting.reserve(self.seats.len() - self.waiting.len());
        seat
    }

    /// A seat that waits stays among those that do: whoever takes it next finds it there.
    fn leave(&mut self, seat: usize) {
        self.seats[seat].waker = None;
        self.free.push(seat);
    }

    fn wait(&mut self, seat: usize, waker: &Waker) {
        let place = self.look_at(seat);
        match &mut place.waker {
            Some(known) => known.clone_from(waker),
            None => place.waker = Some(waker.clone()),
        }
        if !std::mem::replace(&mut place.waits, true) {
            self.waiting.push(seat);
        }
    }

    fn wake(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for seat in waiting.drain(..) {
            let place = self.look_at(seat);
            place.waits = false;
            if let Some(waker) = &place.waker {
                waker.wake_by_ref();
            }
        }
        self.waiting = waiting;
    }

    fn look_at(&mut self, seat: usize) -> &mut Seat {
        #[cfg(test)]
        {
            self.looked_at += 1;
        }
        &mut self.seats[seat]
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
        let bar = Rc::new(Bar::default());
        let mut calls: Vec<_> = (0..CALLS).map(|_| (bar.beat(), Arc::<Count>::default())).collect();
        let room = bar.seats.borrow().waiting.capacity();
        for _ in 0..TICKS {
            for (beat, count) in &mut calls {
                let waker = Waker::from(count.clone());
                let waits = beat.poll_tick(&mut Context::from_waker(&waker)).is_pending();
                assert!(waits || beat.poll_tick(&mut Context::from_waker(&waker)).is_pending());
            }
            bar.tick();
        }
        assert!(calls.iter().all(|(_, count)| count.0.load(Ordering::Relaxed) == TICKS));
        let seats = bar.seats.borrow();
        assert_eq!(seats.looked_at, CALLS * TICKS * 2, "once to wait, once to be woken");
        assert_eq!(seats.waiting.capacity(), room);
    }

    #[test]
    fn a_call_that_ends_leaves_its_seat_to_the_next() {
        let bar = Rc::new(Bar::default());
        let (gone, here) = (Arc::<Count>::default(), Arc::<Count>::default());
        let _other = bar.beat();
        for _ in 0..CALLS {
            let waker = Waker::from(gone.clone());
            assert!(bar.beat().poll_tick(&mut Context::from_waker(&waker)).is_pending());
        }
        let mut beat = bar.beat();
        assert!(beat.poll_tick(&mut Context::from_waker(&Waker::from(here.clone()))).is_pending());
        bar.tick();
        assert_eq!((gone.0.load(Ordering::Relaxed), here.0.load(Ordering::Relaxed)), (0, 1));
        assert_eq!(bar.seats.borrow().seats.len(), 2);
        assert_eq!(Arc::strong_count(&gone), 1, "who has gone is not held on to");
    }
}
