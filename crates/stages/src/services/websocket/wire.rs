use super::{KeepAlive, Route};
use crate::alarm::Alarm;
use crate::services::endpoint::refusal;
use crate::services::error::own_words;
use crate::services::stream::Stream;
use crate::services::{Endpoint, Phase, ServiceError};
use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// A socket that stands.
pub(super) struct Wire {
    socket: Box<WebSocketStream<Stream>>,
    keep_alive: Option<KeepAlive>,
    farewell: Option<&'static str>,
    largest: usize,
    unflushed: bool,
    /// When something was sent last.
    sent: Instant,
    /// When something came last.
    heard: Instant,
    /// When a ping was sent that nothing has followed yet.
    pinged: Option<Instant>,
    /// When it is looked at whether both sides live.
    look: Instant,
    alarm: Alarm,
}

impl Wire {
    /// Connects and shakes hands.
    pub(super) async fn open(route: Route) -> Result<Self, ServiceError> {
        let Route { connector, path, headers, largest, keep_alive, farewell, .. } = route;
        let request = address(connector.endpoint(), &path).into_client_request();
        let mut request = request.map_err(|error| ServiceError::cut(Phase::Connect, error))?;
        request.headers_mut().extend(headers);
        let stream = connector.connect().await?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(largest))
            .max_frame_size(Some(largest));
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await.map_err(refused)?;
        let now = Instant::now();
        let mut wire = Self {
            socket: Box::new(socket),
            keep_alive,
            farewell,
            largest,
            unflushed: false,
            sent: now,
            heard: now,
            pinged: None,
            look: now,
            alarm: Alarm::default(),
        };
        wire.look = wire.next_look();
        Ok(wire)
    }

    /// Sends what `next` has, and gives what the service says. What it said before it went comes first.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        next: impl FnMut() -> Option<Message>,
    ) -> Poll<Result<Message, ServiceError>> {
        let sent = self.send(cx, next);
        match self.receive(cx) {
            Poll::Pending => match sent.and_then(|()| self.look(cx)) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
            received => received,
        }
    }

    /// Sends as much as the socket takes.
    pub(super) fn send(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Message>,
    ) -> Result<(), ServiceError> {
        while self.is_ready(cx)? {
            let Some(message) = next() else { break };
            self.put(message)?;
            self.sent = Instant::now();
        }
        if self.unflushed && self.socket().poll_flush(cx).map_err(|error| self.lost(error))?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }

    /// The next text or bytes; pings are answered by the next flush.
    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ServiceError>> {
        while let Poll::Ready(message) = self.socket().poll_next(cx) {
            (self.heard, self.pinged) = (Instant::now(), None);
            return Poll::Ready(match message {
                None => Err(ServiceError::CLOSED),
                Some(Err(error)) => Err(self.lost(error)),
                Some(Ok(Message::Close(frame))) => Err(closed(frame)),
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => Ok(message),
                Some(Ok(_)) => continue,
            });
        }
        Poll::Pending
    }

    /// Shows that this side lives, and finds out whether the other one does.
    fn look(&mut self, cx: &mut Context<'_>) -> Result<(), ServiceError> {
        while self.alarm.poll(self.look, cx).is_ready() {
            let now = Instant::now();
            if let Some(KeepAlive { message, .. }) =
                self.keep_alive.as_ref().filter(|it| self.sent + it.every <= now)
            {
                let message = message.clone();
                self.put_if_ready(message, cx)?;
                self.sent = now;
            }
            match self.pinged {
                Some(at) if at + PONG_WITHIN <= now => return Err(silent()),
                None if self.heard + PING_AFTER <= now => {
                    // Not every service counts it as a sign of life.
                    let sent = self.sent;
                    self.put_if_ready(Message::Ping(Bytes::new()), cx)?;
                    (self.sent, self.pinged) = (sent, Some(now));
                }
                _ => {}
            }
            self.look = self.next_look();
        }
        Ok(())
    }

    fn next_look(&self) -> Instant {
        let other = self.pinged.map_or(self.heard + PING_AFTER, |at| at + PONG_WITHIN);
        self.keep_alive.as_ref().map_or(other, |keep_alive| other.min(self.sent + keep_alive.every))
    }

    fn put_if_ready(&mut self, message: Message, cx: &mut Context<'_>) -> Result<(), ServiceError> {
        let mut message = Some(message);
        self.send(cx, || message.take())
    }

    fn is_ready(&mut self, cx: &mut Context<'_>) -> Result<bool, ServiceError> {
        Ok(self.socket().poll_ready(cx).map_err(|error| self.lost(error))?.is_ready())
    }

    fn put(&mut self, message: Message) -> Result<(), ServiceError> {
        self.unflushed = true;
        self.socket().start_send(message).map_err(|error| self.lost(error))
    }

    fn socket(&mut self) -> Pin<&mut WebSocketStream<Stream>> {
        Pin::new(&mut self.socket)
    }

    fn lost(&self, error: tungstenite::Error) -> ServiceError {
        match error {
            tungstenite::Error::Capacity(_) => {
                ServiceError::TooLarge { place: "message", limit: self.largest }
            }
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => ServiceError::CLOSED,
            error => ServiceError::cut(Phase::Answer, error),
        }
    }
}

