//! The messages of the socket, as its description has them.

use super::hearing::{Heard, Transcript, Word};
use serde_json::{Value, json};
use std::time::Duration;

/// What a client says in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// It is still there.
    KeepAlive,
    /// It wants all results of what it has sent.
    Finalize,
    /// It will send no more.
    CloseStream,
}

/// The certainty of all words: the mock cannot be wrong.
const CONFIDENCE: f64 = 0.99;

/// The id of the model in metadata.
const MODEL_ID: &str = "00000000-0000-4000-8000-000000000001";

impl Control {
    /// Reads a text message; otherwise the error that answers it.
    pub fn read(text: &str) -> Result<Self, Value> {
        let message: Result<Value, _> = serde_json::from_str(text);
        match message.as_ref().ok().and_then(|message| message["type"].as_str()) {
            Some("KeepAlive") => Ok(Self::KeepAlive),
            Some("Finalize") => Ok(Self::Finalize),
            Some("CloseStream") => Ok(Self::CloseStream),
            _ => Err(json!({
                "type": "Error", "variant": "SchemaError", "message": text,
                "description": "Could not deserialize last text message: \
                    expected one of `CloseStream`, `KeepAlive`, `Finalize`",
            })),
        }
    }
}

/// A message about what was heard.
pub fn heard(heard: &Heard, model: &str, request_id: &str) -> Value {
    match heard {
        Heard::SpeechStarted { at } => {
            json!({"type": "SpeechStarted", "channel": [0], "timestamp": seconds(*at)})
        }
        Heard::UtteranceEnd { last_word_end } => {
            json!({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": seconds(*last_word_end)})
        }
        Heard::Result(transcript) => results(transcript, model, request_id),
    }
}

fn results(transcript: &Transcript, model: &str, request_id: &str) -> Value {
    let text: Vec<_> = transcript.words.iter().map(|word| word.word.as_str()).collect();
    let confidence = if text.is_empty() { 0.0 } else { CONFIDENCE };
    json!({
        "type": "Results",
        "channel_index": [0, 1],
        "start": seconds(transcript.start),
        "duration": seconds(transcript.duration),
        "is_final": transcript.is_final,
        "speech_final": transcript.speech_final,
        "from_finalize": transcript.from_finalize,
        "channel": {"alternatives": [{
            "transcript": text.join(" "),
            "confidence": confidence,
            "words": transcript.words.iter().map(word).collect::<Vec<_>>(),
        }]},
        "metadata": {
            "request_id": request_id,
            "model_info": {"name": model, "version": "mock", "arch": "mock"},
            "model_uuid": MODEL_ID,
        },
    })
}

fn word(word: &Word) -> Value {
    let bare = word.word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    json!({
        "word": bare, "punctuated_word": word.word, "confidence": CONFIDENCE,
        "start": seconds(word.start), "end": seconds(word.end),
    })
}

/// What is said last.
pub fn metadata(request_id: &str, created: &str, duration: Duration, model: &str) -> Value {
    let info = json!({"name": model, "version": "mock", "arch": "mock"});
    json!({
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": request_id,
        // Of no audio, which the service too sends where it keeps none.
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "created": created,
        "duration": seconds(duration),
        "channels": 1,
        "models": [MODEL_ID],
        "model_info": {MODEL_ID: info},
    })
}

/// To the millisecond.
fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1_000.0
}
