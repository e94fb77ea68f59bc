//! `GET /v1/realtime?intent=transcription`: a session that transcribes what it is told to, in its general form.

use super::{ApiError, authorize};
use crate::services::deepgram::options::Encoding;
use crate::services::hearing::Hearing;
use crate::services::mocks::Mocks;
use crate::services::socket::{Listener, Opening, Say};
use crate::services::stats::Service;
use crate::services::upgrade::Handshake;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringway_frame::SampleRate;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// One client's audio.
#[derive(Debug)]
struct Session {
    texts: Vec<String>,
    hearing: Option<Hearing>,
    /// What has been said of the session.
    wanted: Value,
    /// Audio that is not committed.
    pending: Duration,
    events: u64,
    items: u64,
}

/// Less is not committed.
const LEAST: Duration = Duration::from_millis(100);

/// Whether a query asks for this kind of session.
pub fn is_wanted(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "intent" && value == "transcription")
}

/// Answers the handshake; the socket lives on in a task.
pub async fn transcribe(
    State(mocks): State<Arc<Mocks>>,
    RawQuery(query): RawQuery,
    mut request: Request<Body>,
) -> Response<Body> {
    let opening = Opening::new(&mocks, Service::Live);
    let accepted = authorize(&mocks, request.headers()).and_then(|()| {
        if !is_wanted(query.as_deref().unwrap_or_default()) {
            return Err(ApiError::missing("intent"));
        }
        Handshake::read(&mut request).map_err(|why| ApiError::invalid(why, None, None))
    });
    match accepted {
        Ok(handshake) => {
            let session = Session::new(mocks.config.socket_texts(Service::Live));
            opening.accept(handshake, session, |status| ApiError::injected(status).into_response()).await
        }
        Err(refused) => opening.reject(refused.into_response()),
    }
}

impl Session {
    fn new(texts: &[String]) -> Self {
        let wanted = json!({
            "type": "transcription", "object": "realtime.transcription_session", "id": "sess_mock",
            "audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}, "turn_detection": null}},
        });
        Self { texts: texts.to_vec(), hearing: None, wanted, pending: Duration::ZERO, events: 0, items: 0 }
    }

    fn event(&mut self, kind: &str, mut rest: Value) -> String {
        self.events += 1;
        rest["type"] = json!(kind);
        rest["event_id"] = json!(format!("event_{}", self.events));
        rest.to_string()
    }

    fn error(&mut self, code: &str, message: &str, cause: &Value) -> Say {
        let error = json!({
            "type": "invalid_request_error", "code": code, "message": message, "param": null,
            "event_id": cause["event_id"],
        });
        Say::Text(self.event("error", json!({"error": error})))
    }

    fn obey(&mut self, event: &Value, say: &mut Vec<Say>) {
        match event["type"].as_str() {
            Some("session.update") => self.update(event, say),
            Some("input_audio_buffer.append") => self.append(event, say),
            Some("input_audio_buffer.commit") => self.commit(event, say),
            Some("input_audio_buffer.clear") => {
                self.forget();
                let cleared = self.event("input_audio_buffer.cleared", json!({}));
                say.push(Say::Now(cleared));
            }
            _ => {
                let error =
                    self.error("invalid_value", "This is no event of a transcription session.", event);
                say.push(error);
            }
        }
    }

    fn update(&mut self, event: &Value, say: &mut Vec<Say>) {
        let input = &event["session"]["audio"]["input"];
        let audio = match input["format"]["type"].as_str() {
            Some("audio/pcm") if input["format"]["rate"] == 24_000 => Some((Encoding::Linear16, 24_000)),
            Some("audio/pcmu") => Some((Encoding::Mulaw, 8_000)),
            _ => None,
        };
        let is_whole =
            event["session"]["type"] == "transcription" && input["transcription"]["model"].is_string();
        let Some((encoding, hertz)) = audio.filter(|_| is_whole && input["turn_detection"].is_null()) else {
            let message = "This mock transcribes audio/pcm of 24000 Hz and audio/pcmu, by a named model, without \
                           turn detection.";
            let error = self.error("invalid_value", message, event);
            return say.push(error);
        };
        let rate = SampleRate::new(hertz).expect("a rate above zero");
        self.hearing = Some(Hearing::new(encoding, rate, &self.texts));
        self.wanted["audio"]["input"] = input.clone();
        let updated = self.event("session.updated", json!({"session": self.wanted}));
        say.push(Say::Now(updated));
    }

    fn append(&mut self, event: &Value, say: &mut Vec<Say>) {
        let audio = event["audio"].as_str().and_then(|audio| STANDARD.decode(audio).ok());
        match (audio, &mut self.hearing) {
            (Some(audio), Some(hearing)) => {
                let before = hearing.now;
                hearing.hear(&audio);
                self.pending += hearing.now - before;
            }
            _ => {
                let error = self.error("invalid_value", "The audio is none of this session's.", event);
                say.push(error);
            }
        }
    }

    fn commit(&mut self, event: &Value, say: &mut Vec<Say>) {
        if self.pending < LEAST {
            let message = "Error committing input audio buffer: buffer too small.";
            let error = self.error("input_audio_buffer_commit_empty", message, event);
            return say.push(error);
        }
        let seconds = self.pending.as_secs_f64();
        let words = self.forget();
        let previous = (self.items > 0).then(|| format!("item_{}", self.items));
        self.items += 1;
        let item = format!("item_{}", self.items);
        let committed = json!({"item_id": item, "previous_item_id": previous});
        let committed = self.event("input_audio_buffer.committed", committed);
        say.push(Say::Now(committed));
        for (n, word) in words.iter().enumerate() {
            let delta = if n == 0 { word.clone() } else { format!(" {word}") };
            let delta = json!({"item_id": item, "content_index": 0, "delta": delta});
            let delta = self.event("conversation.item.input_audio_transcription.delta", delta);
            say.push(Say::Text(delta));
        }
        let usage = json!({"type": "duration", "seconds": seconds});
        let completed =
            json!({"item_id": item, "content_index": 0, "transcript": words.join(" "), "usage": usage});
        let completed = self.event("conversation.item.input_audio_transcription.completed", completed);
        say.push(Say::Words(completed));
    }

    /// What is not committed; it is not kept.
    fn forget(&mut self) -> Vec<String> {
        self.pending = Duration::ZERO;
        let speech = self.hearing.as_mut().and_then(Hearing::end);
        speech.map(|speech| speech.words().to_vec()).unwrap_or_default()
    }
}

impl Listener for Session {
    const GARBAGE: &'static str =
        "{\"type\":\"conversation.item.input_audio_transcription.completed\",\"transcript\":\"";

    fn open(&mut self, say: &mut Vec<Say>) {
        let created = self.event("session.created", json!({"session": self.wanted}));
        say.push(Say::Now(created));
    }

    fn take(&mut self, message: &Message, say: &mut Vec<Say>) {
        if let Message::Text(text) = message {
            let event = serde_json::from_str(text).unwrap_or_default();
            self.obey(&event, say);
        }
    }

    fn expire(&mut self) -> Option<String> {
        let error = json!({
            "type": "invalid_request_error", "code": "session_expired", "param": null,
            "message": "Your session hit the maximum duration.",
        });
        Some(self.event("error", json!({"error": error})))
    }
}
