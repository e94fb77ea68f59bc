use super::requested::Requested;
use super::spoken::Spoken;
use crate::tts::{Clause, TtsError, TtsEvent, TtsSession};
use ringway_frame::{Format, Frame};
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

/// One call's voice: the first clause sounds while the next one is made.
#[derive(Debug)]
pub(in crate::services) struct Session<V> {
    voice: V,
    format: Format,
    /// Not asked for yet.
    waiting: VecDeque<Clause>,
    /// Asked for, in order.
    /// Boxed, for the queue keeps its room.
    spoken: VecDeque<Box<Spoken>>,
}

impl<V: Requested> Session<V> {
    pub(in crate::services) fn new(voice: V, format: Format) -> Self {
        voice.warm();
        Self { voice, format, waiting: VecDeque::new(), spoken: VecDeque::new() }
    }

    fn ask(&mut self) {
        while self.spoken.len() < MOST_ASKED
            && let Some(clause) = self.waiting.pop_front()
        {
            self.spoken.push_back(Box::new(Spoken::begin(&self.voice, clause, self.format)));
        }
    }
}

impl<V: Requested> TtsSession for Session<V> {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        let queued = self.waiting.len() + self.spoken.len();
        if queued == MOST_CLAUSES {
            return Err(TtsError::Overloaded { queued });
        }
        self.waiting.push_back(clause);
        self.ask();
        Ok(())
    }

    /// Dropping an unfinished answer closes its connection.
    fn cancel(&mut self) {
        self.waiting.clear();
        if !self.spoken.is_empty() {
            self.spoken.clear();
            self.voice.warm();
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let Some(spoken) = self.spoken.front_mut() else { return Poll::Pending };
        let (clause, event) = (spoken.id(), spoken.poll_next(cx, frame));
        for behind in self.spoken.iter_mut().skip(1) {
            behind.prepare(cx);
        }
        let event = ready!(event);
        if !matches!(event, Ok(TtsEvent::Audio | TtsEvent::Word { .. })) {
            self.spoken.pop_front();
            self.ask();
        }
        Poll::Ready(event.map_err(|source| TtsError::of_service(V::NAME, Some(clause), source)))
    }
}

/// Clauses of one call that wait or are being spoken; beyond it the newest is refused.
const MOST_CLAUSES: usize = 64;

/// Clauses of one call that are asked for at one time.
const MOST_ASKED: usize = 2;
