//! The WebSocket handshake, and the way of its socket to a media core.

use crate::api::ApiError;
use axum::body::Body;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What hyper has been given to serve.
pub type ServedTls = TokioIo<Box<TlsStream<TcpStream>>>;

/// A handshake that is answered, its socket still to come.
#[derive(Debug)]
pub struct Handshake {
    upgrade: OnUpgrade,
    accept: String,
}

/// A socket between two runtimes.
#[derive(Debug)]
pub struct Moving {
    io: MovingIo,
    read: Vec<u8>,
}

#[derive(Debug)]
enum MovingIo {
    Plain(std::net::TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A socket on its media core.
///
/// A plain one is registered with the core's own reactor. One with TLS stays with the reactor that accepted it, since
/// rustls' stream cannot be taken apart: it costs a wake across threads, on a listener that serves no carriers at scale.
#[derive(Debug)]
pub enum Transport {
    /// Without TLS.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Handshake {
    /// Reads the client's half of RFC 6455 section 4.2.1.
    ///
    /// # Errors
    /// It is none.
    pub fn read(request: &mut Request<Body>) -> Result<Self, ApiError> {
        let headers = request.headers();
        if !lists(headers, UPGRADE, "websocket") || !lists(headers, CONNECTION, "upgrade") {
            return Err(ApiError::Handshake("the request does not ask for an upgrade to websocket"));
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(ApiError::Handshake("Sec-WebSocket-Version 13 is spoken here"));
        }
        let key =
            headers.get(SEC_WEBSOCKET_KEY).ok_or(ApiError::Handshake("Sec-WebSocket-Key is missing"))?;
        let accept = derive_accept_key(key.as_bytes());
        let upgrade = request
            .extensions_mut()
            .remove()
            .ok_or(ApiError::Handshake("the connection cannot be upgraded"))?;
        Ok(Self { upgrade, accept })
    }

    /// The server's half, and the socket once the client has it.
    pub fn answer(self) -> (Response<Body>, impl Future<Output = io::Result<Moving>> + Send) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        let accept = HeaderValue::from_str(&self.accept).expect("base64 is a header value");
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        let upgrade = self.upgrade;
        (response, async move { Moving::take(upgrade.await.map_err(io::Error::other)?) })
    }
}

fn lists(headers: &HeaderMap, name: axum::http::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

impl Moving {
    fn take(upgraded: Upgraded) -> io::Result<Self> {
        let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => {
                let io = MovingIo::Plain(parts.io.into_inner().into_std()?);
                return Ok(Self { io, read: parts.read_buf.to_vec() });
            }
            Err(upgraded) => upgraded,
        };
        let parts = upgraded
            .downcast::<ServedTls>()
            .map_err(|_| io::Error::other("the listener serves plain TCP and TLS only"))?;
        Ok(Self { io: MovingIo::Tls(parts.io.into_inner()), read: parts.read_buf.to_vec() })
    }

    /// A socket that leaves the present runtime for another.
    pub fn leave(transport: Transport, read: Vec<u8>) -> io::Result<Self> {
        let io = match transport {
            Transport::Plain(stream) => MovingIo::Plain(stream.into_std()?),
            Transport::Tls(stream) => MovingIo::Tls(stream),
        };
        Ok(Self { io, read })
    }

    /// Arrives on the present runtime; with it what the client sent behind its handshake.
    pub fn arrive(self) -> io::Result<(Transport, Vec<u8>)> {
        let transport = match self.io {
            MovingIo::Plain(stream) => Transport::Plain(TcpStream::from_std(stream)?),
            MovingIo::Tls(stream) => Transport::Tls(stream),
        };
        Ok((transport, self.read))
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
