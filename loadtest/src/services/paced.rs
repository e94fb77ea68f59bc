use super::fate::Fate;
use super::fault::{Fault, Limit};
use super::stats::Ticket;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// An answer that is sent piece by piece, each at its time.
#[derive(Debug)]
pub struct Paced {
    pieces: VecDeque<Piece>,
    timer: Pin<Box<Sleep>>,
    breaks_off: bool,
    ticket: Ticket,
    /// Bytes still to come, where the client is told how many.
    announced: Option<u64>,
}

/// Bytes that are sent together.
#[derive(Clone, Debug)]
pub struct Piece {
    /// After the piece before; the first: after the head.
    pub after: Duration,
    /// What is sent.
    pub bytes: Bytes,
}

/// What an answer consists of when nothing fails.
#[derive(Debug)]
pub struct Answer {
    /// The head's `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub pieces: Vec<Piece>,
    /// The length of the body is told in the head.
    pub announced: bool,
    /// What is sent as the body where a failure wants nonsense.
    pub garbage: Bytes,
}

/// How a request ends without an answer of its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The connection is closed.
    Refused,
    /// A web page in place of an answer.
    Page,
    /// A status, and whatever the service says with it.
    Status(StatusCode),
}

/// In the extensions of a response: it is not to be sent, and the connection to be closed.
#[derive(Clone, Copy, Debug)]
pub struct CloseUnanswered;

/// What is waited before the connection is closed, so that what was sent before is out.
const BEFORE_THE_CUT: Duration = Duration::from_millis(1);

impl Fate {
    /// Waits for the time of the first byte of a request that was complete at `complete`. Of one that hangs it never
    /// comes.
    pub async fn first_byte(&self, complete: Instant) -> Result<(), Failure> {
        match self.fault {
            Some(Fault::Refuse) => return Err(Failure::Refused),
            Some(Fault::Hang) => match std::future::pending::<Infallible>().await {},
            Some(Fault::Limit) if self.limit.after < self.delay => {
                tokio::time::sleep_until(complete + self.limit.after).await;
                return Err(Failure::Refused);
            }
            _ => tokio::time::sleep_until(complete + self.delay).await,
        }
        match self.fault {
            Some(Fault::Page) => Err(Failure::Page),
            Some(Fault::Status(status)) => {
                Err(Failure::Status(StatusCode::from_u16(status).expect("400 to 599 are statuses")))
            }
            _ => Ok(()),
        }
    }

    /// The answer as this request gets it.
    pub fn respond(&self, ticket: Ticket, answer: Answer) -> Response<Body> {
        let Answer { mut content_type, mut pieces, announced, garbage } = answer;
        if self.fault == Some(Fault::Type) {
            content_type = if content_type.starts_with(HTML) { "application/json" } else { HTML };
        }
        if self.fault == Some(Fault::Garbage) {
            pieces = vec![Piece { after: Duration::ZERO, bytes: garbage }];
        }
        if self.fault == Some(Fault::Empty) {
            pieces.clear();
        }
        let length: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
        let mut breaks_off = self.fault == Some(Fault::Cut);
        if breaks_off {
            cut_in_half(&mut pieces);
        }
        breaks_off |= self.breaks_off;
        for piece in &mut pieces {
            piece.after = self.stretched(piece.after);
        }
        if self.fault == Some(Fault::Limit) {
            breaks_off = cut_at(&mut pieces, self.limit, self.delay);
        }
        let announced = announced.then_some(length as u64);
        let body = Body::new(Paced::new(pieces, breaks_off, announced, ticket));
        let mut response = Response::new(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    }
}

impl Answer {
    /// A body in one piece.
    pub fn whole(content_type: &'static str, body: impl Into<Bytes>, garbage: &'static [u8]) -> Self {
        let pieces = vec![Piece { after: Duration::ZERO, bytes: body.into() }];
        Self { content_type, pieces, announced: true, garbage: Bytes::from_static(garbage) }
    }
}

/// A response that closes the connection instead.
pub fn unanswered() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(CloseUnanswered);
    response
}

/// A web page in place of an answer.
pub fn page() -> Response<Body> {
    let mut response =
        Response::new(Body::from("<!doctype html><title>welcome</title><p>You are not connected."));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    response
}

const HTML: &str = "text/html";

/// Leaves what comes before the limit, of an answer whose first byte comes after `delay`; says whether that is not all.
fn cut_at(pieces: &mut Vec<Piece>, limit: Limit, delay: Duration) -> bool {
    let (mut time, mut bytes) = (delay, 0);
    let most = limit.bytes.map_or(usize::MAX, |bytes| bytes as usize);
    for (n, piece) in pieces.iter_mut().enumerate() {
        time += piece.after;
        bytes += piece.bytes.len();
        if time >= limit.after || bytes > most {
            let left = piece.bytes.len().saturating_sub(bytes.saturating_sub(most));
            piece.bytes.truncate(if time >= limit.after { 0 } else { left });
            piece.after = piece.after.saturating_sub(time.saturating_sub(limit.after));
            pieces.truncate(n + 1);
            return true;
        }
    }
    false
}

/// Leaves the first half.
pub fn cut_in_half(pieces: &mut Vec<Piece>) {
    if let [only] = pieces.as_mut_slice() {
        only.bytes.truncate(only.bytes.len() / 2);
    } else {
        pieces.truncate(pieces.len() / 2);
    }
}

impl Paced {
    fn new(pieces: Vec<Piece>, breaks_off: bool, announced: Option<u64>, mut ticket: Ticket) -> Self {
        let first = pieces.first().map_or(BEFORE_THE_CUT, |piece| piece.after);
        if pieces.is_empty() && !breaks_off {
            ticket.answered();
        }
        Self {
            pieces: pieces.into(),
            timer: Box::pin(tokio::time::sleep(first)),
            breaks_off,
            ticket,
            announced,
        }
    }

    /// Takes the piece whose time has come, and sets the timer for the next: from when this one was due, so that late
    /// wake-ups do not add up.
    fn take(&mut self, piece: Piece) -> Frame<Bytes> {
        let due: Instant = self.timer.deadline();
        if let Some(next) = self.pieces.front() {
            self.timer.as_mut().reset(due + next.after);
        } else if self.breaks_off {
            self.timer.as_mut().reset(due + BEFORE_THE_CUT);
        } else {
            // Behind an announced length nobody asks for the end.
            self.ticket.answered();
        }
        if let Some(left) = &mut self.announced {
            *left -= piece.bytes.len() as u64;
        }
        Frame::data(piece.bytes)
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if this.pieces.is_empty() && !this.breaks_off {
            return Poll::Ready(None);
        }
        if this.pieces.front().is_none_or(|piece| !piece.after.is_zero()) {
            ready!(this.timer.as_mut().poll(cx));
        }
        let Some(piece) = this.pieces.pop_front() else {
            this.ticket.answered();
            return Poll::Ready(Some(Err(io::Error::other("a failure that was asked for"))));
        };
        Poll::Ready(Some(Ok(this.take(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.breaks_off
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
