use super::job::{Control, Phase};
use crate::stt::Urgency;
use crossbeam::channel::Sender;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who works on what: one seat for each thread.
#[derive(Debug)]
pub(super) struct Roster {
    seats: Vec<Seat>,
    next: u64,
    /// Threads that were abandoned and have not come back.
    pub(super) abandoned: usize,
    open: Option<Open>,
}

/// While it is there, the pool is open.
#[derive(Debug)]
struct Open {
    /// Every thread listens for its end.
    _closing: Sender<Infallible>,
    /// To be given to every new thread, so that shutting down can wait for them.
    alive: Sender<Infallible>,
}

/// Names a thread's seat; never reused, so that a thread that comes back finds its seat gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SeatId(u64);

#[derive(Debug)]
struct Seat {
    id: SeatId,
    running: Option<Running>,
    /// It has no engine, and the next attempt to build one is still to come: no job may wait for it.
    lacks_engine: bool,
}

#[derive(Debug)]
struct Running {
    control: Arc<Control>,
    urgency: Urgency,
}

impl Roster {
    pub(super) fn new(closing: Sender<Infallible>, alive: Sender<Infallible>) -> Self {
        let open = Some(Open { _closing: closing, alive });
        Self { seats: Vec::new(), next: 0, abandoned: 0, open }
    }

    pub(super) fn sit(&mut self) -> SeatId {
        let id = SeatId(self.next);
        self.next += 1;
        self.seats.push(Seat { id, running: None, lacks_engine: false });
        id
    }

    pub(super) fn leave(&mut self, id: SeatId) {
        self.seats.retain(|seat| seat.id != id);
    }

    /// Whether the thread has an engine, or builds one, that jobs may wait for. Without one it keeps its seat.
    pub(super) fn can_work(&mut self, id: SeatId, can: bool) {
        if let Some(seat) = self.seats.iter_mut().find(|seat| seat.id == id) {
            seat.lacks_engine = !can;
        }
    }

    pub(super) fn begin(&mut self, id: SeatId, control: Arc<Control>, urgency: Urgency) {
        if let Some(seat) = self.seats.iter_mut().find(|seat| seat.id == id) {
            seat.running = Some(Running { control, urgency });
        }
    }

    /// The seat is free again; `false`: it was given away, and its thread is to end.
    pub(super) fn finish(&mut self, id: SeatId) -> bool {
        match self.seats.iter_mut().find(|seat| seat.id == id) {
            Some(seat) => {
                seat.running = None;
                true
            }
            None => {
                self.abandoned -= 1;
                false
            }
        }
    }

    /// Takes the seats of threads whose jobs have been silent for longer than `bound`; how many.
    pub(super) fn evict_stuck(&mut self, now: Instant, bound: Duration) -> usize {
        let before = self.seats.len();
        self.seats.retain(|seat| match &seat.running {
            Some(running) if running.control.silent_for(now) > bound => {
                running.control.cancel();
                running.control.end(Phase::Stuck);
                false
            }
            _ => true,
        });
        let evicted = before - self.seats.len();
        self.abandoned += evicted;
        evicted
    }

    /// A guess gives its engine to something more urgent.
    pub(super) fn preempt_partial(&self) {
        let mut running = self.seats.iter().filter_map(|seat| seat.running.as_ref());
        if let Some(guess) = running.find(|running| running.urgency == Urgency::Partial) {
            guess.control.cancel();
        }
    }

    /// No seat is filled again; jobs end at their next checkpoint.
    pub(super) fn close(&mut self) {
        self.open = None;
        for running in self.seats.iter().filter_map(|seat| seat.running.as_ref()) {
            running.control.cancel();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.open.is_none()
    }

    /// For a new thread; `None` when there are to be no more.
    pub(super) fn alive(&self) -> Option<Sender<Infallible>> {
        self.open.as_ref().map(|open| open.alive.clone())
    }

    /// Nobody is there to work.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Threads that can work.
    pub(super) fn len(&self) -> usize {
        self.seats.iter().filter(|seat| !seat.lacks_engine).count()
    }

    /// All threads.
    pub(super) fn seats(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn idle(&self) -> usize {
        self.seats.iter().filter(|seat| seat.running.is_none() && !seat.lacks_engine).count()
    }
}
