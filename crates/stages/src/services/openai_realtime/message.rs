//! What is said on the socket, both ways.

use super::{Config, TurnDetection};
use crate::llm::{Called, Role, Said, ToolCall, ToolSpec};
use crate::services::ServiceError;
use crate::services::error::own_words;
use crate::services::lenient;
use ringway_frame::Format;
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;

/// What the service says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services) enum Message<'a> {
    /// The caller began to speak.
    SpeechStarted,
    /// They stopped.
    SpeechStopped,
    /// What was appended is an item of the conversation now.
    Committed { item: String },
    /// More of what the caller said in that item.
    Heard { item: String, delta: Cow<'a, str> },
    /// All of it.
    Transcript { item: String, text: Cow<'a, str> },
    /// An answer has begun.
    Created { response: String },
    /// More of its audio, in base64.
    Audio { response: String, item: String, delta: Cow<'a, str> },
    /// More of its text.
    Text { response: String, delta: Cow<'a, str> },
    /// It is over, or goes on when these calls were made.
    Done { response: String, failure: Option<String>, calls: Vec<ToolCall> },
    /// The session is what it was to be.
    Updated,
    /// Something could not be done.
    Error(Failure),
    /// What matters to others.
    Other,
}

/// Something that could not be done.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::services) struct Failure {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    /// Our message that it is about.
    pub(super) event_id: Option<String>,
}

impl Failure {
    /// What asked for it does not matter.
    pub(super) fn is_harmless(&self) -> bool {
        self.event_id.as_deref() == Some(MAY_FAIL)
    }

    /// It is about one message of ours, and not about the session.
    pub(super) fn is_about_a_message(&self) -> bool {
        self.kind.as_deref() == Some("invalid_request_error")
    }

    /// In the service's own words.
    pub(super) fn words(&self) -> String {
        own_words(self.message.as_ref().or(self.code.as_ref()).map_or("", String::as_str).as_bytes())
    }

    /// The caller's turn was too short to be one.
    pub(super) fn is_empty_commit(&self) -> bool {
        self.code.as_deref() == Some("input_audio_buffer_commit_empty")
    }

    /// The session has reached its longest time.
    pub(super) fn is_expiry(&self) -> bool {
        self.code.as_deref() == Some("session_expired")
    }
}

impl From<Failure> for ServiceError {
    fn from(failure: Failure) -> Self {
        Self::Failed { message: failure.words() }
    }
}

/// Reads a message.
pub(in crate::services) fn read(text: &str) -> Result<Message<'_>, ServiceError> {
    let raw: Raw<'_> =
        serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    let Raw { kind, item, response_id, delta, transcript, response, error } = raw;
    let kind = kind.unwrap_or_default();
    let need = |field: Option<String>, name| {
        field.ok_or_else(|| ServiceError::malformed("message", format!("{kind} without {name}")))
    };
    let (text, item_id, response_id) =
        (delta.unwrap_or_default(), "item_id", response_id.map(Cow::into_owned));
    let item = item.map(Cow::into_owned);
    Ok(match kind.as_ref() {
        "input_audio_buffer.speech_started" => Message::SpeechStarted,
        "input_audio_buffer.speech_stopped" => Message::SpeechStopped,
        "input_audio_buffer.committed" => Message::Committed { item: need(item, item_id)? },
        "conversation.item.input_audio_transcription.delta" => {
            Message::Heard { item: need(item, item_id)?, delta: text }
        }
        "conversation.item.input_audio_transcription.completed" => {
            Message::Transcript { item: need(item, item_id)?, text: transcript.unwrap_or_default() }
        }
        "conversation.item.input_audio_transcription.failed" => {
            Message::Transcript { item: need(item, item_id)?, text: Cow::Borrowed("") }
        }
        "response.output_audio.delta" | "response.audio.delta" => {
            let response = need(response_id, "response_id")?;
            Message::Audio { response, item: need(item, item_id)?, delta: text }
        }
        "response.output_audio_transcript.delta" | "response.audio_transcript.delta" => {
            Message::Text { response: need(response_id, "response_id")?, delta: text }
        }
        "response.created" => Message::Created { response: need(response.and_then(|it| it.id), "an id")? },
        "response.done" => {
            let mut response = response.unwrap_or_default();
            let (failure, calls) = (response.failure(), response.calls());
            Message::Done { response: need(response.id, "an id")?, failure, calls }
        }
        "session.updated" => Message::Updated,
        "error" => Message::Error(error.unwrap_or_default()),
        _ => Message::Other,
    })
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(rename = "item_id", borrow, default)]
    item: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    response_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delta: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    transcript: Option<Cow<'a, str>>,
    #[serde(default)]
    response: Option<Response>,
    #[serde(default)]
    error: Option<Failure>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response {
    id: Option<String>,
    #[serde(deserialize_with = "lenient::or_default")]
    status: String,
    status_details: Option<StatusDetails>,
    #[serde(deserialize_with = "lenient::or_default")]
    output: Vec<Output>,
}

/// An item of an answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Output {
    #[serde(rename = "type", deserialize_with = "lenient::or_default")]
    kind: String,
    #[serde(deserialize_with = "lenient::or_default")]
    call_id: String,
    #[serde(deserialize_with = "lenient::or_default")]
    name: String,
    #[serde(deserialize_with = "lenient::or_default")]
    arguments: String,
}

