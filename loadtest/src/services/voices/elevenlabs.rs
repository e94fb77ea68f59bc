//! The sockets of `ElevenLabs`, after its published description (`asyncapi.yml`) and the types of its client:
//! `multi-stream-input` with its contexts, and `stream-input`, which is one of them.

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
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Contexts of a socket that may be open at a time.
const MOST_CONTEXTS: usize = 5;

/// What the service says to a client that sent nothing for too long.
const INACTIVE: &str = "Have not received a new text input within the timeout of 20.0 seconds.";

/// One socket.
#[derive(Debug)]
struct Contexts {
    voice: Voice,
    /// Text that waits, of every open context.
    open: HashMap<String, String>,
    multi: bool,
    alignment: bool,
    inactivity: Duration,
}

/// `GET /v1/text-to-speech/{voice}/multi-stream-input` and `.../stream-input`.
pub async fn stream(State(mocks): State<Arc<Mocks>>, request: Request<Body>) -> Response<Body> {
    open(mocks, Service::ElevenLabs, request, refuse, Contexts::read).await
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    let kind = if status == StatusCode::UNAUTHORIZED { "invalid_api_key" } else { "invalid_request" };
    (status, Json(json!({"detail": {"status": kind, "message": why}}))).into_response()
}

impl Contexts {
    fn read(mocks: &Mocks, request: &Request<Body>) -> Result<Self, (StatusCode, String)> {
        let invalid = |why: String| (StatusCode::BAD_REQUEST, why);
        let key = request.headers().get("xi-api-key").and_then(|key| key.to_str().ok());
        if mocks.config.api_key.is_some() && key != mocks.config.api_key.as_deref() {
            return Err((StatusCode::UNAUTHORIZED, "Invalid API key".into()));
        }
        let query = request.uri().query().unwrap_or_default();
        let given: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let format = given.get("output_format").map_or("mp3_44100_128", AsRef::as_ref);
        let (rate, coding) =
            read_format(format).ok_or_else(|| invalid(format!("no output format {format}")))?;
        let inactivity = given.get("inactivity_timeout").map_or(Ok(20), |text| text.parse::<u64>());
        let inactivity = inactivity.ok().filter(|seconds| (1..=180).contains(seconds));
        let multi = request.uri().path().ends_with("/multi-stream-input");
        Ok(Self {
            voice: Voice::new(rate, coding, mocks.config.tts.character_ms),
            open: HashMap::new(),
            multi,
            // The single socket aligns whether or not it is asked to.
            alignment: !multi || given.get("sync_alignment").is_some_and(|sync| sync == "true"),
            inactivity: Duration::from_secs(
                inactivity.ok_or_else(|| invalid("inactivity_timeout: from 1 to 180".into()))?,
            ),
        })
    }

    fn flush(&mut self, context: &str, out: &mut Outbox) {
        let Some(text) = self.open.get_mut(context).map(std::mem::take) else { return };
        if text.trim().is_empty() {
            return;
        }
        let messages = self.voice.pieces(&text).into_iter().map(|piece| {
            let alignment = self.alignment.then(|| self.align(&piece.text));
            let audio = STANDARD.encode(&piece.audio);
            let mut message = json!({
                "audio": audio, "isFinal": null, "normalizedAlignment": &alignment, "alignment": &alignment,
            });
            self.name(&mut message, context);
            What::Text(message.to_string())
        });
        out.speak(context, messages.collect());
    }

    /// Times count from the beginning of the piece.
    fn align(&self, text: &str) -> Value {
        let each = self.voice.character().as_millis() as u64;
        let count = text.chars().count() as u64;
        json!({
            "chars": text.chars().map(String::from).collect::<Vec<_>>(),
            "charStartTimesMs": (0..count).map(|at| at * each).collect::<Vec<_>>(),
            "charDurationsMs": vec![each; count as usize],
        })
    }

    fn name(&self, message: &mut Value, context: &str) {
        if self.multi {
            message["contextId"] = json!(context);
        }
    }

    /// What was flushed still comes, then its end.
    fn close(&mut self, context: &str, out: &mut Outbox) {
        if self.open.remove(context).is_some() {
            let mut message = json!({"isFinal": true});
            self.name(&mut message, context);
            out.say(context, What::Text(message.to_string()));
        }
    }

    fn fail(code: &str, why: &str, out: &mut Outbox) {
        let message = json!({"message": why, "error": code, "code": 1008});
        out.say("", What::Text(message.to_string()));
        out.close(CloseCode::Policy, why);
    }

    fn add(&mut self, context: &str, text: &str, out: &mut Outbox) -> Option<()> {
        if !self.open.contains_key(context) && self.open.len() == MOST_CONTEXTS {
            let why = "Maximum simultaneous contexts per WebSocket connection exceeded (5).";
            Self::fail("max_active_conversations", why, out);
            return None;
        }
        self.open.entry(context.to_owned()).or_default().push_str(text);
        Some(())
    }
}

/// `pcm_16000`, `ulaw_8000`; what needs an encoder of its own is not made here.
fn read_format(format: &str) -> Option<(SampleRate, Coding)> {
    let (coding, hz) = format.split_once('_')?;
    let rate = SampleRate::new(hz.parse().ok()?)?;
    match coding {
        "pcm" => Some((rate, Coding::Pcm)),
        "ulaw" if rate == SampleRate::HZ_8000 => Some((rate, Coding::Mulaw)),
        _ => None,
    }
}

impl Protocol for Contexts {
    fn take(&mut self, text: &str, out: &mut Outbox) {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            return Self::fail("invalid_message", "The message is no JSON.", out);
        };
        let flag = |name: &str| message[name] == json!(true);
        let context = message["context_id"].as_str().or_else(|| message["contextId"].as_str());
        let context = context.unwrap_or("default").to_owned();
        let said = message["text"].as_str();
        if flag("close_socket") || (!self.multi && said == Some("")) {
            let mut names: Vec<String> = self.open.keys().cloned().collect();
            names.sort();
            for name in names {
                self.flush(&name, out);
                self.close(&name, out);
            }
            return out.close(CloseCode::Normal, "");
        }
        if flag("close_context") {
            return self.close(&context, out);
        }
        if let Some(said) = said.filter(|said| !said.is_empty())
            && self.add(&context, said, out).is_none()
        {
            return;
        }
        if flag("flush") {
            self.flush(&context, out);
        }
    }

    fn patience(&self) -> Option<(Duration, &'static str)> {
        Some((self.inactivity, INACTIVE))
    }
}
