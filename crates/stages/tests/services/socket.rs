//! A server of sockets whose other end a test holds.

use futures_util::{SinkExt, StreamExt};
use hyper::HeaderMap;
use ringway_stages::services::Endpoint;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// A listener.
pub(crate) struct Sockets(TcpListener, SocketAddr);

/// One accepted socket.
pub(crate) struct Accepted {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) headers: HeaderMap,
    socket: WebSocketStream<TcpStream>,
}

impl Sockets {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self(listener, address)
    }

    pub(crate) fn endpoint(&self, path: &str) -> Endpoint {
        Endpoint::parse(&format!("ws://{}{path}", self.1)).unwrap()
    }

    /// The next connection, as it comes.
    pub(crate) async fn tcp(&self) -> TcpStream {
        let tcp = self.0.accept().await.unwrap().0;
        // In paused time a message that waits for the last one's receipt comes too late.
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    /// The next socket.
    pub(crate) async fn accept(&self) -> Accepted {
        let (mut path, mut authorization, mut headers) = (String::new(), None, HeaderMap::new());
        #[expect(clippy::result_large_err, reason = "the type of the library's callback")]
        let note = |request: &Request, response: Response| {
            path = request.uri().to_string();
            headers.clone_from(request.headers());
            authorization =
                request.headers().get("authorization").map(|key| key.to_str().unwrap().to_owned());
            Ok(response)
        };
        let socket = accept_hdr_async(self.tcp().await, note).await.unwrap();
        Accepted { path, authorization, headers, socket }
    }
}

impl Accepted {
    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_audio(&mut self, audio: &[u8]) {
        self.socket.send(Message::binary(audio.to_vec())).await.unwrap();
    }

    /// The next message, which is JSON.
    pub(crate) async fn json(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.receive().await.expect("a message").expect("a text")).unwrap()
    }

    /// Bytes, where the service is to say text.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// The next message, audio as its length; `None`: the client has gone.
    pub(crate) async fn receive(&mut self) -> Option<Result<String, Vec<u8>>> {
        loop {
            return match self.socket.next().await?.ok()? {
                Message::Text(text) => Some(Ok(text.to_string())),
                Message::Binary(audio) => Some(Err(audio.to_vec())),
                Message::Ping(_) | Message::Pong(_) => continue,
                _ => None,
            };
        }
    }

    /// Bytes of audio up to the next text, and that text.
    pub(crate) async fn audio(&mut self) -> (usize, String) {
        let mut bytes = 0;
        loop {
            match self.receive().await.expect("a text") {
                Ok(text) => return (bytes, text),
                Err(audio) => bytes += audio.len(),
            }
        }
    }

    /// Hears and says nothing, as long as the client is there.
    pub(crate) async fn hear(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    /// Closes it as a service does.
    pub(crate) async fn close(mut self) {
        let bye = CloseFrame { code: 1011.into(), reason: "time is up".into() };
        let _ = self.socket.close(Some(bye)).await;
    }
}
