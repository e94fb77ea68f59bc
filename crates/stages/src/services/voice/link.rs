use crate::alarm::Alarm;
use crate::services::connector::{Connector, Task};
use crate::services::endpoint::refusal;
use crate::services::error::own_words;
use crate::services::stream::Stream;
use crate::services::{Phase, ServiceError};
use futures_util::{Sink as _, Stream as _};
use hyper::HeaderMap;
use std::collections::VecDeque;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type Socket = WebSocketStream<Stream>;

/// Where a call's socket leads.
#[derive(Clone, Debug)]
pub(in crate::services) struct Door {
    pub(in crate::services) connector: Connector,
    /// Path and query.
    pub(in crate::services) path: String,
    /// Such as that with the key.
    pub(in crate::services) headers: HeaderMap,
    /// Until the socket stands.
    pub(in crate::services) limit: Duration,
}

/// What keeps a silent socket alive.
#[derive(Clone, Copy, Debug)]
pub(in crate::services) struct KeepAlive {
    pub(in crate::services) every: Duration,
    pub(in crate::services) message: &'static str,
}

/// A call's socket: set up ahead, kept alive, and set up again when it was lost.
pub(super) struct Link {
    door: Door,
    keep_alive: Option<KeepAlive>,
    /// What is said before it is closed; empty: nothing.
    farewell: &'static str,
    state: State,
    /// Losses since the service last said something.
    losses: u32,
    queue: VecDeque<String>,
    unflushed: bool,
    sent: Instant,
    alarm: Alarm,
}

enum State {
    Connecting(JoinHandle<Result<Socket, ServiceError>>, #[expect(dead_code, reason = "its drop")] Task),
    Open(Box<Socket>),
    Resting(Instant),
}

impl Link {
    /// Begins to set up a socket at once: nobody may ask for it before it is needed.
    pub(super) fn open(door: Door, keep_alive: Option<KeepAlive>, farewell: &'static str) -> Self {
        Self {
            state: State::connect(&door),
            door,
            keep_alive,
            farewell,
            losses: 0,
            queue: VecDeque::new(),
            unflushed: false,
            sent: Instant::now(),
            alarm: Alarm::default(),
        }
    }

    /// Messages to the service; they wait for the socket.
    pub(super) const fn queue(&mut self) -> &mut VecDeque<String> {
        &mut self.queue
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// The socket is needed now; whether it is another one that is set up.
    pub(super) fn hurry(&mut self) -> bool {
        let rests = matches!(self.state, State::Resting(_));
        if rests {
            self.renew();
        }
        rests
    }

    /// Sets up another socket; what waits to be sent is forgotten.
    pub(super) fn renew(&mut self) {
        self.bid_farewell();
        self.queue.clear();
        self.state = State::connect(&self.door);
    }

    /// It was lost while nobody needed it: another one is set up after a while.
    pub(super) fn rest(&mut self) {
        let wait = FIRST_REST * 2_u32.saturating_pow(self.losses.min(7));
        self.losses += 1;
        self.queue.clear();
        self.state = State::Resting(Instant::now() + wait);
    }

    /// Sends what waits, if that can be done at once.
    pub(super) fn send_now(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        // A loss is told at the next poll.
        let _ = self.send(&mut cx);
    }

    /// Sends what waits and gives the next message of the service.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ServiceError>> {
        loop {
            match &mut self.state {
                State::Connecting(connecting, _) => {
                    let connected = ready!(Pin::new(connecting).poll(cx));
                    let lost = |end| Err(ServiceError::cut(Phase::Connect, end));
                    self.state = State::Open(Box::new(connected.unwrap_or_else(lost)?));
                    self.sent = Instant::now();
                }
                State::Resting(until) => {
                    ready!(self.alarm.poll(*until, cx));
                    self.renew();
                }
                State::Open(_) => {
                    self.keep_alive(cx);
                    // What the service said before it went comes first.
                    let sent = self.send(cx);
                    let Poll::Ready(received) = self.receive(cx) else {
                        return sent.map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending);
                    };
                    match received? {
                        message @ (Message::Text(_) | Message::Binary(_)) => {
                            self.losses = 0;
                            return Poll::Ready(Ok(message));
                        }
                        Message::Close(close) => return Poll::Ready(Err(closed(close))),
                        // Pings are answered below.
                        _ => {}
                    }
                }
            }
        }
    }

