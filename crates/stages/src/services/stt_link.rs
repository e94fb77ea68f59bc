//! The socket of a call to a streaming recogniser, and the audio that waits for it.

use super::ServiceError;
use super::access::Access;
use super::websocket::{self, Event, Route, WebSocket};
use bytes::Bytes;
use ringway_frame::{FRAME, Format, Frame};
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// What tells one recogniser's socket from another's.
pub(super) trait Dialect: Clone + Unpin + 'static {
    /// What is sent when there is nothing else to send.
    const KEEP_ALIVE: KeepAlive;
    /// The good-bye, if there is one.
    const CLOSE: Option<&'static str>;

    /// How the service is reached.
    fn access(&self) -> &Access;
    /// Path and query of a call's socket.
    fn path(&self, format: Format) -> String;
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
    socket: WebSocket,
    format: Format,
    queue: VecDeque<Outgoing>,
    /// Frames that do not fill a message.
    audio: Vec<u8>,
    /// Frames that were heard in all.
    heard: u64,
    /// How many had been heard where the socket's stream begins.
    base: u64,
}

enum Outgoing {
    Audio(Bytes),
    Text(Utf8Bytes),
}

impl<D: Dialect> Link<D> {
    /// Sets up a socket for audio in this format.
    pub(super) fn open(mut dialect: D, format: Format) -> Self {
        Self {
            socket: WebSocket::open(route(&mut dialect, format)),
            dialect,
            format,
            queue: VecDeque::new(),
            audio: Vec::new(),
            heard: 0,
            base: 0,
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
        self.queue.is_empty() && self.socket.is_open()
    }

    /// The socket is needed now.
    pub(super) fn hurry(&mut self) {
        self.socket.hurry();
    }

    /// It was lost while nobody needed it: another one is set up after a while, and audio that is too old goes.
    pub(super) fn rest(&mut self) {
        self.socket.rest();
        self.keep_audio();
    }

    /// Another socket takes its place at once.
    pub(super) fn renew(&mut self) {
        self.socket.renew();
        self.keep_audio();
    }

    /// Sends what waits and gives the next text of the service.
    ///
    /// # Errors
    /// The socket is lost; what follows is [`renew`](Self::renew) or [`rest`](Self::rest).
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, ServiceError>> {
        loop {
            if self.socket.is_resting() {
                self.forget_old();
            }
            let Self { socket, queue, dialect, .. } = self;
            let next = || queue.pop_front().map(|outgoing| outgoing.message(dialect));
            match ready!(socket.poll(cx, next))? {
                Event::Opened => self.opened(),
                Event::Message(Message::Text(text)) => return Poll::Ready(Ok(text)),
                Event::Message(_) => {
                    let error = ServiceError::malformed("message", "bytes where text is due");
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    fn opened(&mut self) {
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

    fn keep_audio(&mut self) {
        self.queue.retain(|outgoing| matches!(outgoing, Outgoing::Audio(_)));
    }

    fn forget_old(&mut self) {
        let most = self.format.bytes() * KEPT_FRAMES;
        while self.waiting() > most {
            self.queue.pop_front();
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

    fn message(self, dialect: &mut impl Dialect) -> Message {
        match self {
            Self::Audio(frames) => dialect.audio(frames),
            Self::Text(text) => Message::Text(text),
        }
    }
}

fn length(frames: u64) -> Duration {
    FRAME * u32::try_from(frames).unwrap_or(u32::MAX)
}

fn route<D: Dialect>(dialect: &mut D, format: Format) -> Route {
    let message = match D::KEEP_ALIVE {
        KeepAlive::Text(text) => Message::text(text),
        KeepAlive::Ping => Message::Ping(Bytes::new()),
        KeepAlive::Silence => dialect.audio(Bytes::copy_from_slice(Frame::silence(format).payload())),
    };
    let Access { connector, headers, limit } = dialect.access().clone();
    Route {
        connector,
        path: dialect.path(format),
        headers,
        limit,
        largest: LARGEST_MESSAGE,
        keep_alive: Some(websocket::KeepAlive { every: KEEP_ALIVE, message }),
        farewell: D::CLOSE,
    }
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

/// Frames that are kept for a socket that nobody needs at the moment: five seconds.
const KEPT_FRAMES: usize = 250;

/// Bytes of one message that are taken in.
const LARGEST_MESSAGE: usize = 1_024 * 1_024;
