//! A call's WebSocket to a service: set up beside the media core, driven by polls, and set up again when it was lost.

mod wire;

use super::connector::Connector;
use super::task::Task;
use super::{Phase, ServiceError};
use crate::Backoff;
use crate::alarm::Alarm;
use hyper::HeaderMap;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use wire::Wire;

/// Where a socket leads, and how it is kept and left.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) connector: Connector,
    /// Path and query.
    pub(super) path: String,
    /// Such as that with the key.
    pub(super) headers: HeaderMap,
    /// Until the socket stands, all of its handshakes included.
    pub(super) limit: Duration,
    /// Bytes of one message that are taken in.
    pub(super) largest: usize,
    pub(super) keep_alive: Option<KeepAlive>,
    /// What is said before it is closed: services count, and bill, by the life of a socket.
    pub(super) farewell: Option<&'static str>,
}

/// What keeps a socket alive on which nothing is sent.
#[derive(Clone, Debug)]
pub(super) struct KeepAlive {
    pub(super) every: Duration,
    pub(super) message: Message,
}

/// What happens on a socket.
#[derive(Debug)]
pub(super) enum Event {
    /// It stands.
    Opened,
    /// The service says something, in text or in bytes.
    Message(Message),
}

/// The socket, whether or not it stands at the moment.
#[derive(Debug)]
pub(super) struct WebSocket {
    route: Route,
    state: State,
    backoff: Backoff,
    /// The backoff's clock.
    begun: Instant,
    /// Messages since one had to be waited for.
    taken: u32,
    alarm: Alarm,
}

#[derive(Debug)]
enum State {
    /// `=> Open` when it stands, `=> Lost` when that fails.
    Connecting(JoinHandle<Result<Wire, ServiceError>>, #[expect(dead_code, reason = "its drop")] Task),
    /// `=> Lost` by whatever ends it.
    Open(Wire),
    /// `=> Connecting` after this time.
    Resting(Instant),
    /// Somebody is to decide what follows.
    Lost,
}

impl WebSocket {
    /// Begins to set up a socket at once: nobody may poll it before it is needed.
    pub(super) fn open(route: Route) -> Self {
        Self {
            state: State::connect(&route),
            route,
            backoff: Backoff::default(),
            begun: Instant::now(),
            taken: 0,
            alarm: Alarm::default(),
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    pub(super) const fn is_resting(&self) -> bool {
        matches!(self.state, State::Resting(_))
    }

    /// The socket is needed now; whether it is another one that is set up.
    pub(super) fn hurry(&mut self) -> bool {
        let rests = self.is_resting();
        if rests {
            self.renew();
        }
        rests
    }

    /// Sets up another socket, at once.
    pub(super) fn renew(&mut self) {
        self.state = State::connect(&self.route);
    }

    /// It was lost while nobody needed it: another one is set up after a while.
    pub(super) fn rest(&mut self) {
        let wait = self.backoff.failed_among_many(self.begun.elapsed());
        self.state = State::Resting(Instant::now() + wait);
    }

    /// Sends the messages that `next` has, and gives what happens.
    ///
    /// # Errors
    /// The socket is lost; what follows is [`renew`](Self::renew) or [`rest`](Self::rest).
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        next: impl FnMut() -> Option<Message>,
    ) -> Poll<Result<Event, ServiceError>> {
        let outcome = ready!(self.step(cx, next));
        if outcome.is_err() {
            self.state = State::Lost;
        }
        Poll::Ready(outcome)
    }

    /// Sends the messages that `next` has, if that can be done at once; a loss is told by the next poll.
    pub(super) fn send_now(&mut self, next: impl FnMut() -> Option<Message>) {
        if let State::Open(wire) = &mut self.state {
            let _ = wire.send(&mut Context::from_waker(Waker::noop()), next);
        }
    }

    fn step(
        &mut self,
        cx: &mut Context<'_>,
        next: impl FnMut() -> Option<Message>,
    ) -> Poll<Result<Event, ServiceError>> {
        loop {
            match &mut self.state {
                State::Connecting(connecting, _) => {
                    let connected = ready!(Pin::new(connecting).poll(cx));
                    let broken = |end| Err(ServiceError::cut(Phase::Connect, end));
                    self.state = State::Open(connected.unwrap_or_else(broken)?);
                    return Poll::Ready(Ok(Event::Opened));
                }
                State::Resting(until) => {
                    ready!(self.alarm.poll(*until, cx));
                    self.renew();
                }
                State::Open(wire) => {
                    if self.taken == MESSAGES_AT_ONCE {
                        // What a service says faster must not hold up other calls.
                        self.taken = 0;
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    let received = wire.poll(cx, next);
                    self.taken = if received.is_ready() { self.taken + 1 } else { 0 };
                    return received.map_ok(Event::Message);
                }
                State::Lost => return Poll::Ready(Err(ServiceError::CLOSED)),
            }
        }
    }
}

impl State {
    fn connect(route: &Route) -> Self {
        let route = route.clone();
        let connecting = tokio::spawn(async move {
            let limit = route.limit;
            let late = Err(ServiceError::Late { phase: Phase::Connect, limit });
            timeout(limit, Wire::open(route)).await.unwrap_or(late)
        });
        let guard = Task(connecting.abort_handle());
        Self::Connecting(connecting, guard)
    }
}

/// Messages that are read in one go.
const MESSAGES_AT_ONCE: u32 = 16;
