//! A call's socket: set up, kept alive, and set up again when it was lost.

use super::Deepgram;
use crate::alarm::Alarm;
use crate::services::endpoint::refusal;
use crate::services::stream::Stream;
use crate::services::{Phase, ServiceError};
use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use hyper::header::AUTHORIZATION;
use ringway_frame::{FRAME, Format, Frame};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type Socket = WebSocketStream<Stream>;
type Connecting = Pin<Box<dyn Future<Output = Result<Socket, ServiceError>>>>;

/// Messages to the service and from it, whether or not a socket stands at the moment.
pub(super) struct Link {
    service: Deepgram,
    format: Format,
    state: State,
    /// Losses since the service last said something.
    losses: u32,
    queue: VecDeque<Outgoing>,
    /// Frames that do not fill a message.
    audio: Vec<u8>,
    /// Frames that were heard in all.
    heard: u64,
    /// How many had been heard where the socket's stream begins.
    base: u64,
    sent: Instant,
    /// When it is looked at whether the stream is silent.
    look: Instant,
    unflushed: bool,
    alarm: Alarm,
}

enum State {
    Connecting(Connecting),
    Open(Box<Socket>),
    Resting(Instant),
}

enum Outgoing {
    Audio(Bytes),
    Text(&'static str),
}

impl Link {
    /// Sets up a socket for audio in this format.
    pub(super) fn open(service: Deepgram, format: Format) -> Self {
        let state = State::Connecting(connect(&service, format));
        Self {
            service,
            format,
            state,
            losses: 0,
            queue: VecDeque::new(),
            audio: Vec::new(),
            heard: 0,
            base: 0,
            sent: Instant::now(),
            look: Instant::now(),
            unflushed: false,
            alarm: Alarm::default(),
        }
    }

    /// Takes in a frame; some make a message.
    pub(super) fn hear(&mut self, frame: &Frame) {
        self.heard += 1;
        self.audio.extend_from_slice(frame.payload());
        if self.audio.len() >= self.format.bytes() * FRAMES_A_MESSAGE {
            self.close_audio();
        }
    }

    /// Asks for the words of all that was heard.
    pub(super) fn finalize(&mut self) {
        self.close_audio();
        self.queue.push_back(Outgoing::Text(FINALIZE));
    }

    /// How much audio was heard.
    pub(super) fn position(&self) -> Duration {
        length(self.heard)
    }

    /// How much of it before the first of the present socket's stream.
    pub(super) fn origin(&self) -> Duration {
        length(self.base)
    }

    /// Audio that waits to be sent, in bytes.
    pub(super) fn waiting(&self) -> usize {
        self.queue.iter().map(Outgoing::len).sum()
    }

    /// A socket stands, and all has been sent.
    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty() && matches!(self.state, State::Open(_))
    }

    /// The socket is needed now.
    pub(super) fn hurry(&mut self) {
        if let State::Resting(_) = self.state {
            self.state = State::Connecting(connect(&self.service, self.format));
        }
    }

    /// It was lost while nobody needed it: another one is set up after a while, and audio that is too old goes.
    pub(super) fn rest(&mut self) {
        let wait = FIRST_REST * 2_u32.saturating_pow(self.losses.min(5));
        self.losses += 1;
        self.state = State::Resting(Instant::now() + wait);
        self.queue.retain(|outgoing| matches!(outgoing, Outgoing::Audio(_)));
    }

