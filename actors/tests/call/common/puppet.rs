//! A language model on strings: a test says when each of its sessions answers, and sees what was asked of it.

use super::engines::Reciter;
use ringway_stages::llm::{LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// The model.
pub struct Puppet {
    name: &'static str,
    engine: Arc<dyn LanguageModel>,
    strings: Strings,
}

/// What moves its sessions.
#[derive(Clone, Default)]
pub struct Strings(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    held: bool,
    requests: usize,
    sessions: Vec<Held>,
}

/// What became of one session.
#[derive(Default)]
struct Held {
    request: Option<LlmRequest>,
    order: Option<Order>,
    committed: bool,
    cancelled: bool,
    dropped: bool,
    waker: Option<Waker>,
}

#[derive(Clone, Copy)]
enum Order {
    Answer,
    Die,
}

impl Puppet {
    /// A model that answers as `engine` does, as long as it is not held.
    pub fn on_strings(
        name: &'static str,
        engine: Arc<dyn LanguageModel>,
    ) -> (Arc<dyn LanguageModel>, Strings) {
        let strings = Strings::default();
        (Arc::new(Self { name, engine, strings: strings.clone() }), strings)
    }

    /// The same with the usual words.
    pub fn reciter(name: &'static str) -> (Arc<dyn LanguageModel>, Strings) {
        Self::on_strings(name, Arc::new(Reciter))
    }
}

impl Strings {
    /// From now on requests wait, or do not.
    pub fn hold(&self, held: bool) {
        self.inner().held = held;
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.inner().requests
    }

    /// Sessions whose request waits.
    pub fn waiting(&self) -> Vec<usize> {
        let inner = self.inner();
        let waits = |session: &Held| session.request.is_some() && !session.dropped;
        inner.sessions.iter().enumerate().filter(|(_, it)| waits(it)).map(|(index, _)| index).collect()
    }

    /// The one session whose request waits answers.
    pub fn answer(&self) -> usize {
        self.order(Order::Answer)
    }

    /// It fails.
    pub fn die(&self) -> usize {
        self.order(Order::Die)
    }

    /// All whose requests wait answer at once.
    pub fn answer_all(&self) {
        self.waiting().into_iter().for_each(|session| self.answer_one(session));
    }

    /// This session was told to stop, and is gone.
    pub fn is_gone(&self, session: usize) -> bool {
        let inner = self.inner();
        inner.sessions[session].cancelled && inner.sessions[session].dropped
    }

    /// Its request is wanted for certain.
    pub fn is_committed(&self, session: usize) -> bool {
        self.inner().sessions[session].committed
    }

    fn order(&self, order: Order) -> usize {
        let [session] = self.waiting()[..] else { panic!("one session waits: {:?}", self.waiting()) };
        self.order_one(session, order);
        session
    }

    /// This one answers.
    pub fn answer_one(&self, session: usize) {
        self.order_one(session, Order::Answer);
    }

    fn order_one(&self, session: usize, order: Order) {
        let mut inner = self.inner();
        inner.sessions[session].order = Some(order);
        if let Some(waker) = inner.sessions[session].waker.take() {
            waker.wake();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

struct Session {
    name: &'static str,
    index: usize,
    strings: Strings,
    engine: Box<dyn LlmSession>,
}

impl LanguageModel for Puppet {
    fn name(&self) -> &str {
        self.name
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        let (strings, engine) = (self.strings.clone(), self.engine.open(call)?);
        let mut inner = strings.inner();
        inner.sessions.push(Held::default());
        let index = inner.sessions.len() - 1;
        drop(inner);
        Ok(Box::new(Session { name: self.name, index, strings, engine }))
    }
}

impl Session {
    fn held<R>(&self, see: impl FnOnce(&mut Held) -> R) -> R {
        see(&mut self.strings.inner().sessions[self.index])
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.held(|held| held.dropped = true);
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        self.engine.cancel();
        let waits = {
            let mut inner = self.strings.inner();
            inner.requests += 1;
            inner.held
        };
        self.held(|held| *held = Held::default());
        if !waits {
            return self.engine.reply(request);
        }
        self.held(|held| held.request = Some(request));
        Ok(())
    }

    fn commit(&mut self) {
        self.held(|held| held.committed = true);
        self.engine.commit();
    }

    fn cancel(&mut self) {
        self.held(|held| (held.request, held.cancelled) = (None, true));
        self.engine.cancel();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        let order = self.held(|held| {
            held.waker = Some(cx.waker().clone());
            held.order.take().map(|order| (order, held.request.take()))
        });
        match order {
            Some((Order::Die, _)) => {
                return Poll::Ready(Err(LlmError::Engine {
                    engine: self.name.into(),
                    reason: "killed".into(),
                }));
            }
            Some((Order::Answer, Some(request))) => self.engine.reply(request)?,
            Some((Order::Answer, None)) | None => {}
        }
        self.engine.poll_event(cx)
    }
}