#[derive(Deserialize)]
struct StatusDetails {
    #[serde(default)]
    error: Option<Failure>,
}

impl Response {
    fn failure(&self) -> Option<String> {
        let said = || self.status_details.as_ref()?.error.as_ref();
        let words = || said().and_then(|error| error.message.clone().or(error.code.clone()));
        (self.status == "failed").then(|| own_words(words().unwrap_or_default().as_bytes()))
    }

    /// Of an answer that was broken off, none was meant.
    fn calls(&mut self) -> Vec<ToolCall> {
        let whole = self.status == "completed";
        let output = std::mem::take(&mut self.output).into_iter();
        let calls = output.filter(|item| whole && item.kind == "function_call");
        calls.map(|Output { call_id: id, name, arguments, .. }| ToolCall::new(id, name, arguments)).collect()
    }
}

/// What the session is to be, first of all.
pub(super) fn update(config: &Config, format: Format, tools: &[ToolSpec]) -> String {
    let coding = match format {
        Format::Mulaw8k | Format::Pcm8k => json!({"type": "audio/pcmu"}),
        Format::Pcm16k => json!({"type": "audio/pcm", "rate": 24_000}),
    };
    let mut input = json!({"format": coding, "turn_detection": turn_detection(config.turn_detection)});
    if !config.transcription.is_empty() {
        let mut transcription = json!({"model": config.transcription});
        if !config.language.is_empty() {
            transcription["language"] = config.language.as_str().into();
        }
        input["transcription"] = transcription;
    }
    let mut session = json!({
        "type": "realtime",
        "instructions": config.system,
        "output_modalities": ["audio"],
        "audio": {"input": input, "output": {"format": coding, "voice": config.voice}},
    });
    if !tools.is_empty() {
        session["tools"] = tools.iter().map(function).collect();
    }
    json!({"type": "session.update", "session": session}).to_string()
}

fn function(tool: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters } = tool;
    json!({"type": "function", "name": name, "description": description, "parameters": parameters})
}

/// Answers are asked for and interrupted by us, whoever sees the end of a turn.
fn turn_detection(by: TurnDetection) -> Value {
    let by = match by {
        TurnDetection::Own => return Value::Null,
        TurnDetection::Server => "server_vad",
        TurnDetection::Semantic => "semantic_vad",
    };
    json!({"type": by, "create_response": false, "interrupt_response": false})
}

