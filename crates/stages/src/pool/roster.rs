use super::job::{Control, Phase};
use crate::stt::Urgency;
use crossbeam::channel::Sender;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who works on what: one entry for each thread.
#[derive(Debug)]
pub(super) struct Roster {
    members: Vec<Member>,
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

/// Names a thread; never reused, so that one that was abandoned and comes back finds its entry gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemberId(u64);

#[derive(Debug)]
struct Member {
    id: MemberId,
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
        Self { members: Vec::new(), next: 0, abandoned: 0, open }
    }

    pub(super) fn join(&mut self) -> MemberId {
        let id = MemberId(self.next);
        self.next += 1;
        self.members.push(Member { id, running: None, lacks_engine: false });
        id
    }

    pub(super) fn leave(&mut self, id: MemberId) {
        self.members.retain(|member| member.id != id);
    }

    /// Whether the thread has an engine, or builds one, that jobs may wait for. Without one it keeps its entry.
    pub(super) fn can_work(&mut self, id: MemberId, can: bool) {
        if let Some(member) = self.members.iter_mut().find(|member| member.id == id) {
            member.lacks_engine = !can;
        }
    }

    pub(super) fn begin(&mut self, id: MemberId, control: Arc<Control>, urgency: Urgency) {
        if let Some(member) = self.members.iter_mut().find(|member| member.id == id) {
            member.running = Some(Running { control, urgency });
        }
    }

    /// The thread is free again; `false`: its entry is gone, and its thread is to end.
    pub(super) fn finish(&mut self, id: MemberId) -> bool {
        match self.members.iter_mut().find(|member| member.id == id) {
            Some(member) => {
                member.running = None;
                true
            }
            None => {
                self.abandoned -= 1;
                false
            }
        }
    }

    /// Takes out the threads whose jobs have been silent for longer than `bound`; how many.
    pub(super) fn evict_stuck(&mut self, now: Instant, bound: Duration) -> usize {
        let before = self.members.len();
        self.members.retain(|member| match &member.running {
            Some(running) if running.control.silent_for(now) > bound => {
                running.control.cancel();
                running.control.end(Phase::Stuck);
                false
            }
            _ => true,
        });
        let evicted = before - self.members.len();
        self.abandoned += evicted;
        evicted
    }

    /// A guess gives its engine to something more urgent.
    pub(super) fn preempt_partial(&self) {
        let mut running = self.members.iter().filter_map(|member| member.running.as_ref());
        if let Some(guess) = running.find(|running| running.urgency == Urgency::Partial) {
            guess.control.cancel();
        }
    }

    /// No thread joins again; jobs end at their next checkpoint.
    pub(super) fn close(&mut self) {
        self.open = None;
        for running in self.members.iter().filter_map(|member| member.running.as_ref()) {
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
        self.members.iter().filter(|member| !member.lacks_engine).count()
    }

    /// All threads.
    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    pub(super) fn idle(&self) -> usize {
        self.members.iter().filter(|member| member.running.is_none() && !member.lacks_engine).count()
    }
}
