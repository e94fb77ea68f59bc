//! Cartesia's streaming recogniser that is told where an utterance ends, `GET /stt/websocket`, after its published
//! description (`asyncapi.yml`) and documents.

use super::deepgram::options::Encoding;
use super::hearing::Hearing;
use super::mocks::Mocks;
use super::socket::{Listener, Opening, Say};
use super::stats::Service;
use super::upgrade::Handshake;
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use axum::response::IntoResponse;
use ringway_frame::SampleRate;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// What a handshake is refused with, and a message of a socket too.
#[derive(Clone, Debug, PartialEq)]
struct Refused {
    status: StatusCode,
    title: &'static str,
    message: String,
}

/// One client's audio.
#[derive(Debug)]
struct Session {
    hearing: Hearing,
    request_id: String,
    last_told: Duration,
    told: usize,
}

/// How often words are told while they may still change.
const INTERIM: Duration = Duration::from_millis(300);

/// Answers the handshake; the socket lives on in a task.
pub async fn listen(
    State(mocks): State<Arc<Mocks>>,
    RawQuery(query): RawQuery,
    mut request: Request<Body>,
) -> Response<Body> {
    let mut opening = Opening::new(&mocks, Service::Cartesia);
    let request_id = super::deepgram::request_id(opening.fate.rng.u128(..));
    let query: HashMap<String, String> =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let accepted = authorize(&mocks, request.headers(), &query)
        .and_then(|()| audio(request.headers(), &query))
        .and_then(|audio| Ok((audio, Handshake::read(&mut request).map_err(Refused::invalid)?)));
    match accepted {
        Ok(((encoding, rate), handshake)) => {
            let hearing = Hearing::new(encoding, rate, mocks.config.socket_texts(Service::Cartesia));
            let session = Session { hearing, request_id, last_told: Duration::ZERO, told: 0 };
            opening.accept(handshake, session, |status| Refused::injected(status).into_response()).await
        }
        Err(refused) => opening.reject(refused.into_response()),
    }
}

/// A bearer's key, one of its own header, or a token in the query.
fn authorize(mocks: &Mocks, headers: &HeaderMap, query: &HashMap<String, String>) -> Result<(), Refused> {
    let Some(wanted) = &mocks.config.api_key else { return Ok(()) };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let given = bearer.or(header("x-api-key")).or(query.get("access_token").map(String::as_str));
    if given == Some(wanted) {
        return Ok(());
    }
    let message = "The API key is missing or wrong.".into();
    Err(Refused { status: StatusCode::UNAUTHORIZED, title: "Unauthorized", message })
}

fn audio(headers: &HeaderMap, query: &HashMap<String, String>) -> Result<(Encoding, SampleRate), Refused> {
    if !headers.contains_key("cartesia-version") && !query.contains_key("cartesia_version") {
        return Err(Refused::invalid("a version is needed: cartesia_version"));
    }
    if query.get("model").is_none_or(String::is_empty) {
        return Err(Refused::invalid("model is needed"));
    }
    let encoding = match query.get("encoding").map(String::as_str) {
        Some("pcm_s16le") => Encoding::Linear16,
        Some("pcm_mulaw") => Encoding::Mulaw,
        _ => return Err(Refused::invalid("encoding: this mock hears pcm_s16le and pcm_mulaw")),
    };
    let hertz = query.get("sample_rate").and_then(|text| text.parse().ok());
    let rate = hertz.filter(|hertz| (8_000..=48_000).contains(hertz)).and_then(SampleRate::new);
    Ok((encoding, rate.ok_or_else(|| Refused::invalid("sample_rate: from 8000 to 48000"))?))
}

impl Session {
    fn transcript(&self, words: &[String], is_final: bool) -> String {
        let text = words.join(" ");
        // Texts are pieces of one: what is put behind another begins with a blank.
        let text = if self.told > 0 && !text.is_empty() { format!(" {text}") } else { text };
        let duration = self.hearing.now.as_millis() as f64 / 1_000.0;
        json!({
            "type": "transcript", "request_id": self.request_id, "text": text, "is_final": is_final,
            "duration": duration, "language": "en",
        })
        .to_string()
    }

    fn note(&self, kind: &str) -> String {
        json!({"type": kind, "request_id": self.request_id}).to_string()
    }

    fn interim(&mut self, say: &mut Vec<Say>) {
        let now = self.hearing.now;
        let Some(speech) = &self.hearing.speech else { return };
        let words = speech.said(now);
        if !words.is_empty() && now.saturating_sub(self.last_told) >= INTERIM {
            say.push(Say::Text(self.transcript(words, false)));
            self.last_told = now;
        }
    }

    fn finalize(&mut self, say: &mut Vec<Say>) {
        if let Some(speech) = self.hearing.end() {
            say.push(Say::Words(self.transcript(speech.words(), true)));
            self.told += 1;
        }
    }

    fn control(&mut self, text: &str, say: &mut Vec<Say>) {
        match text {
            "finalize" => {
                self.finalize(say);
                say.push(Say::Text(self.note("flush_done")));
            }
            // The older name is still heard.
            "close" | "done" => {
                self.finalize(say);
                say.push(Say::Text(self.note("done")));
                say.push(Say::Close(CloseCode::Normal, ""));
            }
            other => {
                let refused = Refused::invalid(format!("{other:?} is none of finalize and close"));
                let mut error = refused.json();
                error["request_id"] = json!(self.request_id);
                say.push(Say::Text(error.to_string()));
            }
        }
    }
}

impl Listener for Session {
    const GARBAGE: &'static str = "{\"type\":\"transcript\",\"text\":\"";

    fn take(&mut self, message: &Message, say: &mut Vec<Say>) {
        match message {
            Message::Binary(audio) => {
                self.hearing.hear(audio);
                self.interim(say);
            }
            Message::Text(text) => self.control(text, say),
            _ => {}
        }
    }
}

impl Refused {
    fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, title: "Bad Request", message: message.into() }
    }

    fn injected(status: StatusCode) -> Self {
        let message = format!("The mock was told to fail with {}.", status.as_u16());
        Self { status, title: "Told to fail", message }
    }

    fn json(&self) -> Value {
        json!({
            "type": "error", "title": self.title, "message": self.message, "status_code": self.status.as_u16(),
        })
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        (self.status, Json(self.json())).into_response()
    }
}
