use super::speaking::{Refused, Speaking, engine_error};
use super::voice::Voice;
use crate::pool::{EnginePool, SubmitError};
use crate::stt::Urgency;
use crate::tts::{Clause, TtsError, TtsEvent, TtsSession};
use ringway_frame::{Format, Frame};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// One call's voice: its clauses are spoken in order, each by whichever thread is free.
///
/// The pool's queue is shared by all calls, so a call takes few places in it and keeps its other clauses to itself. A
/// full pool makes a call wait, it does not fail it.
#[derive(Debug)]
pub(super) struct Session {
    pool: Arc<EnginePool<Voice>>,
    format: Format,
    /// Not given to the pool yet.
    waiting: VecDeque<Clause>,
    /// Given to the pool: the first one sounds while the next one is made.
    speaking: VecDeque<Speaking>,
    /// The pool was full: when to ask it again.
    retry: Option<Pin<Box<Sleep>>>,
}

impl Session {
    pub(super) fn new(pool: Arc<EnginePool<Voice>>, format: Format) -> Self {
        Self { pool, format, waiting: VecDeque::new(), speaking: VecDeque::new(), retry: None }
    }

    /// Gives the pool as many clauses as this call may have in it.
    fn submit(&mut self) -> Result<(), TtsError> {
        while self.retry.is_none() && self.speaking.len() < MAX_SUBMITTED {
            let Some(clause) = self.waiting.pop_front() else { break };
            // The caller waits for the first clause; the one behind it has its duration as time.
            let urgency = if self.speaking.is_empty() { Urgency::Turn } else { Urgency::Speculation };
            match Speaking::begin(&self.pool, urgency, clause, self.format) {
                Ok(speaking) => self.speaking.push_back(speaking),
                Err(Refused { clause, error: SubmitError::Overloaded { .. } }) => {
                    self.waiting.push_front(clause);
                    self.retry = Some(Box::pin(sleep(TRY_AGAIN)));
                }
                Err(Refused { error: error @ SubmitError::NoEngine, .. }) => {
                    return Err(engine_error(error.to_string()));
                }
            }
        }
        Ok(())
    }

    fn poll_retry(&mut self, cx: &mut Context<'_>) -> Result<(), TtsError> {
        while let Some(retry) = &mut self.retry
            && retry.as_mut().poll(cx).is_ready()
        {
            self.retry = None;
            self.submit()?;
        }
        Ok(())
    }

    /// The first clause is over: the caller now waits for the next one.
    fn advance(&mut self) -> Result<(), TtsError> {
        self.speaking.pop_front();
        if let Some(next) = self.speaking.front_mut().filter(|next| next.is_queued())
            && let Ok(urgent) = Speaking::begin(&self.pool, Urgency::Turn, next.clause().clone(), self.format)
        {
            *next = urgent;
        }
        self.submit()
    }
}

impl TtsSession for Session {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        let queued = self.waiting.len() + self.speaking.len();
        if queued == MAX_CLAUSES {
            return Err(TtsError::Overloaded { queued });
        }
        self.waiting.push_back(clause);
        self.submit()
    }

    fn cancel(&mut self) {
        self.waiting.clear();
        self.speaking.clear();
        self.retry = None;
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        self.poll_retry(cx)?;
        let Some(speaking) = self.speaking.front_mut() else { return Poll::Pending };
        let event = ready!(speaking.poll_next(cx, frame));
        if !matches!(event, Ok(TtsEvent::Audio | TtsEvent::Word { .. })) {
            self.advance()?;
        }
        Poll::Ready(event)
    }
}

/// Clauses of one call that wait or are being spoken, a long reply at once; beyond it the newest is refused.
const MAX_CLAUSES: usize = 64;

/// Clauses of one call in the pool at one time.
const MAX_SUBMITTED: usize = 2;

