use crate::services::ServiceError;
use crate::services::connector::Connector;
use crate::services::websocket::{self, Event, Route, WebSocket};
use hyper::HeaderMap;
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

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

/// A voice's socket, and the messages that wait for it.
#[derive(Debug)]
pub(super) struct Link {
    socket: WebSocket,
    queue: VecDeque<String>,
}

impl Link {
    /// Begins to set up a socket at once: nobody may ask for it before it is needed. What is said before it is closed may be
    /// empty.
    pub(super) fn open(door: Door, keep_alive: Option<KeepAlive>, farewell: &'static str) -> Self {
        let Door { connector, path, headers, limit } = door;
        let keep_alive = keep_alive.map(|KeepAlive { every, message }| websocket::KeepAlive {
            every,
            message: Message::text(message),
        });
        let farewell = Some(farewell).filter(|farewell| !farewell.is_empty());
        let largest = LARGEST_MESSAGE;
        let route = Route { connector, path, headers, limit, largest, keep_alive, farewell };
        Self { socket: WebSocket::open(route), queue: VecDeque::new() }
    }

    /// Messages to the service; they wait for the socket.
    pub(super) const fn queue(&mut self) -> &mut VecDeque<String> {
        &mut self.queue
    }

    pub(super) const fn is_open(&self) -> bool {
        self.socket.is_open()
    }

    /// The socket is needed now; whether it is another one that is set up.
    pub(super) fn hurry(&mut self) -> bool {
        self.socket.hurry()
    }

    /// Sets up another socket; what waits to be sent is forgotten.
    pub(super) fn renew(&mut self) {
        self.queue.clear();
        self.socket.renew();
    }

    /// It was lost while nobody needed it: another one is set up after a while.
    pub(super) fn rest(&mut self) {
        self.queue.clear();
        self.socket.rest();
    }

    /// Sends what waits, if that can be done at once.
    pub(super) fn send_now(&mut self) {
        let Self { socket, queue } = self;
        socket.send_now(|| queue.pop_front().map(Message::text));
    }

    /// Sends what waits and gives the next message of the service.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ServiceError>> {
        loop {
            let Self { socket, queue } = self;
            if let Event::Message(message) = ready!(socket.poll(cx, || queue.pop_front().map(Message::text)))?
            {
                return Poll::Ready(Ok(message));
            }
        }
    }
}

/// Bytes of one message that are taken in: some seconds of audio.
const LARGEST_MESSAGE: usize = 4 * 1_024 * 1_024;
