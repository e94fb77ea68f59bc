//! A WebSocket that never waits to send.

use crate::target::Target;
use bytes::{Bytes, BytesMut};
use futures_util::{Sink, Stream};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

/// The caller's end of one WebSocket.
#[derive(Debug)]
pub struct Line {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    scratch: BytesMut,
    is_dirty: bool,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum NoLine {
    /// The server has no place for another call.
    #[error("HTTP {0}")]
    Full(u16),
    /// The server refuses the upgrade.
    #[error("the upgrade is refused with HTTP {0}")]
    Status(u16),
    /// The server cannot be reached.
    #[error("cannot connect: {0}")]
    Unreachable(String),
}

/// The connection broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The server closed it without a word.
    #[error("the server closed the connection")]
    Gone,
    /// What is sent is not taken.
    #[error("the server does not read")]
    NotRead,
    /// It broke RFC 6455, or the network broke.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// Frames of a few hundred bytes come one at a time; tungstenite zero-fills its whole buffer at each read.
const READ_BUFFER: usize = 4 * 1024;

/// Bytes that wait for a server that does not read: about 8 s of telephone audio.
const BACKLOG: usize = 128 * 1024;

fn limits() -> WebSocketConfig {
    // Nothing is gathered: each message is written at once.
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(BACKLOG)
}

impl Line {
    /// Connects.
    pub async fn open(target: &Target) -> Result<Self, NoLine> {
        let mut request = target.url.clone().into_client_request().map_err(no_line)?;
        for header in &target.headers {
            request.headers_mut().insert(header.name.clone(), header.value.clone());
        }
        let tls = target.tls.clone().map(Connector::Rustls);
        // Without Nagle's algorithm, which would gather frames.
        let connecting = connect_async_tls_with_config(request, Some(limits()), true, tls);
        let (stream, _) = connecting.await.map_err(no_line)?;
        Ok(Self { stream, scratch: BytesMut::with_capacity(1_024), is_dirty: false })
    }

    /// The next message; flushes meanwhile what could not be written at once.
    pub async fn next(&mut self) -> Result<Message, Lost> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Sends a text that `write` appends, from a buffer that is used again.
    pub fn text(&mut self, write: impl FnOnce(&mut BytesMut)) -> Result<(), Lost> {
        self.scratch.reserve(512);
        write(&mut self.scratch);
        let text = Utf8Bytes::try_from(self.scratch.split().freeze()).expect("we write UTF-8");
        self.send(Message::Text(text))
    }

    /// Sends a control message.
    pub fn control(&mut self, text: &str) -> Result<(), Lost> {
        self.send(Message::text(text))
    }

    /// Sends a binary message.
    pub fn binary(&mut self, bytes: Bytes) -> Result<(), Lost> {
        self.send(Message::Binary(bytes))
    }

    /// Sends the close frame.
    pub fn close(&mut self) -> Result<(), Lost> {
        self.send(Message::Close(None))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Lost>> {
        if self.is_dirty
            && let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            self.is_dirty = false;
            if let Err(error) = flushed {
                return Poll::Ready(Err(lost(error)));
            }
        }
        Pin::new(&mut self.stream).poll_next(cx).map(|message| message.ok_or(Lost::Gone)?.map_err(lost))
    }

    fn send(&mut self, message: Message) -> Result<(), Lost> {
        self.is_dirty = true;
        Pin::new(&mut self.stream).start_send(message).map_err(lost)
    }
}

/// Too Many Requests and Service Unavailable (RFC 6585, RFC 9110): come again later.
const FULL: [u16; 2] = [429, 503];

fn no_line(error: Error) -> NoLine {
    match error {
        Error::Http(response) if FULL.contains(&response.status().as_u16()) => {
            NoLine::Full(response.status().as_u16())
        }
        Error::Http(response) => NoLine::Status(response.status().as_u16()),
        error => NoLine::Unreachable(error.to_string()),
    }
}

fn lost(error: Error) -> Lost {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Lost::Gone,
        Error::WriteBufferFull(_) => Lost::NotRead,
        error => Lost::Broken(error.to_string()),
    }
}
