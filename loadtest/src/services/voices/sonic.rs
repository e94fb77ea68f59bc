//! Cartesia's socket, after the types of its published client and its documents.

use super::{Coding, Outbox, Protocol, Voice, What, open};
use crate::services::mocks::Mocks;
use crate::services::stats::Service;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringway_frame::SampleRate;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// One socket.
#[derive(Debug)]
struct Contexts {
    open: HashMap<String, Context>,
    character_ms: u32,
}

#[derive(Debug)]
struct Context {
    /// All fields that must stay the same.
    settings: Value,
    /// Of the transcripts since the last flush.
    flush_id: u32,
    /// How much was spoken.
    at: Duration,
}

/// `GET /tts/websocket`.
pub async fn websocket(State(mocks): State<Arc<Mocks>>, request: Request<Body>) -> Response<Body> {
    open(mocks, Service::Sonic, request, refuse, Contexts::read).await
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    (status, Json(json!({"title": status.canonical_reason(), "message": why}))).into_response()
}

/// Fields that may differ from one request of a context to the next.
const FREE: [&str; 4] = ["transcript", "continue", "flush", "duration"];

impl Contexts {
    fn read(mocks: &Mocks, request: &Request<Body>) -> Result<Self, (StatusCode, String)> {
        let query = request.uri().query().unwrap_or_default();
        let given: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let key = header("x-api-key").or(bearer).or(given.get("api_key").map(AsRef::as_ref));
        if mocks.config.api_key.is_some() && key != mocks.config.api_key.as_deref() {
            return Err((StatusCode::UNAUTHORIZED, "Invalid API key".into()));
        }
        if !given.contains_key("cartesia_version") && header("cartesia-version").is_none() {
            return Err((StatusCode::BAD_REQUEST, "cartesia_version is missing".into()));
        }
        Ok(Self { open: HashMap::new(), character_ms: mocks.config.tts.character_ms })
    }

    fn generate(&mut self, id: &str, request: &Value, out: &mut Outbox) -> Result<(), &'static str> {
        let voice = self.voice(&request["output_format"])?;
        if request["model_id"].as_str().is_none_or(str::is_empty) || request["voice"]["id"].as_str().is_none()
        {
            return Err("model_id and voice are needed");
        }
        let settings = settings(request);
        let context = self.open.entry(id.to_owned()).or_insert_with(|| Context {
            settings: settings.clone(),
            flush_id: 1,
            at: Duration::ZERO,
        });
        if context.settings != settings {
            return Err("all fields but transcript, continue and flush must stay the same in a context");
        }
        let transcript = request["transcript"].as_str().ok_or("transcript is missing")?;
        if !transcript.trim().is_empty() {
            context.speak(id, transcript, &voice, request["add_timestamps"] == json!(true), out);
        }
        if request["flush"] == json!(true) {
            let done = json!({
                "type": "flush_done", "done": false, "flush_done": true, "flush_id": context.flush_id,
                "status_code": 206, "context_id": id,
            });
            context.flush_id += 1;
            out.say(id, What::Text(done.to_string()));
        }
        if request["continue"] != json!(true) {
            self.open.remove(id);
            let done = json!({"type": "done", "done": true, "status_code": 200, "context_id": id});
            out.say(id, What::Text(done.to_string()));
        }
        Ok(())
    }

    fn voice(&self, format: &Value) -> Result<Voice, &'static str> {
        let coding = match (format["container"].as_str(), format["encoding"].as_str()) {
            (Some("raw"), Some("pcm_s16le")) => Coding::Pcm,
            (Some("raw"), Some("pcm_mulaw")) => Coding::Mulaw,
            _ => return Err("output_format: raw pcm_s16le and pcm_mulaw are made here"),
        };
        let rate = format["sample_rate"].as_u64().and_then(|hz| SampleRate::new(u32::try_from(hz).ok()?));
        let rate = rate.filter(|rate| (8_000..=48_000).contains(&rate.hz())).ok_or("sample_rate is wrong")?;
        Ok(Voice::new(rate, coding, self.character_ms))
    }
}

impl Context {
    fn speak(&mut self, id: &str, transcript: &str, voice: &Voice, timestamps: bool, out: &mut Outbox) {
        let mut messages = Vec::new();
        for piece in voice.pieces(transcript) {
            messages.push(What::Text(
                json!({
                    "type": "chunk", "data": STANDARD.encode(&piece.audio), "done": false, "status_code": 206,
                    "step_time": 12.5, "context_id": id, "flush_id": self.flush_id,
                })
                .to_string(),
            ));
        }
        if timestamps {
            let times = self.words(transcript, voice);
            messages.push(What::Text(
                json!({
                    "type": "timestamps", "done": false, "status_code": 206, "context_id": id,
                    "flush_id": self.flush_id, "word_timestamps": times,
                })
                .to_string(),
            ));
        }
        self.at += voice.character() * transcript.chars().count() as u32;
        out.speak(id, messages);
    }

    /// Times count from the first audio of the context.
    fn words(&self, transcript: &str, voice: &Voice) -> Value {
        let (mut words, mut start, mut end, mut at) = (Vec::new(), Vec::new(), Vec::new(), self.at);
        for word in transcript.split(' ') {
            let length = voice.character() * word.chars().count() as u32;
            if !word.is_empty() {
                words.push(word);
                start.push(at.as_secs_f64());
                end.push((at + length).as_secs_f64());
            }
            at += length + voice.character();
        }
        json!({"words": words, "start": start, "end": end})
    }
}

fn settings(request: &Value) -> Value {
    let mut settings = request.clone();
    if let Some(fields) = settings.as_object_mut() {
        fields.retain(|name, _| !FREE.contains(&name.as_str()));
    }
    settings
}

impl Protocol for Contexts {
    fn take(&mut self, text: &str, out: &mut Outbox) {
        let request: Value = serde_json::from_str(text).unwrap_or_default();
        let id = request["context_id"].as_str().unwrap_or_default().to_owned();
        if request["cancel"] == json!(true) {
            self.open.remove(&id);
            return out.cancel(&id);
        }
        let told =
            if id.is_empty() { Err("context_id is missing") } else { self.generate(&id, &request, out) };
        if let Err(why) = told {
            let error = json!({
                "type": "error", "done": true, "title": "Bad request", "message": why, "error_code": "bad_request",
                "status_code": 400, "context_id": id,
            });
            out.say(&id, What::Text(error.to_string()));
        }
    }
}