/// Until a full pool is asked again: a frame.
const TRY_AGAIN: Duration = ringway_frame::FRAME;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flite::{Speed, VoiceName};
    use crate::pool::{self, Ticket};
    use std::future::poll_fn;
    use std::num::NonZeroUsize;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// One voice with room for so many jobs, and nobody who looks for stuck ones.
    fn pool(queue: usize) -> Arc<EnginePool<Voice>> {
        let config = pool::Config {
            threads: NonZeroUsize::MIN,
            queue,
            stuck_after: Duration::from_secs(3_600),
            ..pool::Config::default()
        };
        let voice = || Voice::open(VoiceName::Kal, Speed(1.0)).map_err(Into::into);
        Arc::new(EnginePool::start("flite", config, voice).unwrap())
    }

    /// A job that keeps the voice until it is dropped.
    struct Occupation {
        begun: Receiver<()>,
        _end: SyncSender<()>,
        _ticket: Ticket<()>,
    }

    fn occupy(pool: &EnginePool<Voice>) -> Occupation {
        let (begin, begun) = sync_channel(1);
        let (end, ended) = sync_channel::<()>(0);
        let work = move |_: &mut Voice, _: &pool::Control| {
            let _ = begin.send(());
            let _ = ended.recv();
            Ok(())
        };
        Occupation { begun, _end: end, _ticket: pool.submit(Urgency::Turn, work).unwrap() }
    }

    async fn done(session: &mut Session) -> u32 {
        let mut frame = Frame::silence(session.format);
        loop {
            if let TtsEvent::Done { clause } = poll_fn(|cx| session.poll_next(cx, &mut frame)).await.unwrap()
            {
                return clause;
            }
        }
    }

    fn clause(id: u32) -> Clause {
        Clause { id, text: "One.".into() }
    }

    #[tokio::test]
    async fn a_full_pool_makes_a_session_wait_instead_of_failing_it() {
        let pool = pool(1);
        let busy = occupy(&pool);
        busy.begun.recv().unwrap();
        let _queued = pool.submit(Urgency::Turn, |_, _| Ok(())).unwrap();
        let mut session = Session::new(pool.clone(), Format::Mulaw8k);
        for id in 0..4 {
            session.speak(clause(id)).unwrap();
        }
        assert_eq!((session.waiting.len(), session.speaking.len()), (4, 0));
        assert_eq!(pool.counters().overloads, 1, "one refusal is enough until it is asked again");
        drop(busy);
        for id in 0..4 {
            assert_eq!(done(&mut session).await, id);
        }
    }

    #[tokio::test]
    async fn a_session_takes_few_places_in_the_pool() {
        let pool = pool(8);
        let busy = occupy(&pool);
        busy.begun.recv().unwrap();
        let mut session = Session::new(pool.clone(), Format::Mulaw8k);
        for id in 0..5 {
            session.speak(clause(id)).unwrap();
        }
        assert_eq!((session.waiting.len(), session.speaking.len()), (3, 2));
        session.cancel();
        session.speak(clause(9)).unwrap();
        drop(busy);
        assert_eq!(done(&mut session).await, 9);
    }

    #[tokio::test]
    async fn a_clause_goes_before_other_calls_once_its_own_caller_waits() {
        let pool = pool(8);
        let before = occupy(&pool);
        before.begun.recv().unwrap();
        let mut session = Session::new(pool.clone(), Format::Mulaw8k);
        session.speak(clause(0)).unwrap();
        session.speak(clause(1)).unwrap();
        let between = occupy(&pool);
        drop(before);
        assert_eq!(done(&mut session).await, 0);
        between.begun.recv().unwrap();
        let behind = occupy(&pool);
        drop(between);
        let next = tokio::time::timeout(Duration::from_secs(60), done(&mut session)).await;
        assert_eq!(next, Ok(1), "the voice does the other call's job, which does not end");
        drop(behind);
    }

    #[tokio::test]
    async fn a_pool_without_engines_breaks_the_session() {
        let pool = pool(1);
        pool.shut_down(Duration::ZERO);
        let mut session = Session::new(pool, Format::Mulaw8k);
        assert!(matches!(session.speak(clause(0)), Err(TtsError::Engine { .. })));
    }
}
