//! The socket of Deepgram's voice, version 1, after its published description (`asyncapi.yml`) and documents.

use super::{Coding, Outbox, Protocol, Voice, What, open};
use crate::services::mocks::Mocks;
use crate::services::stats::Service;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use ringway_frame::SampleRate;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// One socket.
#[derive(Debug)]
struct Speak {
    voice: Voice,
    model: String,
    text: String,
    sequence: u32,
    flushes: VecDeque<Instant>,
    greeted: bool,
}

/// Flushes that are heeded in each minute.
const MOST_FLUSHES: usize = 20;
const FLUSH_WINDOW: Duration = Duration::from_secs(60);

/// `GET /v1/speak`.
pub async fn speak(State(mocks): State<Arc<Mocks>>, request: Request<Body>) -> Response<Body> {
    open(mocks, Service::Speak, request, refuse, Speak::read).await
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    let code = if status == StatusCode::UNAUTHORIZED { "INVALID_AUTH" } else { "INVALID_QUERY_PARAMETER" };
    (status, Json(json!({"err_code": code, "err_msg": why, "request_id": REQUEST_ID}))).into_response()
}

/// Nobody asks about it.
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

impl Speak {
    fn read(mocks: &Mocks, request: &Request<Body>) -> Result<Self, (StatusCode, String)> {
        let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let key = given.and_then(|value| Some(value.split_once(' ')?.1));
        if mocks.config.api_key.is_some() && key != mocks.config.api_key.as_deref() {
            return Err((StatusCode::UNAUTHORIZED, "Invalid credentials.".into()));
        }
        let query = request.uri().query().unwrap_or_default();
        let given: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let get = |name: &str| given.get(name).map(AsRef::as_ref);
        let invalid = |why: &str| (StatusCode::BAD_REQUEST, why.to_owned());
        let (coding, rates): (_, &[u32]) = match get("encoding").unwrap_or("linear16") {
            "linear16" => (Coding::Pcm, &[8_000, 16_000, 24_000, 32_000, 48_000]),
            "mulaw" => (Coding::Mulaw, &[8_000, 16_000]),
            _ => return Err(invalid("encoding: linear16 and mulaw are made here")),
        };
        let default = if coding == Coding::Mulaw { "8000" } else { "24000" };
        let hz = get("sample_rate").unwrap_or(default).parse().ok().filter(|hz| rates.contains(hz));
        let rate =
            hz.and_then(SampleRate::new).ok_or_else(|| invalid("sample_rate: not with this encoding"))?;
        Ok(Self {
            voice: Voice::new(rate, coding, mocks.config.tts.character_ms),
            model: get("model").unwrap_or("aura-asteria-en").to_owned(),
            text: String::new(),
            sequence: 0,
            flushes: VecDeque::new(),
            greeted: false,
        })
    }

    fn flush(&mut self, out: &mut Outbox) {
        while self.flushes.pop_front_if(|flush| flush.elapsed() > FLUSH_WINDOW).is_some() {}
        if self.flushes.len() == MOST_FLUSHES {
            let why = "Too many flushes: no more are processed within this minute.";
            let warning = json!({"type": "Warning", "description": why, "code": "EXCESSIVE_FLUSH"});
            return out.say("", What::Text(warning.to_string()));
        }
        self.flushes.push_back(Instant::now());
        let text = std::mem::take(&mut self.text);
        let audio = self.voice.pieces(&text).into_iter().map(|piece| What::Audio(piece.audio));
        let flushed = What::Text(self.told("Flushed"));
        out.speak(SPEECH, audio.chain([flushed]).collect());
    }

    fn told(&mut self, kind: &str) -> String {
        let sequence = self.sequence;
        self.sequence += 1;
        json!({"type": kind, "sequence_id": sequence}).to_string()
    }

    fn greet(&mut self, out: &mut Outbox) {
        if !std::mem::replace(&mut self.greeted, true) {
            let metadata = json!({
                "type": "Metadata", "request_id": REQUEST_ID, "model_name": self.model, "model_version": "mock",
                "model_uuid": REQUEST_ID,
            });
            out.say("", What::Text(metadata.to_string()));
        }
    }
}

/// What a Clear forgets.
const SPEECH: &str = "speech";

impl Protocol for Speak {
    fn take(&mut self, text: &str, out: &mut Outbox) {
        self.greet(out);
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        match message["type"].as_str() {
            Some("Speak") => self.text.push_str(message["text"].as_str().unwrap_or_default()),
            Some("Flush") => self.flush(out),
            Some("Clear") => {
                self.text.clear();
                out.cancel(SPEECH);
                let cleared = self.told("Cleared");
                out.say("", What::Text(cleared));
            }
            Some("Close") => {
                if !self.text.is_empty() {
                    self.flush(out);
                }
                out.close(CloseCode::Normal, "");
            }
            _ => {
                let why = "The message is none of Speak, Flush, Clear and Close.";
                let error = json!({"type": "Error", "description": why, "code": "DATA-0000"});
                out.say("", What::Text(error.to_string()));
            }
        }
    }
}
