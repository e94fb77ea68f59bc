//! What voices on sockets have in common: a tone for speech, and messages that are sent each at its time.

pub mod elevenlabs;
pub mod sonic;
pub mod speak;

use super::fate::Fate;
use super::fault::Fault;
use super::mocks::Mocks;
use super::paced::{Failure, unanswered};
use super::stats::{Service, Ticket};
use super::tone::Tone;
use super::upgrade::Handshake;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use ringway_frame::SampleRate;
use ringway_wire::g711;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// How a voice's audio is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// s16le.
    Pcm,
    /// G.711 mu-law.
    Mulaw,
}

/// The speech of one socket.
#[derive(Debug)]
pub struct Voice {
    tone: Tone,
    coding: Coding,
    character_ms: u32,
}

/// A piece of speech, as services cut it.
#[derive(Debug)]
pub struct Spoken {
    /// Its text.
    pub text: String,
    /// Its audio.
    pub audio: Bytes,
}

/// Characters of a piece: some words.
const PIECE_CHARACTERS: usize = 20;

impl Voice {
    /// At a rate and in a coding.
    pub fn new(rate: SampleRate, coding: Coding, character_ms: u32) -> Self {
        Self { tone: Tone::new(rate.hz()), coding, character_ms }
    }

    /// A text in pieces.
    pub fn pieces(&self, text: &str) -> Vec<Spoken> {
        let characters: Vec<char> = text.chars().collect();
        let pieces = characters.chunks(PIECE_CHARACTERS).enumerate();
        pieces.map(|(n, piece)| self.piece(n * PIECE_CHARACTERS, piece)).collect()
    }

    /// How long a character is spoken.
    pub const fn character(&self) -> Duration {
        Duration::from_millis(self.character_ms as u64)
    }

    fn piece(&self, from: usize, characters: &[char]) -> Spoken {
        let at = |character: usize| self.tone.samples(character as u64 * u64::from(self.character_ms));
        let bytes: Vec<u8> = self.tone.slice(at(from), at(from + characters.len())).flatten().collect();
        let audio = match self.coding {
            Coding::Pcm => bytes,
            Coding::Mulaw => {
                let samples = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
                let samples: Vec<i16> = samples.collect();
                let mut mulaw = vec![0; samples.len()];
                g711::encode(&samples, &mut mulaw);
                mulaw
            }
        };
        Spoken { text: characters.iter().collect(), audio: audio.into() }
    }
}

/// What one voice makes of messages.
pub trait Protocol: Send + 'static {
    /// Takes in a message of the client.
    fn take(&mut self, text: &str, out: &mut Outbox);

    /// How long a client may send nothing, and what it is then told.
    fn patience(&self) -> Option<(Duration, &'static str)> {
        None
    }
}

/// What is to be sent, each at its time.
#[derive(Debug)]
pub struct Outbox {
    mocks: Arc<Mocks>,
    ticket: Ticket,
    utterances: u64,
    queue: VecDeque<Outgoing>,
    /// A failure has made it silent.
    mute: bool,
    closing: bool,
}

#[derive(Debug)]
struct Outgoing {
    due: Instant,
    /// Of which utterance, for those that can be cancelled.
    context: String,
    what: What,
}

/// What is to be sent.
#[derive(Debug)]
pub enum What {
    /// JSON.
    Text(String),
    /// Audio.
    Audio(Bytes),
    /// The closing handshake.
    Close(CloseCode, String),
    /// The connection ends without a word.
    Cut,
}

/// No JSON.
const GARBAGE: &str = "{\"type\":\"chunk\",\"audio\":\"";

impl Outbox {
    fn new(mocks: Arc<Mocks>, ticket: Ticket) -> Self {
        Self { mocks, ticket, utterances: 0, queue: VecDeque::new(), mute: false, closing: false }
    }

    /// Something that is no speech, now.
    pub fn say(&mut self, context: &str, what: What) {
        self.put(Instant::now(), context, what);
    }

    /// An utterance: its messages, after the delay of the voice and faster than they are spoken, or as it fails.
    pub fn speak(&mut self, context: &str, mut messages: Vec<What>) {
        self.utterances += 1;
        self.ticket.utterance();
        let may = |fault: Fault| !fault.is_of_handshakes();
        let fate = self.mocks.fate_of_part(&self.ticket, self.utterances, may);
        match fate.fault {
            Some(Fault::Hang) => {
                self.queue.clear();
                self.mute = true;
            }
            Some(Fault::Garbage) => messages = vec![What::Text(GARBAGE.into())],
            Some(Fault::Cut) => {
                messages.truncate(messages.len() / 2);
                messages.push(What::Cut);
            }
            _ => {}
        }
        let due = Instant::now() + fate.delay;
        for (n, what) in messages.into_iter().enumerate() {
            self.put(due + self.pause(&fate) * n as u32, context, what);
        }
    }