    /// Sends what waits and gives the next text of the service.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<tungstenite::Utf8Bytes, ServiceError>> {
        loop {
            match &mut self.state {
                State::Connecting(connecting) => {
                    let connected = ready!(connecting.as_mut().poll(cx));
                    self.opened(connected?);
                }
                State::Resting(until) => {
                    let until = *until;
                    self.forget_old();
                    ready!(self.alarm.poll(until, cx));
                    self.hurry();
                }
                State::Open(_) => {
                    self.send(cx)?;
                    match ready!(self.receive(cx))? {
                        Message::Text(text) => {
                            self.losses = 0;
                            return Poll::Ready(Ok(text));
                        }
                        Message::Close(_) => {
                            return Poll::Ready(Err(ServiceError::cut(
                                Phase::Answer,
                                "the service closed it",
                            )));
                        }
                        // Pings are answered below.
                        _ => {}
                    }
                }
            }
        }
    }

    fn opened(&mut self, socket: Socket) {
        self.state = State::Open(Box::new(socket));
        self.sent = Instant::now();
        self.look = self.sent + KEEP_ALIVE;
        self.base = self.heard - ((self.waiting() + self.audio.len()) / self.format.bytes()) as u64;
    }

    fn close_audio(&mut self) {
        if !self.audio.is_empty() {
            let room = self.audio.capacity();
            let message = std::mem::replace(&mut self.audio, Vec::with_capacity(room));
            self.queue.push_back(Outgoing::Audio(message.into()));
        }
    }

    fn forget_old(&mut self) {
        let most = self.format.bytes() * KEPT_FRAMES;
        while self.waiting() > most {
            self.queue.pop_front();
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) -> Result<(), ServiceError> {
        self.keep_alive(cx);
        let State::Open(socket) = &mut self.state else { return Ok(()) };
        let mut socket = Pin::new(&mut **socket);
        while !self.queue.is_empty() && socket.as_mut().poll_ready(cx).map_err(lost)?.is_ready() {
            let Some(outgoing) = self.queue.pop_front() else { break };
            socket.as_mut().start_send(outgoing.into()).map_err(lost)?;
            self.sent = Instant::now();
            self.unflushed = true;
        }
        if self.unflushed && socket.poll_flush(cx).map_err(lost)?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }

    /// The service closes a stream that is silent for ten seconds.
    fn keep_alive(&mut self, cx: &mut Context<'_>) {
        while self.alarm.poll(self.look, cx).is_ready() {
            if self.queue.is_empty() && self.sent.elapsed() >= KEEP_ALIVE {
                self.queue.push_back(Outgoing::Text(ALIVE));
                self.sent = Instant::now();
            }
            self.look = self.sent.max(self.look) + KEEP_ALIVE;
        }
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ServiceError>> {
        let State::Open(socket) = &mut self.state else { return Poll::Pending };
        match ready!(Pin::new(&mut **socket).poll_next(cx)) {
            Some(message) => Poll::Ready(message.map_err(lost)),
            None => Poll::Ready(Err(ServiceError::cut(Phase::Answer, "the service closed it"))),
        }
    }
}

/// Says good-bye if that can be done at once: the service counts, and bills, by the life of the socket.
impl Drop for Link {
    fn drop(&mut self) {
        let State::Open(socket) = &mut self.state else { return };
        let mut socket = Pin::new(&mut **socket);
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(Ok(())) = socket.as_mut().poll_ready(&mut cx)
            && socket.as_mut().start_send(Message::text(CLOSE)).is_ok()
        {
            let _ = socket.poll_flush(&mut cx);
        }
    }
}

impl Outgoing {
    fn len(&self) -> usize {
        match self {
            Self::Audio(audio) => audio.len(),
            Self::Text(_) => 0,
        }
    }
}

impl From<Outgoing> for Message {
    fn from(outgoing: Outgoing) -> Self {
        match outgoing {
            Outgoing::Audio(audio) => Self::Binary(audio),
            Outgoing::Text(text) => Self::text(text),
        }
    }
}

fn length(frames: u64) -> Duration {
    FRAME * u32::try_from(frames).unwrap_or(u32::MAX)
}

fn connect(service: &Deepgram, format: Format) -> Connecting {
    let service = service.clone();
    let limit = service.config.connect;
    Box::pin(async move {
        let socket = timeout(limit, handshake(&service, format)).await;
        socket.unwrap_or(Err(ServiceError::Late { phase: Phase::Connect, limit }))
    })
}

async fn handshake(service: &Deepgram, format: Format) -> Result<Socket, ServiceError> {
    let endpoint = service.connector.endpoint();
    let scheme = if endpoint.is_secure() { "wss" } else { "ws" };
    let address = format!("{scheme}://{}{}", endpoint.authority(), service.path(format));
    let request = address.into_client_request();
    let mut request = request.map_err(|error| ServiceError::cut(Phase::Connect, error))?;
    request.headers_mut().extend(service.authorization.clone().map(|value| (AUTHORIZATION, value)));
    let stream = service.connector.connect().await?;
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
        f.debug_struct("Link")
            .field("format", &self.format)
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

const FINALIZE: &str = r#"{"type":"Finalize"}"#;
const ALIVE: &str = r#"{"type":"KeepAlive"}"#;
const CLOSE: &str = r#"{"type":"CloseStream"}"#;

/// 60 ms a message: a third of the system calls, while the end of a turn is sent at once.
const FRAMES_A_MESSAGE: usize = 3;

/// Of the ten seconds after which the service gives up.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// Until a lost socket is set up again, doubled each time.
const FIRST_REST: Duration = Duration::from_millis(250);

/// Frames that are kept for a socket that nobody needs at the moment: five seconds.
const KEPT_FRAMES: usize = 250;

/// A larger one would be filled with zeros at each read.
const READ_BUFFER: usize = 4 * 1_024;

/// Bytes of one message that are taken in.
const LARGEST_MESSAGE: usize = 1_024 * 1_024;