/// Audio of the caller, in base64.
pub(super) fn append(audio: &str) -> String {
    format!(r#"{{"type":"input_audio_buffer.append","audio":"{audio}"}}"#)
}

pub(super) fn commit() -> String {
    json!({"type": "input_audio_buffer.commit"}).to_string()
}

pub(super) fn clear() -> String {
    json!({"type": "input_audio_buffer.clear", "event_id": MAY_FAIL}).to_string()
}

/// Something that was said, at the end of the conversation or, as what was before all of it, at its beginning.
pub(super) fn item(said: &Said, first: bool) -> String {
    let (role, kind) = match said.role {
        Role::User => ("user", "input_text"),
        Role::Assistant => ("assistant", "output_text"),
    };
    let content = json!([{"type": kind, "text": said.text}]);
    let mut message = json!({
        "type": "conversation.item.create",
        "item": {"type": "message", "role": role, "content": content},
    });
    if first {
        message["previous_item_id"] = "root".into();
    }
    message.to_string()
}

/// What came of a call.
pub(super) fn result(called: &Called) -> String {
    let Called { call, result, failed } = called;
    let output = if *failed { json!({"error": result}).to_string() } else { result.clone() };
    let item = json!({"type": "function_call_output", "call_id": call.id, "output": output});
    json!({"type": "conversation.item.create", "item": item}).to_string()
}

/// What the model is to know, and nobody said.
pub(super) fn remark(text: &str) -> String {
    let content = json!([{"type": "input_text", "text": text}]);
    let item = json!({"type": "message", "role": "system", "content": content});
    json!({"type": "conversation.item.create", "item": item}).to_string()
}

/// Wants an answer, for this once by other instructions.
pub(super) fn answer(instructions: Option<String>) -> String {
    let response =
        instructions.map_or_else(|| json!({}), |instructions| json!({"instructions": instructions}));
    json!({"type": "response.create", "response": response}).to_string()
}

pub(super) fn cancel(response: Option<&str>) -> String {
    let mut message = json!({"type": "response.cancel", "event_id": MAY_FAIL});
    if let Some(response) = response {
        message["response_id"] = response.into();
    }
    message.to_string()
}

/// Of this item's audio only so much was heard.
pub(super) fn truncate(item: &str, heard_ms: u64) -> String {
    let message = json!({
        "type": "conversation.item.truncate",
        "event_id": MAY_FAIL,
        "item_id": item,
        "content_index": 0,
        "audio_end_ms": heard_ms,
    });
    message.to_string()
}

/// Of messages after whose failure all is as it should be: what they stop was over.
const MAY_FAIL: &str = "may-fail";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_consists_of_is_understood() {
        let audio = r#"{"type":"response.output_audio.delta","event_id":"e","response_id":"r1","item_id":"i1","output_index":0,"content_index":0,"delta":"AAEC"}"#;
        let (response, item) = ("r1".to_owned(), "i1".to_owned());
        assert_eq!(read(audio).unwrap(), Message::Audio { response, item, delta: "AAEC".into() });
        let done = r#"{"type":"response.done","response":{"id":"r1","status":"failed","status_details":{"error":{"code":"x","message":"out of\ntokens"}}}}"#;
        let failure = Some("out of tokens".to_owned());
        assert_eq!(read(done).unwrap(), Message::Done { response: "r1".into(), failure, calls: Vec::new() });
        let call = r#"{"type":"function_call","id":"i2","call_id":"c1","name":"add","arguments":"{}"}"#;
        let called = vec![ToolCall::new("c1", "add", "{}")];
        for (status, calls) in [("completed", called), ("cancelled", Vec::new())] {
            let done = format!(
                r#"{{"type":"response.done","response":{{"id":"r1","status":"{status}","output":[{{"type":"message"}},{call}]}}}}"#
            );
            assert_eq!(read(&done).unwrap(), Message::Done { response: "r1".into(), failure: None, calls });
        }
        assert_eq!(read(r#"{"type":"rate_limits.updated"}"#).unwrap(), Message::Other);
        assert_eq!(read(r#"{"type":null,"item_id":null,"response":null}"#).unwrap(), Message::Other);
        let bare = r#"{"type":"response.done","response":{"id":"r1","status":null,"output":null}}"#;
        let (response, calls) = ("r1".to_owned(), Vec::new());
        assert_eq!(read(bare).unwrap(), Message::Done { response, failure: None, calls });
    }

    #[test]
    fn what_cannot_be_understood_is_told() {
        for (text, reason) in [
            ("oops", "malformed message: expected"),
            (r#"{"type":"response.created"}"#, "malformed message: response.created without an id"),
            (r#"{"type":"input_audio_buffer.committed"}"#, "without item_id"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_telephone_call_is_passed_through_and_our_own_detection_is_the_default() {
        let session: Value = serde_json::from_str(&update(&Config::default(), Format::Mulaw8k, &[])).unwrap();
        let audio = &session["session"]["audio"];
        assert_eq!(audio["input"]["format"]["type"], "audio/pcmu");
        assert_eq!(audio["output"]["format"]["type"], "audio/pcmu");
        assert!(audio["input"]["turn_detection"].is_null());
        assert_eq!(audio["input"]["transcription"]["language"], "en");
    }
}
