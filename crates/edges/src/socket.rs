//! A WebSocket that never waits to send: what the peer does not read piles up to a bound, then the peer is dropped.

use crate::intake::Metered;
use bytes::{Bytes, BytesMut};
use futures_util::{Sink, Stream};
use ringway_actors::Closed;
use ringway_wire::ProtocolError;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError as Breach};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// The server's end of one WebSocket.
#[derive(Debug)]
pub struct Socket<S> {
    stream: WebSocketStream<Metered<S>>,
    longest: usize,
    scratch: BytesMut,
    dirty: bool,
}

/// Why a socket is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The peer closed it, or it broke.
    #[error("the peer is gone")]
    Gone,
    /// The peer does not read what it is sent.
    #[error("the peer does not read")]
    SlowConsumer,
    /// A message is longer than permitted.
    #[error("a message has more than {0} bytes")]
    TooLarge(usize),
    /// Text that is not UTF-8, or frames that break RFC 6455.
    #[error("the peer breaks the WebSocket protocol: {0}")]
    Broken(String),
}

impl Lost {
    /// What the peer did wrong, if it broke a rule.
    pub fn error(&self) -> Option<ProtocolError> {
        match self {
            Self::TooLarge(longest) => Some(ProtocolError::longer_than(*longest)),
            Self::Broken(what) => Some(ProtocolError::broken(what.clone())),
            Self::Gone | Self::SlowConsumer => None,
        }
    }
}

impl From<Lost> for Closed {
    fn from(lost: Lost) -> Self {
        match (lost.error(), lost) {
            (Some(error), _) => Self::Protocol(error.code.name()),
            (None, Lost::SlowConsumer) => Self::SlowConsumer,
            (None, _) => Self::Gone,
        }
    }
}

/// How long the last messages may take to reach the peer.
const GOODBYE: Duration = Duration::from_secs(2);

/// Bytes that wait for a peer that does not read.
const BACKLOG: usize = 64 * 1024;

/// Bytes that are gathered before they are written without being asked to.
const GATHER: usize = 4 * 1024;

/// tungstenite zero-fills its whole read buffer at each read; a message of 20 ms has a few hundred bytes.
const READ_BUFFER: usize = 2 * 1024;

/// Limits of a socket whose messages have at most so many bytes.
fn limits(longest: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(GATHER)
        .max_write_buffer_size(BACKLOG)
        .max_message_size(Some(longest))
        .max_frame_size(Some(longest))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Goes on behind the handshake; `read` is what came with it already. A message has at most `longest` bytes. It is read
    /// frame by frame until [`read_on`](Self::read_on).
    pub async fn new(io: S, read: Vec<u8>, longest: usize) -> Self {
        let io = Metered::new(io, read);
        let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits(longest))).await;
        Self { stream, longest, scratch: BytesMut::with_capacity(1_024), dirty: false }
    }

    /// Its call has begun: what comes is read several frames at once.
    pub fn read_on(&mut self) {
        self.stream.get_mut().read_on();
    }

    /// The transport and what was read of it, to go on with on another core. Nothing may be queued, and it must not have
    /// been told to read on.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        self.stream.into_inner().into_parts()
    }

    /// The next message of the peer, as far as its share of the core goes.
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Lost>> {
        ready!(self.stream.get_mut().poll_message_permitted(cx));
        let next = ready!(Pin::new(&mut self.stream).poll_next(cx));
        self.stream.get_mut().spend();
        Poll::Ready(match next {
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(lost(error, self.longest)),
            None => Err(Lost::Gone),
        })
    }

    /// Queues a text message; the buffer it is written into is used again.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    pub fn text(&mut self, write: impl FnOnce(&mut BytesMut)) -> Result<(), Lost> {
        let bytes = self.fill(write);
        let text = Utf8Bytes::try_from(bytes).expect("we write UTF-8");
        self.queue(Message::Text(text))
    }

    /// Queues a binary message.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    pub fn binary(&mut self, write: impl FnOnce(&mut BytesMut)) -> Result<(), Lost> {
        let bytes = self.fill(write);
        self.queue(Message::Binary(bytes))
    }

    /// Queues a ping.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    pub fn ping(&mut self) -> Result<(), Lost> {
        self.queue(Message::Ping(Bytes::new()))
    }

    /// Queues the close frame.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    pub fn close(&mut self, code: u16, reason: &str) -> Result<(), Lost> {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.to_owned().into() };
        self.queue(Message::Close(Some(frame)))
    }

    /// Writes what is queued, as far as the peer takes it.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        if !self.dirty {
            return Poll::Pending;
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(result) => {
                self.dirty = false;
                Poll::Ready(result.map_err(|error| lost(error, self.longest)))
            }
        }
    }

    /// Writes what is queued; ready when the peer has closed as well, or is gone.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Poll::Ready(Err(_)) = self.poll_flush(cx) {
            return Poll::Ready(());
        }
        while let Poll::Ready(message) = self.poll_message(cx) {
            if message.is_err() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// Writes the last messages and waits for the peer's own close frame, up to a bound.
    pub async fn goodbye(&mut self) {
        let closed = poll_fn(|cx| self.poll_closed(cx));
        let _ = tokio::time::timeout(GOODBYE, closed).await;
    }

    /// `split` leaves the spare capacity to the next message; it is whole again once this one has been written.
    fn fill(&mut self, write: impl FnOnce(&mut BytesMut)) -> Bytes {
        self.scratch.reserve(512);
        write(&mut self.scratch);
        self.scratch.split().freeze()
    }

    fn queue(&mut self, message: Message) -> Result<(), Lost> {
        self.dirty = true;
        let queued = Pin::new(&mut self.stream).start_send(message);
        queued.map_err(|error| lost(error, self.longest))
    }
}

fn lost(error: Error, longest: usize) -> Lost {
    match error {
        Error::WriteBufferFull(_) => Lost::SlowConsumer,
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Lost::TooLarge(longest),
        Error::Utf8(_) => Lost::Broken("text that is not UTF-8".into()),
        // The end of the stream without a close frame is no breach: so a network ends.
        Error::Protocol(Breach::ResetWithoutClosingHandshake) => Lost::Gone,
        Error::Protocol(error) => Lost::Broken(error.to_string()),
        _ => Lost::Gone,
    }
}
