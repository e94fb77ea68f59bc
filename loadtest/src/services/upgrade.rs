use axum::body::Body;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// A socket after its handshake.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A client's half of the handshake.
#[derive(Debug)]
pub struct Handshake {
    upgrade: OnUpgrade,
    accept: String,
}

/// The default is filled with zeros at each read, and 128 KiB long.
const READ_BUFFER: usize = 4 * 1024;

impl Handshake {
    /// Reads it, after RFC 6455 section 4.2.1; otherwise what is wrong.
    pub fn read(request: &mut Request<Body>) -> Result<Self, &'static str> {
        let headers = request.headers();
        if !lists(headers, UPGRADE, "websocket") || !lists(headers, CONNECTION, "upgrade") {
            return Err("the request does not ask for an upgrade to websocket");
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err("Sec-WebSocket-Version 13 is spoken here");
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).ok_or("Sec-WebSocket-Key is missing")?;
        let accept = derive_accept_key(key.as_bytes());
        let upgrade = request.extensions_mut().remove().ok_or("the connection cannot be upgraded")?;
        Ok(Self { upgrade, accept })
    }

    /// The server's half, and the socket once the client has it.
    pub fn answer(self) -> (Response<Body>, impl Future<Output = Result<Socket, hyper::Error>> + Send) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        let accept = HeaderValue::from_str(&self.accept).expect("base64 is a header value");
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        let upgrade = self.upgrade;
        (response, async move {
            let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
            let io = TokioIo::new(upgrade.await?);
            Ok(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await)
        })
    }
}

fn lists(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}
