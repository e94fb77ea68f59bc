//! The socket of a service that hears: its messages at their times, its failures, its end.

use super::fate::Fate;
use super::fault::{Fault, Limit};
use super::mocks::Mocks;
use super::paced::Failure;
use super::stats::{Service, Ticket};
use super::upgrade::Handshake;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// What tells one service's socket from another's.
pub trait Listener: Send + 'static {
    /// Text that is none of the protocol.
    const GARBAGE: &'static str;
    /// How long a client may send nothing, and what it is told then.
    const PATIENCE: Option<(Duration, &'static str)> = None;

    /// With what it is closed at its limit.
    const LIMIT_CODE: CloseCode = CloseCode::Error;

    /// The socket is open.
    fn open(&mut self, say: &mut Vec<Say>) {
        let _ = say;
    }

    /// A message comes.
    fn take(&mut self, message: &Message, say: &mut Vec<Say>);

    /// The longest that the service itself lets a socket live.
    fn longest(&self) -> Option<Duration> {
        None
    }

    /// What is said before the socket is closed at its limit.
    fn expire(&mut self) -> Option<String> {
        None
    }
}

/// What is to be said, none of it before what was to be said earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// After the service's delay.
    Text(String),
    /// The words of an utterance: after the delay, and where failures strike.
    Words(String),
    /// At once.
    Now(String),
    /// The socket is closed.
    Close(CloseCode, &'static str),
}

/// A handshake that came.
#[derive(Debug)]
pub struct Opening {
    mocks: Arc<Mocks>,
    /// The request.
    pub ticket: Ticket,
    /// What becomes of it.
    pub fate: Fate,
    came: Instant,
}

impl Opening {
    /// Of a request for `service`.
    pub fn new(mocks: &Arc<Mocks>, service: Service) -> Self {
        let ticket = mocks.arrived(service);
        let fate = mocks.fate_of_part(&ticket, 0, Fault::is_of_sockets);
        Self { mocks: mocks.clone(), ticket, fate, came: Instant::now() }
    }

    /// The request has mistakes.
    pub fn reject(mut self, response: Response<Body>) -> Response<Body> {
        self.ticket.rejected();
        response
    }

    /// Answers the handshake, or fails as was asked for; the socket lives on in a task.
    pub async fn accept(
        mut self,
        handshake: Handshake,
        listener: impl Listener,
        refuse: impl FnOnce(StatusCode) -> Response<Body>,
    ) -> Response<Body> {
        // A handshake is answered at once unless it fails: the delay is that of results.
        if self.fate.fault.is_some_and(Fault::is_of_handshakes)
            && let Err(failure) = self.fate.first_byte(self.came).await
        {
            self.ticket.answered();
            return failure.respond(refuse);
        }
        let (response, socket) = handshake.answer();
        let conversation = Conversation::new(self.mocks, self.ticket, listener, &self.fate);
        tokio::spawn(async move {
            // A client that is gone before the upgrade counts as one that has given up.
            if let Ok(socket) = socket.await {
                conversation.serve(socket).await;
            }
        });
        response
    }
}

/// A socket after its handshake.
#[derive(Debug)]
struct Conversation<L> {
    mocks: Arc<Mocks>,
    ticket: Ticket,
    listener: L,
    /// Of what is no utterance: it never fails.
    fate: Fate,
    utterances: u64,
    outgoing: VecDeque<(Instant, Outgoing)>,
    /// What the client may send at most, and until when.
    bytes_left: Option<u64>,
    until: Option<Instant>,
    /// It says nothing behind its greeting.
    falls_silent: bool,
    /// A failure has made it silent.
    mute: bool,
    /// It says what is on its way, and heeds no more.
    closing: bool,
}

