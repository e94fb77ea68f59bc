//! The socket of a call to a service that hears and speaks: its messages, and how much of them waits.

use super::ServiceError;
use super::connector::Connector;
use super::websocket::{Event, Route, WebSocket};
use hyper::HeaderMap;
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// What a socket is set up with.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) connector: Connector,
    /// Path and query.
    pub(super) path: String,
    /// Such as that with the key.
    pub(super) headers: HeaderMap,
    /// Until it stands.
    pub(super) limit: Duration,
}

/// Messages to a service and from it; what is sent before it stands waits.
#[derive(Debug)]
pub(super) struct Socket {
    socket: WebSocket,
    queue: VecDeque<Message>,
    waiting: usize,
}

impl Socket {
    /// Sets one up.
    pub(super) fn open(plan: Plan) -> Self {
        let Plan { connector, path, headers, limit } = plan;
        let (largest, keep_alive, farewell) = (LARGEST_MESSAGE, None, None);
        let route = Route { connector, path, headers, limit, largest, keep_alive, farewell };
        Self { socket: WebSocket::open(route), queue: VecDeque::new(), waiting: 0 }
    }

    /// Puts a message behind those that wait; [`poll`](Self::poll) sends it.
    pub(super) fn send(&mut self, message: Message) {
        self.waiting += message.len();
        self.queue.push_back(message);
    }

    /// It was lost while nobody needed it: another one is set up after a while, and what waits is forgotten.
    pub(super) fn rest(&mut self) {
        self.queue.clear();
        self.waiting = 0;
        self.socket.rest();
    }

    /// It is needed now.
    pub(super) fn hurry(&mut self) {
        self.socket.hurry();
    }

    /// It stands.
    pub(super) const fn is_open(&self) -> bool {
        self.socket.is_open()
    }

    /// Bytes that wait to be sent.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Sends what waits and gives the next message of the service: text or binary.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ServiceError>> {
        loop {
            let Self { socket, queue, waiting } = self;
            let next = || queue.pop_front().inspect(|message| *waiting -= message.len());
            if let Event::Message(message) = ready!(socket.poll(cx, next))? {
                return Poll::Ready(Ok(message));
            }
        }
    }
}

/// Bytes of one message that are taken in: 40 s of the widest audio in base64.
const LARGEST_MESSAGE: usize = 4 * 1_024 * 1_024;
