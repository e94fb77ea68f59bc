//! A call's WebSocket to a service: set up beside the media core, then driven by polls.

use super::connector::Connector;
use super::endpoint::refusal;
use super::stream::Stream;
use super::{Phase, ServiceError};
use futures_util::{Sink as _, Stream as _};
use hyper::header::{AUTHORIZATION, HeaderValue};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type Connecting = Pin<Box<dyn Future<Output = Result<WebSocketStream<Stream>, ServiceError>>>>;

/// What a socket is set up with.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) connector: Connector,
    /// Path and query.
    pub(super) path: String,
    pub(super) authorization: Option<HeaderValue>,
    /// Until it stands.
    pub(super) limit: Duration,
}

/// Messages to a service and from it; what is sent before it stands waits.
pub(super) struct Socket {
    state: State,
    queue: VecDeque<Message>,
    waiting: usize,
    unflushed: bool,
}

enum State {
    Connecting(Connecting),
    Open(Box<WebSocketStream<Stream>>),
    Lost,
}

impl Socket {
    /// Sets one up.
    pub(super) fn open(plan: Plan) -> Self {
        let state = State::Connecting(Box::pin(async move {
            let limit = plan.limit;
            let late = Err(ServiceError::Late { phase: Phase::Connect, limit });
            timeout(limit, handshake(plan)).await.unwrap_or(late)
        }));
        Self { state, queue: VecDeque::new(), waiting: 0, unflushed: false }
    }

    /// Puts a message behind those that wait; [`poll`](Self::poll) sends it.
    pub(super) fn send(&mut self, message: Message) {
        self.waiting += message.len();
        self.queue.push_back(message);
    }

    /// It stands.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Bytes that wait to be sent.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Sends what waits and gives the next message of the service: text or binary.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ServiceError>> {
        let outcome = ready!(self.step(cx));
        if outcome.is_err() {
            self.state = State::Lost;
        }
        Poll::Ready(outcome)
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ServiceError>> {
        loop {
            match &mut self.state {
                State::Connecting(connecting) => {
                    let socket = ready!(connecting.as_mut().poll(cx))?;
                    self.state = State::Open(Box::new(socket));
                }
                State::Open(_) => {
                    self.flush(cx)?;
                    match ready!(self.receive(cx))? {
                        message @ (Message::Text(_) | Message::Binary(_)) => return Poll::Ready(Ok(message)),
                        Message::Close(frame) => return Poll::Ready(Err(closed(frame.as_ref()))),
                        // Pings are answered by the next flush.
                        _ => {}
                    }
                }
                State::Lost => return Poll::Ready(Err(closed(None))),
            }
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), ServiceError> {
        let State::Open(socket) = &mut self.state else { return Ok(()) };
        let mut socket = Pin::new(&mut **socket);
        while !self.queue.is_empty() && socket.as_mut().poll_ready(cx).map_err(lost)?.is_ready() {
            let Some(message) = self.queue.pop_front() else { break };
            self.waiting -= message.len();
            socket.as_mut().start_send(message).map_err(lost)?;
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
}

/// Says good-bye if that can be done at once.
impl Drop for Socket {
    fn drop(&mut self) {
        let State::Open(socket) = &mut self.state else { return };
        let mut socket = Pin::new(&mut **socket);
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(Ok(())) = socket.as_mut().poll_ready(&mut cx)
            && socket.as_mut().start_send(Message::Close(None)).is_ok()
        {
            let _ = socket.poll_flush(&mut cx);
        }
    }
}

async fn handshake(plan: Plan) -> Result<WebSocketStream<Stream>, ServiceError> {
    let Plan { connector, path, authorization, .. } = plan;
    let endpoint = connector.endpoint();
    let scheme = if endpoint.is_secure() { "wss" } else { "ws" };
    let request = format!("{scheme}://{}{path}", endpoint.authority()).into_client_request();
    let mut request = request.map_err(|error| ServiceError::cut(Phase::Connect, error))?;
    request.headers_mut().extend(authorization.map(|value| (AUTHORIZATION, value)));
    let stream = connector.connect().await?;
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

fn closed(frame: Option<&tungstenite::protocol::CloseFrame>) -> ServiceError {
    match frame {
        Some(frame) => {
            let words = super::error::own_words(frame.reason.as_bytes());
            ServiceError::cut(Phase::Answer, format!("the service closed it, {}: {words}", frame.code))
        }
        None => ServiceError::cut(Phase::Answer, "the service closed it"),
    }
}

fn lost(error: tungstenite::Error) -> ServiceError {
    match error {
        tungstenite::Error::Capacity(_) => {
            ServiceError::TooLarge { place: "message", limit: LARGEST_MESSAGE }
        }
        error => ServiceError::cut(Phase::Answer, error),
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

/// A larger one would be filled with zeros at each read.
const READ_BUFFER: usize = 4 * 1_024;

/// Bytes of one message that are taken in: 40 s of the widest audio in base64.
const LARGEST_MESSAGE: usize = 4 * 1_024 * 1_024;