#[derive(Debug)]
enum Outgoing {
    Message(Message),
    Close(CloseCode, &'static str),
    /// The connection ends without a word.
    Cut,
}

/// What clients of a socket are told when it comes to its limit.
const LIMIT_REACHED: &str = "the session has reached its limit";

/// By how much later words are told that come too late: beyond what clients wait where they have a guess.
const LATENESS: Duration = Duration::from_millis(1_200);

/// What no text is.
const BYTES: [u8; 4] = [0, 159, 146, 150];

impl<L: Listener> Conversation<L> {
    fn new(mocks: Arc<Mocks>, ticket: Ticket, listener: L, opening: &Fate) -> Self {
        let limit: Option<Limit> = (opening.fault == Some(Fault::Limit)).then_some(opening.limit);
        let falls_silent = opening.fault == Some(Fault::Mute);
        let fate = mocks.fate_of_part(&ticket, 0, |_| false);
        let longest = limit.map(|limit| limit.after).into_iter().chain(listener.longest()).min();
        Self {
            mocks,
            ticket,
            listener,
            fate,
            utterances: 0,
            outgoing: VecDeque::new(),
            bytes_left: limit.and_then(|limit| limit.bytes),
            until: longest.map(|longest| Instant::now() + longest),
            falls_silent,
            mute: false,
            closing: false,
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut socket: WebSocketStream<S>) {
        let mut said = Vec::new();
        self.listener.open(&mut said);
        self.say_all(said);
        self.mute = self.falls_silent;
        let mut last_heard = Instant::now();
        loop {
            let patience = L::PATIENCE.filter(|_| !self.closing).map(|(time, _)| last_heard + time);
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Close(_))) => {
                        self.ticket.answered();
                        return farewell(&mut socket).await;
                    }
                    Some(Ok(message)) => {
                        last_heard = Instant::now();
                        self.take(&message);
                    }
                    // The client is gone: it counts as one that has given up, unless all was said.
                    Some(Err(_)) | None => return,
                },
                Some((_, outgoing)) = next(&mut self.outgoing) => {
                    if self.send(&mut socket, outgoing).await.is_none() {
                        return;
                    }
                }
                () = at(self.until) => self.expire(),
                () = at(patience) => self.out_of_patience(),
            }
        }
    }

    fn take(&mut self, message: &Message) {
        if self.closing {
            return;
        }
        let mut said = Vec::new();
        self.listener.take(message, &mut said);
        self.say_all(said);
        if let Some(left) = &mut self.bytes_left {
            *left = left.saturating_sub(message.len() as u64);
            if *left == 0 {
                self.expire();
            }
        }
    }

    fn say_all(&mut self, said: Vec<Say>) {
        for say in said {
            match say {
                Say::Text(text) => self.say(self.fate.delay, Outgoing::Message(Message::text(text))),
                Say::Words(text) => self.say_words(text),
                Say::Now(text) => self.say(Duration::ZERO, Outgoing::Message(Message::text(text))),
                Say::Close(code, reason) => self.close(code, reason),
            }
        }
    }

    fn say_words(&mut self, text: String) {
        self.utterances += 1;
        self.ticket.utterance();
        let of_utterances = |fault: Fault| !fault.is_of_sockets();
        let fate = self.mocks.fate_of_part(&self.ticket, self.utterances, of_utterances);
        let outgoing = match fate.fault {
            Some(Fault::Hang) => {
                self.outgoing.clear();
                self.mute = true;
                return;
            }
            Some(Fault::Cut) => Outgoing::Cut,
            Some(Fault::Garbage) => Outgoing::Message(Message::text(L::GARBAGE)),
            Some(Fault::Type) => Outgoing::Message(Message::binary(BYTES.to_vec())),
            Some(Fault::Unanswered) => return,
            Some(Fault::Late) => {
                return self.say(fate.delay + LATENESS, Outgoing::Message(Message::text(text)));
            }
            Some(Fault::Twice) => {
                self.say(fate.delay, Outgoing::Message(Message::text(text.clone())));
                Outgoing::Message(Message::text(text))
            }
            _ => Outgoing::Message(Message::text(text)),
        };
        self.say(fate.delay, outgoing);
    }

    /// Sends it after `delay`, and not before what was to be sent earlier.
    fn say(&mut self, delay: Duration, outgoing: Outgoing) {
        if self.mute {
            return;
        }
        let due = Instant::now() + delay;
        let due = self.outgoing.back().map_or(due, |(before, _)| due.max(*before));
        self.outgoing.push_back((due, outgoing));
    }

    fn close(&mut self, code: CloseCode, reason: &'static str) {
        self.say(Duration::ZERO, Outgoing::Close(code, reason));
        self.closing = true;
    }

    /// The socket has come to its limit: what is on its way is not said.
    fn expire(&mut self) {
        (self.until, self.bytes_left) = (None, None);
        self.outgoing.clear();
        if let Some(text) = self.listener.expire() {
            self.say(Duration::ZERO, Outgoing::Message(Message::text(text)));
        }
        self.close(L::LIMIT_CODE, LIMIT_REACHED);
    }

    fn out_of_patience(&mut self) {
        let reason = L::PATIENCE.map_or("", |(_, reason)| reason);
        self.close(CloseCode::Error, reason);
        // Also one that a failure has made silent.
        self.mute = false;
    }

    /// `None` when that was the end.
    async fn send<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut WebSocketStream<S>,
        outgoing: Outgoing,
    ) -> Option<()> {
        match outgoing {
            Outgoing::Message(message) => socket.send(message).await.ok(),
            Outgoing::Cut => {
                self.ticket.answered();
                None
            }
            Outgoing::Close(code, reason) => {
                self.ticket.answered();
                socket.close(Some(CloseFrame { code, reason: reason.into() })).await.ok()?;
                farewell(socket).await;
                None
            }
        }
    }
}

impl Failure {
    /// The response; one with a status is the service's own.
    pub fn respond(self, refuse: impl FnOnce(StatusCode) -> Response<Body>) -> Response<Body> {
        match self {
            Self::Refused => super::paced::unanswered(),
            Self::Page => super::paced::page(),
            Self::Status(status) => refuse(status),
        }
    }
}

/// Answers what is left of the closing handshake, until the client is gone.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    while let Some(Ok(_)) = socket.next().await {}
}

/// The first in the queue, at its time; never from an empty one.
pub async fn next<T>(outgoing: &mut VecDeque<(Instant, T)>) -> Option<(Instant, T)> {
    match outgoing.front() {
        Some((due, _)) => sleep_until(*due).await,
        None => std::future::pending().await,
    }
    outgoing.pop_front()
}

/// At its time, if there is one.
pub async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
