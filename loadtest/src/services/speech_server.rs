//! A speech server's socket: s16le at 16 kHz up, chunks of WAV and words in JSON down. It finds the ends of turns by
//! itself, by loudness, and answers unasked. Delays, failures and words are those of the model that hears and speaks.

use super::fault::Fault;
use super::mocks::Mocks;
use super::openai::{ApiError, authorize};
use super::paced::{Failure, page, unanswered};
use super::realtime::{Coding, Ear, Found};
use super::stats::{Service, Ticket};
use super::tone::Tone;
use super::upgrade::{Handshake, Socket};
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

/// Answers the handshake; the socket lives on in a task.
pub async fn talk(State(mocks): State<Arc<Mocks>>, mut request: Request<Body>) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(Service::Realtime);
    let fate = mocks.fate_of_part(&ticket, 0, Fault::is_of_handshakes);
    let accepted = authorize(&mocks, request.headers())
        .and_then(|()| Handshake::read(&mut request).map_err(|why| ApiError::invalid(why, None, None)));
    let handshake = match accepted {
        Ok(handshake) => handshake,
        Err(refused) => {
            ticket.rejected();
            return refused.into_response();
        }
    };
    if fate.fault.is_some()
        && let Err(failure) = fate.first_byte(complete).await
    {
        ticket.answered();
        return match failure {
            Failure::Refused => unanswered(),
            Failure::Page => page(),
            Failure::Status(status) => ApiError::injected(status).into_response(),
        };
    }
    let (response, socket) = handshake.answer();
    tokio::spawn(async move {
        if let Ok(socket) = socket.await {
            let ear = Ear::listening(SILENCE);
            Session { mocks, ticket, ear, turns: 0, outgoing: VecDeque::new() }.serve(socket).await;
        }
    });
    response
}

struct Session {
    mocks: Arc<Mocks>,
    ticket: Ticket,
    ear: Ear,
    turns: u64,
    /// `None`: the connection ends.
    outgoing: VecDeque<(Instant, Option<Message>)>,
}

/// Silence that ends a turn.
const SILENCE: Duration = Duration::from_millis(500);

/// Audio of one chunk.
const CHUNK_MS: u64 = 400;

impl Session {
    async fn serve(mut self, mut socket: Socket) {
        loop {
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Binary(audio))) => self.hear(&audio),
                    Some(Ok(Message::Close(_))) => return self.ticket.answered(),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
                Some((_, outgoing)) = next(&mut self.outgoing) => match outgoing {
                    Some(message) => {
                        if socket.send(message).await.is_err() {
                            return;
                        }
                    }
                    None => return self.ticket.answered(),
                },
            }
        }
    }

    fn hear(&mut self, audio: &[u8]) {
        for found in self.ear.hear(audio, Coding::Pcm16k) {
            match found {
                // It is interrupted by whoever speaks.
                Found::Started { .. } => self.outgoing.clear(),
                Found::Stopped { .. } => self.answer(),
            }
        }
    }

    fn answer(&mut self) {
        let (config, number) = (&self.mocks.config, self.turns);
        self.turns += 1;
        self.ticket.utterance();
        self.ear.take(Coding::Pcm16k);
        let of = |texts: &[String]| texts[(number % texts.len() as u64) as usize].clone();
        let (said, reply) = (of(config.realtime_texts()), of(config.realtime_replies()));
        let fate = self.mocks.fate_of_part(&self.ticket, self.turns, |fault| !fault.is_of_handshakes());
        let words = |role: &str, text: &str| {
            Message::text(
                json!({"type": "transcript", "role": role, "text": text, "final": true}).to_string(),
            )
        };
        let heard = Instant::now() + Duration::from_millis(config.realtime.transcript_ms);
        self.outgoing.push_back((heard, Some(words("user", &said))));
        let mut at = Instant::now().max(heard) + fate.delay;
        match fate.fault {
            Some(Fault::Hang) => return,
            Some(Fault::Limit) => return self.outgoing.push_back((Instant::now() + fate.limit.after, None)),
            Some(Fault::Type) => return self.outgoing.push_back((at, Some(Message::binary(&b"<html>"[..])))),
            Some(Fault::Garbage) => return self.outgoing.push_back((at, Some(Message::text("{\"type\":")))),
            _ => self.outgoing.push_back((at, Some(words("assistant", &reply)))),
        }
        let whole_ms = u64::from(config.tts.character_ms) * reply.chars().count() as u64;
        let pace = fate.stretched(Duration::from_millis(CHUNK_MS).div_f64(config.realtime.speed));
        let chunks: Vec<_> = (0..whole_ms.div_ceil(CHUNK_MS)).map(|n| self.chunk(n, whole_ms)).collect();
        let upto = if fate.fault == Some(Fault::Cut) { chunks.len() / 2 } else { chunks.len() };
        for chunk in chunks.into_iter().take(upto) {
            self.outgoing.push_back((at, Some(Message::Binary(chunk))));
            at += pace;
        }
        let end = Message::text(json!({"type": "audio_end"}).to_string());
        self.outgoing.push_back((at, (fate.fault != Some(Fault::Cut)).then_some(end)));
    }

    /// A WAV file by itself.
    fn chunk(&self, number: u64, whole_ms: u64) -> Bytes {
        let tone: &Tone = &self.mocks.tone;
        let from = tone.samples(number * CHUNK_MS);
        let to = tone.samples(((number + 1) * CHUNK_MS).min(whole_ms));
        let mut file = tone.header(to - from).to_vec();
        tone.slice(from, to).for_each(|piece| file.extend_from_slice(&piece));
        file.into()
    }
}

/// The first in the queue, at its time; never from an empty one.
async fn next(outgoing: &mut VecDeque<(Instant, Option<Message>)>) -> Option<(Instant, Option<Message>)> {
    match outgoing.front() {
        Some((due, _)) => sleep_until(*due).await,
        None => std::future::pending().await,
    }
    outgoing.pop_front()
}
