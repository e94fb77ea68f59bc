use super::job::Job;
use crate::stt::Urgency;
use crossbeam::channel::select_biased;
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use std::convert::Infallible;

/// Jobs that wait: a bounded queue for each urgency.
pub(super) struct Queues<E> {
    turn: Queue<E>,
    speculation: Queue<E>,
    partial: Queue<E>,
}

type Queue<E> = (Sender<Job<E>>, Receiver<Job<E>>);

impl<E> Queues<E> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { turn: bounded(capacity), speculation: bounded(capacity), partial: bounded(capacity) }
    }

    /// # Errors
    /// The job, when its queue is full.
    pub(super) fn push(&self, job: Job<E>) -> Result<(), Job<E>> {
        let (sender, _) = match job.urgency {
            Urgency::Turn => &self.turn,
            Urgency::Speculation => &self.speculation,
            Urgency::Partial => &self.partial,
        };
        sender.try_send(job).map_err(TrySendError::into_inner)
    }

    /// Waits for the most urgent job; `None` when the pool closes.
    pub(super) fn pop(&self, closing: &Receiver<Infallible>) -> Option<Job<E>> {
        select_biased! {
            recv(closing) -> _ => None,
            recv(self.turn.1) -> job => job.ok(),
            recv(self.speculation.1) -> job => job.ok(),
            recv(self.partial.1) -> job => job.ok(),
        }
    }

    /// Refuses everything that waits.
    pub(super) fn clear(&self) {
        for (_, receiver) in [&self.turn, &self.speculation, &self.partial] {
            receiver.try_iter().for_each(drop);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.turn.1.len() + self.speculation.1.len() + self.partial.1.len()
    }
}
