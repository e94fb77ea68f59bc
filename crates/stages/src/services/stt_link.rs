//! The socket of a call to a streaming recogniser: set up, kept alive, and set up again when it was lost.

use super::connector::Connector;
use super::endpoint::refusal;
use super::error::own_words;
use super::stream::Stream;
use super::{Phase, ServiceError};
use crate::alarm::Alarm;
use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use hyper::HeaderMap;
use ringway_frame::{FRAME, Format, Frame};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type Socket = WebSocketStream<Stream>;
type Connecting = Pin<Box<dyn Future<Output = Result<Socket, ServiceError>>>>;

/// What tells one recogniser's socket from another's.
pub(super) trait Dialect: Clone + Unpin + 'static {
    /// What is sent when there is nothing else to send.
    const KEEP_ALIVE: KeepAlive;
    /// The good-bye, if there is one.
    const CLOSE: Option<&'static str>;

    /// Sets up its connections.
    fn connector(&self) -> &Connector;
    /// Until a socket stands, all of its handshakes included.
    fn limit(&self) -> Duration;
    /// Path and query of a call's socket.
    fn path(&self, format: Format) -> String;
    /// Headers of the handshake, such as those with the key.
    fn headers(&self) -> HeaderMap;
    /// A socket begins. What is to be said first on it, if anything.
    fn begin(&mut self, format: Format) -> Option<String> {
        let _ = format;
        None
    }
    /// Frames of the call as a message.
    fn audio(&mut self, frames: Bytes) -> Message {
        Message::Binary(frames)
    }
}

/// What keeps a socket alive.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeepAlive {
    /// A message of the service's own.
    Text(&'static str),
    /// A ping of the socket.
    Ping,
    /// A frame of silence.
    Silence,
}

/// Messages to the service and from it, whether or not a socket stands at the moment.
pub(super) struct Link<D> {
    dialect: D,
    close: Option<&'static str>,
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
    Text(Utf8Bytes),
    Ping,
}

impl<D: Dialect> Link<D> {
    /// Sets up a socket for audio in this format.
    pub(super) fn open(dialect: D, format: Format) -> Self {
        let state = State::Connecting(connect(&dialect, format));
        Self {
            dialect,
            close: D::CLOSE,
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

    /// Says this behind all that was heard.
    pub(super) fn say(&mut self, text: &'static str) {
        self.close_audio();
        self.queue.push_back(Outgoing::Text(Utf8Bytes::from_static(text)));
    }

    /// The format of the call's audio.
    pub(super) const fn format(&self) -> Format {
        self.format
    }

    pub(super) fn dialect(&mut self) -> &mut D {
        &mut self.dialect
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

    /// Frames wait that do not fill a message.
    pub(super) fn is_partial(&self) -> bool {
        !self.audio.is_empty()
    }

    /// A socket stands, and all has been sent.
    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty() && matches!(self.state, State::Open(_))
    }

    /// The socket is needed now.
    pub(super) fn hurry(&mut self) {
        if let State::Resting(_) = self.state {
            self.state = State::Connecting(connect(&self.dialect, self.format));
        }
    }

    /// It was lost while nobody needed it: another one is set up after a while, and audio that is too old goes.
    pub(super) fn rest(&mut self) {
        let wait = FIRST_REST * 2_u32.saturating_pow(self.losses.min(5));
        self.losses += 1;
        self.state = State::Resting(Instant::now() + wait);
        self.queue.retain(|outgoing| matches!(outgoing, Outgoing::Audio(_)));
        self.unflushed = false;
    }

    /// Sends what waits and gives the next text of the service.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, ServiceError>> {
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
                        Message::Binary(_) => {
                            let error = ServiceError::malformed("message", "bytes where text is due");
                            return Poll::Ready(Err(error));
                        }
                        Message::Close(frame) => return Poll::Ready(Err(closed(frame))),
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
        if let Some(greeting) = self.dialect.begin(self.format) {
            self.queue.push_front(Outgoing::Text(greeting.into()));
        }
    }

    /// Frames that wait for more are sent.
    pub(super) fn close_audio(&mut self) {
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
            let message = match outgoing {
                Outgoing::Audio(frames) => self.dialect.audio(frames),
                Outgoing::Text(text) => Message::Text(text),
                Outgoing::Ping => Message::Ping(Bytes::new()),
            };
            socket.as_mut().start_send(message).map_err(lost)?;
            self.sent = Instant::now();
            self.unflushed = true;
        }
        if self.unflushed && socket.poll_flush(cx).map_err(lost)?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }

    /// Services close a stream that is silent, some of them after ten seconds.
    fn keep_alive(&mut self, cx: &mut Context<'_>) {
        while self.alarm.poll(self.look, cx).is_ready() {
            if self.queue.is_empty() && self.sent.elapsed() >= KEEP_ALIVE {
                self.queue.push_back(match D::KEEP_ALIVE {
                    KeepAlive::Text(text) => Outgoing::Text(Utf8Bytes::from_static(text)),
                    KeepAlive::Ping => Outgoing::Ping,
                    KeepAlive::Silence => {
                        Outgoing::Audio(Bytes::copy_from_slice(Frame::silence(self.format).payload()))
                    }
                });
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
impl<D> Drop for Link<D> {
    fn drop(&mut self) {
        let (State::Open(socket), Some(close)) = (&mut self.state, self.close) else { return };
        let mut socket = Pin::new(&mut **socket);
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(Ok(())) = socket.as_mut().poll_ready(&mut cx)
            && socket.as_mut().start_send(Message::text(close)).is_ok()
        {
            let _ = socket.poll_flush(&mut cx);
        }
    }
}

impl Outgoing {
    fn len(&self) -> usize {
        match self {
            Self::Audio(audio) => audio.len(),
            Self::Text(_) | Self::Ping => 0,
        }
    }
}

fn length(frames: u64) -> Duration {
    FRAME * u32::try_from(frames).unwrap_or(u32::MAX)
}

fn connect<D: Dialect>(dialect: &D, format: Format) -> Connecting {
    let dialect = dialect.clone();
    let limit = dialect.limit();
    Box::pin(async move {
        let socket = timeout(limit, handshake(&dialect, format)).await;
        socket.unwrap_or(Err(ServiceError::Late { phase: Phase::Connect, limit }))
    })
}

async fn handshake<D: Dialect>(dialect: &D, format: Format) -> Result<Socket, ServiceError> {
    let endpoint = dialect.connector().endpoint();
    let scheme = if endpoint.is_secure() { "wss" } else { "ws" };
    let address = format!("{scheme}://{}{}", endpoint.authority(), dialect.path(format));
    let request = address.into_client_request();
    let mut request = request.map_err(|error| ServiceError::cut(Phase::Connect, error))?;
    request.headers_mut().extend(dialect.headers());
    let stream = dialect.connector().connect().await?;
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

/// Why the service closed it, as far as it says so.
fn closed(frame: Option<CloseFrame>) -> ServiceError {
    let reason = frame.map(|frame| frame.reason).unwrap_or_default();
    if reason.is_empty() {
        return ServiceError::cut(Phase::Answer, "the service closed it");
    }
    ServiceError::cut(Phase::Answer, format_args!("the service closed it: {}", own_words(reason.as_bytes())))
}

impl<D> std::fmt::Debug for Link<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("format", &self.format)
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}

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