/// Says good-bye if that can be done at once.
impl Drop for Wire {
    fn drop(&mut self) {
        let mut words = [self.farewell.map(Message::text), Some(Message::Close(None))].into_iter().flatten();
        let _ = self.send(&mut Context::from_waker(Waker::noop()), || words.next());
    }
}

/// A port that goes without saying is not said: servers and proxies compare names.
fn address(endpoint: &Endpoint, path: &str) -> String {
    let scheme = if endpoint.is_secure() { "wss" } else { "ws" };
    format!("{scheme}://{}{path}", endpoint.host_header())
}

fn refused(error: tungstenite::Error) -> ServiceError {
    match error {
        tungstenite::Error::Http(response) => {
            let words = response.body().as_deref().unwrap_or_default();
            refusal(response.status(), words)
        }
        error => ServiceError::cut(Phase::Connect, error),
    }
}

fn closed(frame: Option<CloseFrame>) -> ServiceError {
    let Some(CloseFrame { code, reason }) = frame else { return ServiceError::CLOSED };
    let reason = if reason.is_empty() { String::new() } else { own_words(reason.as_bytes()) };
    ServiceError::Closed { code: Some(code.into()), reason }
}

fn silent() -> ServiceError {
    ServiceError::cut(Phase::Answer, format_args!("no answer to a ping within {PONG_WITHIN:?}"))
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("sent", &self.sent).field("heard", &self.heard).finish_non_exhaustive()
    }
}

/// The silence of the other side after which it is asked whether it lives: a socket may stand for long after the way to
/// it was lost.
const PING_AFTER: Duration = Duration::from_secs(4);

/// How long it may take to answer; a server in the middle of its work needs a while.
const PONG_WITHIN: Duration = Duration::from_secs(4);

/// A larger one would be filled with zeros at each read.
const READ_BUFFER: usize = 4 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_port_is_no_part_of_the_host() {
        for (url, expected) in [
            ("wss://api.deepgram.com/v1", "wss://api.deepgram.com/x"),
            ("wss://api.deepgram.com:443", "wss://api.deepgram.com/x"),
            ("wss://api.deepgram.com:80", "wss://api.deepgram.com:80/x"),
            ("ws://localhost", "ws://localhost/x"),
            ("ws://localhost:4430", "ws://localhost:4430/x"),
            ("ws://[::1]:80", "ws://[::1]/x"),
        ] {
            assert_eq!(address(&Endpoint::parse(url).unwrap(), "/x"), expected);
        }
    }

    #[test]
    fn a_close_code_is_kept_and_its_reason_is_bounded() {
        let frame = CloseFrame { code: 1008.into(), reason: format!("no\r\n{}", "x".repeat(400)).into() };
        let told = closed(Some(frame)).to_string();
        assert!(
            told.starts_with("the connection ended inside the answer: the service closed it: 1008 no  x"),
            "{told}"
        );
        assert!(told.len() < 400 && !told.contains('\n'), "{told}");
        let bare = closed(Some(CloseFrame { code: 1011.into(), reason: "".into() })).to_string();
        assert_eq!(bare, "the connection ended inside the answer: the service closed it: 1011");
        assert_eq!(closed(None).to_string(), "the connection ended inside the answer: the service closed it");
    }
}
