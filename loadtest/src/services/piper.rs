//! Piper's HTTP servers: three generations that share a name.
//!
//! A complete WAV file answers all of them, with the content type that Flask gives to whatever it does not know.
//! What fails is answered with Flask's page for the status, as their servers raise where they mean to refuse.

use super::config::{Generation, Tts};
use super::mocks::Mocks;
use super::paced::{Answer, Piece};
use super::stats::Service;
use super::tone::Tone;
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The one voice; others are spoken with it, as the servers do.
const VOICE: &str = "en_US-mock-medium";

/// The content type of all that is no JSON.
const HTML: &str = "text/html; charset=utf-8";

/// What is sent together, of speech that is not sent at once.
const PIECE_MS: u64 = 100;

/// No WAV file.
const GARBAGE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x01\x02\x03";

/// What is to be spoken.
#[derive(Debug, PartialEq)]
struct Text {
    text: String,
    length_scale: f64,
}

/// A request that the server has no answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// No such path.
    NotFound,
    /// Not with this method.
    Method,
    /// The server fails over it, as the real ones do.
    Fails,
    /// There is a page for people.
    Page,
}

/// `GET` and `POST` of `/`, and `POST /synthesize`.
pub async fn speak(
    State(mocks): State<Arc<Mocks>>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let complete = Instant::now();
    let generation = mocks.config.tts.generation;
    let text = match Text::read(generation, &method, uri.path(), query.as_deref(), &body) {
        Ok(text) => text,
        Err(refusal @ (Refusal::Page | Refusal::Method | Refusal::NotFound)) => {
            return refusal.into_response();
        }
        Err(refusal) => {
            mocks.arrived(Service::Tts).rejected();
            return refusal.into_response();
        }
    };
    let mut ticket = mocks.arrived(Service::Tts);
    let fate = mocks.fate(&ticket);
    match fate.first_byte(complete).await {
        Ok(()) => fate.respond(ticket, text.answer(&mocks.config.tts, &mocks.tone)),
        Err(failure) => {
            ticket.answered();
            failure.respond(page)
        }
    }
}

/// `GET /voices`.
pub async fn voices(State(mocks): State<Arc<Mocks>>) -> Response<Body> {
    match mocks.config.tts.generation {
        Generation::Legacy => Refusal::NotFound.into_response(),
        _ => Json(json!({ VOICE: voice(&mocks.config.tts) })).into_response(),
    }
}

/// `GET /info`.
pub async fn info(State(mocks): State<Arc<Mocks>>) -> Response<Body> {
    match mocks.config.tts.generation {
        Generation::Legacy | Generation::RootJson => Refusal::NotFound.into_response(),
        Generation::Any | Generation::Synthesize => {
            let voice = json!({"name": VOICE, "language": "en-us", "num_speakers": 1});
            Json(json!({"voice": voice, "last": null})).into_response()
        }
    }
}

/// What Piper's configuration of a voice has and clients look at.
fn voice(tts: &Tts) -> Value {
    json!({
        "audio": {"sample_rate": tts.rate_hz, "quality": "medium"},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "num_symbols": 256, "num_speakers": 1, "speaker_id_map": {}, "piper_version": "1.0.0",
        "language": {"code": "en_US", "family": "en", "region": "US"},
        "dataset": "mock",
    })
}

impl Text {
    fn read(
        generation: Generation,
        method: &Method,
        path: &str,
        query: Option<&str>,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        use Generation::{Any, Legacy, RootJson, Synthesize};
        let looks_like_json = body.trim_ascii_start().starts_with(b"{");
        match (generation, path, method) {
            (Any | Synthesize, "/synthesize", &Method::POST) => Self::json(body),
            (Any | Synthesize, "/synthesize", _) => Err(Refusal::Method),
            (_, "/synthesize", _) => Err(Refusal::NotFound),
            (Any | Legacy, _, &Method::GET) => match asked_in(query) {
                None if generation == Any => Err(Refusal::Page),
                text => Self::plain(&text.unwrap_or_default()),
            },
            (Synthesize, _, &Method::GET) => Err(Refusal::Page),
            (RootJson, _, &Method::POST) => Self::json(body),
            (Any, _, &Method::POST) if looks_like_json => Self::json(body),
            (Any | Legacy, _, &Method::POST) => {
                Self::plain(std::str::from_utf8(body).map_err(|_| Refusal::Fails)?)
            }
            _ => Err(Refusal::Method),
        }
    }

    fn plain(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Refusal::Fails);
        }
        Ok(Self { text: text.to_owned(), length_scale: 1.0 })
    }

    fn json(body: &[u8]) -> Result<Self, Refusal> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::Fails)?;
        let text = Self::plain(body["text"].as_str().unwrap_or_default())?;
        let length_scale = match &body["length_scale"] {
            Value::Null => 1.0,
            scale => scale.as_f64().filter(|scale| (0.1..=10.0).contains(scale)).ok_or(Refusal::Fails)?,
        };
        Ok(Self { length_scale, ..text })
    }

    fn answer(&self, tts: &Tts, tone: &Tone) -> Answer {
        let characters = self.text.chars().count() as f64;
        let milliseconds = (characters * f64::from(tts.character_ms) * self.length_scale) as u64;
        let samples = tone.samples(milliseconds);
        let piece = if tts.speed.is_some() { tone.samples(PIECE_MS) } else { samples.max(1) };
        let pause = tts.speed.map_or(Duration::ZERO, |speed| Duration::from_millis(PIECE_MS).div_f64(speed));
        let header = Bytes::copy_from_slice(&tone.header(samples));
        let mut pieces = vec![Piece { after: Duration::ZERO, bytes: header }];
        for from in (0..samples).step_by(piece as usize) {
            // The first piece goes out with the header, and a piece in parts is still one piece.
            let mut after = if from == 0 { Duration::ZERO } else { pause };
            for bytes in tone.slice(from, samples.min(from + piece)) {
                pieces.push(Piece { after: std::mem::take(&mut after), bytes });
            }
        }
        Answer { content_type: HTML, pieces, announced: true, garbage: Bytes::from_static(GARBAGE) }
    }
}

/// The text of a query; `None` without one.
fn asked_in(query: Option<&str>) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    pairs.find(|(key, _)| key == "text").map(|(_, text)| text.into_owned())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        match self {
            Self::NotFound => page(StatusCode::NOT_FOUND),
            Self::Method => page(StatusCode::METHOD_NOT_ALLOWED),
            Self::Fails => page(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Page => page(StatusCode::OK),
        }
    }
}

fn page(status: StatusCode) -> Response<Body> {
    let title = if status == StatusCode::OK { "Piper".to_owned() } else { status.to_string() };
    let html = format!("<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{title}</h1>\n");
    (status, [(CONTENT_TYPE, HTML)], html).into_response()
}

/// For whatever is not served at all.
pub async fn not_found(_: Request<Body>) -> Response<Body> {
    Refusal::NotFound.into_response()
}