    fn keep_alive(&mut self, cx: &mut Context<'_>) {
        let Some(KeepAlive { every, message }) = self.keep_alive else { return };
        while self.alarm.poll(self.sent + every, cx).is_ready() {
            self.queue.push_back(message.to_owned());
            self.sent = Instant::now();
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) -> Result<(), ServiceError> {
        let State::Open(socket) = &mut self.state else { return Ok(()) };
        let mut socket = Pin::new(&mut **socket);
        while !self.queue.is_empty() && socket.as_mut().poll_ready(cx).map_err(lost)?.is_ready() {
            let Some(message) = self.queue.pop_front() else { break };
            socket.as_mut().start_send(Message::text(message)).map_err(lost)?;
            self.sent = Instant::now();
            self.unflushed = true;
        }
        if self.unflushed && socket.poll_flush(cx).map_err(lost)?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ServiceError>> {
        let State::Open(socket) = &mut self.state else { return Poll::Pending };
        match ready!(Pin::new(&mut **socket).poll_next(cx)) {
            Some(message) => Poll::Ready(message.map_err(lost)),
            None => Poll::Ready(Err(closed(None))),
        }
    }

    fn bid_farewell(&mut self) {
        if self.is_open() {
            self.queue.clear();
            if !self.farewell.is_empty() {
                self.queue.push_back(self.farewell.to_owned());
            }
            self.send_now();
        }
    }
}

/// Says good-bye if that can be done at once.
impl Drop for Link {
    fn drop(&mut self) {
        self.bid_farewell();
    }
}

impl State {
    fn connect(door: &Door) -> Self {
        let door = door.clone();
        let connecting = tokio::spawn(async move {
            let limit = door.limit;
            let socket = timeout(limit, handshake(&door)).await;
            socket.unwrap_or(Err(ServiceError::Late { phase: Phase::Connect, limit }))
        });
        let guard = Task(connecting.abort_handle());
        Self::Connecting(connecting, guard)
    }
}

async fn handshake(door: &Door) -> Result<Socket, ServiceError> {
    let endpoint = door.connector.endpoint();
    let scheme = if endpoint.is_secure() { "wss" } else { "ws" };
    let address = format!("{scheme}://{}{}", endpoint.authority(), door.path);
    let request = address.into_client_request();
    let mut request = request.map_err(|error| ServiceError::cut(Phase::Connect, error))?;
    request.headers_mut().extend(door.headers.clone());
    let stream = door.connector.connect().await?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => {
            let words = response.body().as_deref().unwrap_or_default();
            Err(refusal(response.status(), words))
        }
        Err(error) => Err(ServiceError::cut(Phase::Connect, error)),
    }
}

fn closed(close: Option<tungstenite::protocol::CloseFrame>) -> ServiceError {
    let reason = match close {
        Some(close) if !close.reason.is_empty() => {
            format!("the service closed it: {} {}", close.code, own_words(close.reason.as_bytes()))
        }
        Some(close) => format!("the service closed it: {}", close.code),
        None => "the service closed it".to_owned(),
    };
    ServiceError::cut(Phase::Answer, reason)
}

fn lost(error: tungstenite::Error) -> ServiceError {
    match error {
        tungstenite::Error::Capacity(_) => {
            ServiceError::TooLarge { place: "message", limit: LARGEST_MESSAGE }
        }
        error => ServiceError::cut(Phase::Answer, error),
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

/// Until a lost socket is set up again, doubled each time.
const FIRST_REST: Duration = Duration::from_millis(250);

/// A larger one would be filled with zeros at each read.
const READ_BUFFER: usize = 4 * 1_024;

/// Bytes of one message that are taken in: some seconds of audio.
const LARGEST_MESSAGE: usize = 4 * 1_024 * 1_024;