    /// Forgets what an utterance still had to say.
    pub fn cancel(&mut self, context: &str) {
        self.queue.retain(|outgoing| outgoing.context != context);
    }

    /// Closes the socket when all was said.
    pub fn close(&mut self, code: CloseCode, reason: &str) {
        if !std::mem::replace(&mut self.closing, true) {
            self.put(Instant::now(), "", What::Close(code, reason.to_owned()));
        }
    }

    fn pause(&self, fate: &Fate) -> Duration {
        let speed = self.mocks.config.tts.speed;
        fate.stretched(speed.map_or(Duration::ZERO, |speed| PIECE.div_f64(speed)))
    }

    /// Not before what was to be sent earlier.
    fn put(&mut self, due: Instant, context: &str, what: What) {
        if !self.mute {
            let due = self.queue.back().map_or(due, |before| due.max(before.due));
            self.queue.push_back(Outgoing { due, context: context.to_owned(), what });
        }
    }

    /// The first in the queue, at its time; never from an empty one.
    async fn next(&mut self) -> Option<What> {
        match self.queue.front() {
            Some(first) => sleep_until(first.due).await,
            None => std::future::pending().await,
        }
        self.queue.pop_front().map(|first| first.what)
    }
}

/// What is sent together, of speech that is not sent at once.
const PIECE: Duration = Duration::from_millis(100);

/// How a handshake is refused, in the service's own form.
pub type Refuse = fn(StatusCode, &str) -> Response<Body>;

/// Answers a handshake, and serves its socket in a task.
pub async fn open<P: Protocol>(
    mocks: Arc<Mocks>,
    service: Service,
    mut request: Request<Body>,
    refuse: Refuse,
    read: impl FnOnce(&Mocks, &Request<Body>) -> Result<P, (StatusCode, String)>,
) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(service);
    let fate = mocks.fate_of_part(&ticket, 0, Fault::is_of_handshakes);
    let accepted = read(&mocks, &request).and_then(|protocol| {
        let handshake = Handshake::read(&mut request);
        Ok((protocol, handshake.map_err(|why| (StatusCode::BAD_REQUEST, why.to_owned()))?))
    });
    let (protocol, handshake) = match accepted {
        Ok(accepted) => accepted,
        Err((status, why)) => {
            ticket.rejected();
            return refuse(status, &why);
        }
    };
    // A handshake is answered at once unless it fails: the delay is that of speech.
    if fate.fault.is_some()
        && let Err(failure) = fate.first_byte(complete).await
    {
        ticket.answered();
        return match failure {
            Failure::Refused => unanswered(),
            Failure::Page => super::paced::page(),
            Failure::Status(status) => {
                refuse(status, &format!("The mock was told to fail with {}.", status.as_u16()))
            }
        };
    }
    let (response, socket) = handshake.answer();
    let out = Outbox::new(mocks, ticket);
    tokio::spawn(async move {
        // A client that is gone before the upgrade counts as one that has given up.
        if let Ok(socket) = socket.await {
            serve(protocol, out, socket).await;
        }
    });
    response
}

async fn serve<P: Protocol, S: AsyncRead + AsyncWrite + Unpin>(
    mut protocol: P,
    mut out: Outbox,
    mut socket: WebSocketStream<S>,
) {
    let mut last_heard = Instant::now();
    loop {
        let patience = protocol.patience().filter(|_| !out.closing);
        let until = last_heard + patience.map_or(Duration::ZERO, |(limit, _)| limit);
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    last_heard = Instant::now();
                    if !out.closing {
                        protocol.take(&text, &mut out);
                    }
                }
                Some(Ok(Message::Close(_))) => {
                    out.ticket.answered();
                    return farewell(&mut socket).await;
                }
                Some(Ok(_)) => last_heard = Instant::now(),
                // The client is gone: it counts as one that has given up, unless all was said.
                Some(Err(_)) | None => return,
            },
            Some(what) = out.next() => {
                if send(&mut out, &mut socket, what).await.is_none() {
                    return;
                }
            }
            () = sleep_until(until), if patience.is_some() => {
                out.close(CloseCode::Policy, patience.map_or("", |(_, why)| why));
            }
        }
    }
}

/// `None` when that was the end.
async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    out: &mut Outbox,
    socket: &mut WebSocketStream<S>,
    what: What,
) -> Option<()> {
    match what {
        What::Text(text) => socket.send(Message::text(text)).await.ok(),
        What::Audio(audio) => socket.send(Message::binary(audio)).await.ok(),
        What::Cut => {
            out.ticket.answered();
            None
        }
        What::Close(code, reason) => {
            out.ticket.answered();
            socket.close(Some(CloseFrame { code, reason: reason.into() })).await.ok()?;
            farewell(socket).await;
            None
        }
    }
}

/// Answers what is left of the closing handshake, until the client is gone.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    while let Some(Ok(_)) = socket.next().await {}
}
