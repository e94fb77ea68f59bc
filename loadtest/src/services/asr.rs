//! WhisperLiveKit's own socket, `GET /asr`, as its server of version 0.2.26 speaks it when started with `--pcm-input`:
//! samples up, all that is understood of the call down, and never a word about the end of a turn.
//!
//! It is the streaming recogniser of [`Service::Listen`] in another form.

use super::deepgram::options::Encoding;
use super::hearing::Hearing;
use super::mocks::Mocks;
use super::socket::{Listener, Opening, Say};
use super::stats::Service;
use super::upgrade::Handshake;
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use ringway_frame::SampleRate;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Answers the handshake; the socket lives on in a task.
pub async fn asr(
    State(mocks): State<Arc<Mocks>>,
    RawQuery(query): RawQuery,
    mut request: Request<Body>,
) -> Response<Body> {
    let opening = Opening::new(&mocks, Service::Listen);
    let handshake = match Handshake::read(&mut request) {
        Ok(handshake) => handshake,
        Err(reason) => return opening.reject((StatusCode::BAD_REQUEST, reason).into_response()),
    };
    let texts = mocks.config.socket_texts(Service::Listen);
    let session = Session::new(Mode::read(query.as_deref().unwrap_or_default()), texts);
    opening.accept(handshake, session, IntoResponse::into_response).await
}

/// That it is ready: clients know this server by it.
pub async fn health() -> impl IntoResponse {
    Json(json!({"status": "ok", "backend": "mock", "ready": true}))
}

/// How a client wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// All of the call each time.
    Full,
    /// What has changed.
    Diff,
}

impl Mode {
    /// Of a query; full is the default.
    fn read(query: &str) -> Self {
        let mut given = form_urlencoded::parse(query.as_bytes());
        if given.any(|(key, value)| key == "mode" && value == "diff") { Self::Diff } else { Self::Full }
    }
}

/// One client's audio.
#[derive(Debug)]
struct Session {
    mode: Mode,
    hearing: Hearing,
    /// The words that stand, of the whole stream.
    line: String,
    /// Up to where it has looked for words.
    looked: Duration,
    told: Duration,
    /// Messages about words so far, and the words of the last one that stood.
    sequence: u64,
    before: String,
}

/// The silence that the server's detector takes for the end of speech.
const SILENCE: Duration = Duration::from_millis(300);

/// How often it tells how far it is.
const CADENCE: Duration = Duration::from_millis(100);

/// By how much it is late while somebody speaks.
const LAG: Duration = Duration::from_millis(500);

impl Session {
    fn new(mode: Mode, texts: &[String]) -> Self {
        Self {
            mode,
            hearing: Hearing::new(Encoding::Linear16, SampleRate::HZ_16000, texts),
            line: String::new(),
            looked: Duration::ZERO,
            told: Duration::ZERO,
            sequence: 0,
            before: String::new(),
        }
    }

    fn hear(&mut self, audio: &[u8], say: &mut Vec<Say>) {
        self.hearing.hear(audio);
        let now = self.hearing.now;
        let silence = self.hearing.speech.as_ref().map(|speech| speech.silence(now));
        if silence.is_some_and(|silence| silence >= SILENCE) {
            self.conclude(say);
        } else if now.saturating_sub(self.told) >= CADENCE {
            if silence.is_some() {
                self.looked = self.looked.max(now.saturating_sub(LAG));
            }
            let state = self.state();
            say.push(Say::Text(state));
        }
    }

    /// The words of an utterance stand when it is over.
    fn conclude(&mut self, say: &mut Vec<Say>) {
        let Some(speech) = self.hearing.end() else { return };
        for word in speech.words() {
            self.line.push(' ');
            self.line.push_str(word);
        }
        self.looked = speech.loud_until;
        let state = self.state();
        say.push(Say::Words(state));
    }

    /// In the shape of the mode.
    fn state(&mut self) -> String {
        self.told = self.hearing.now;
        self.sequence += 1;
        let speech = self.hearing.speech.as_ref();
        let said = speech.map(|speech| speech.said(self.hearing.now)).unwrap_or_default();
        let guess: String = said.iter().flat_map(|word| [" ", word.as_str()]).collect();
        let status = if self.line.is_empty() && guess.is_empty() {
            "no_audio_detected"
        } else {
            "active_transcription"
        };
        let behind = self.hearing.now.saturating_sub(self.looked).as_millis() as f64 / 1_000.0;
        let behind = (behind * 10.0).round() / 10.0;
        let mut state = json!({
            "status": status, "buffer_transcription": guess, "buffer_diarization": "", "buffer_translation": "",
            "remaining_time_transcription": behind, "remaining_time_transcription_processing": behind,
            "remaining_time_transcription_policy": 0.0, "remaining_time_diarization": 0,
        });
        self.put_lines(&mut state);
        state.to_string()
    }

    /// A line that grew is one that went and one that came.
    fn put_lines(&mut self, state: &mut Value) {
        let lines = self.lines();
        if self.mode == Mode::Diff {
            state["seq"] = self.sequence.into();
            state["type"] = if self.sequence == 1 { "snapshot" } else { "diff" }.into();
        }
        if self.mode == Mode::Full || self.sequence == 1 {
            state["lines"] = lines.into();
        } else {
            state["n_lines"] = lines.len().into();
            if self.before != self.line {
                state["lines_pruned"] = usize::from(!self.before.is_empty()).into();
                state["new_lines"] = lines.into();
            }
        }
        self.before.clone_from(&self.line);
    }

    fn lines(&self) -> Vec<Value> {
        let line = || json!({"speaker": 1, "text": self.line, "start": clock(Duration::ZERO), "end": clock(self.looked)});
        if self.line.is_empty() { Vec::new() } else { vec![line()] }
    }
}

impl Listener for Session {
    const GARBAGE: &'static str = "{\"status\":\"active_transcription\",\"lines\":[{\"speaker\":";

    fn open(&mut self, say: &mut Vec<Say>) {
        let mode = if self.mode == Mode::Full { "full" } else { "diff" };
        say.push(Say::Now(json!({"type": "config", "useAudioWorklet": true, "mode": mode}).to_string()));
    }

    fn take(&mut self, message: &Message, say: &mut Vec<Say>) {
        match message {
            Message::Binary(audio) if audio.is_empty() => {
                self.conclude(say);
                say.push(Say::Text(json!({"type": "ready_to_stop"}).to_string()));
            }
            Message::Binary(audio) => self.hear(audio, say),
            // The server knows no text, and ends with it.
            Message::Text(_) => say.push(Say::Close(CloseCode::Error, "")),
            _ => {}
        }
    }
}

/// Hours, minutes, seconds and their hundredths.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let hundredths = time.subsec_millis() / 10;
    format!("{}:{:02}:{:02}.{hundredths:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
