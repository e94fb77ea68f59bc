mod answering;

use super::conversation::{Conversation, Item, NoSuchItem, Said};
use super::ear::{Coding, Ear, Found};
use super::message::{self, Words};
use crate::services::mocks::Mocks;
use crate::services::stats::Ticket;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// A socket after its handshake.
pub struct Session {
    mocks: Arc<Mocks>,
    ticket: Ticket,
    opened: Instant,
    words: Words,
    /// As the client wants it.
    session: Value,
    input: Coding,
    output: Coding,
    transcribes: bool,
    /// The service answers by itself when its detection finds a turn over, and breaks off when it finds speech.
    creates: bool,
    interrupts: bool,
    ear: Ear,
    conversation: Conversation,
    turns: u64,
    answers: u64,
    answer: Option<Answer>,
    outgoing: VecDeque<(Instant, Outgoing)>,
}

/// The running answer.
struct Answer {
    response: String,
    item: String,
    text: String,
    /// Milliseconds of audio that were sent.
    sent_ms: u64,
}

/// What is to be sent.
enum Outgoing {
    Event(Value),
    /// A part of an answer; not when that was cancelled.
    Part {
        response: String,
        event: Value,
        audio_ms: u64,
    },
    /// The words of a turn.
    Transcript {
        item: String,
        text: String,
    },
    /// The end of an answer.
    Done {
        response: String,
    },
    Garbage,
    /// Where text is due.
    Bytes,
    Expired,
    /// The connection ends without a word.
    Cut,
}

/// The least that makes a turn.
const LEAST_TURN_MS: u64 = 100;

impl Session {
    /// Of a request whose handshake was answered.
    pub fn new(mocks: Arc<Mocks>, ticket: Ticket, model: String) -> Self {
        let session = json!({
            "object": "realtime.session", "id": "sess_mock", "type": "realtime", "model": model,
            "output_modalities": ["audio"], "instructions": "", "tools": [], "tool_choice": "auto",
            "max_output_tokens": "inf", "audio": {
                "input": {"format": {"type": "audio/pcm", "rate": 24_000}, "turn_detection": {
                    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
                    "create_response": true, "interrupt_response": true,
                }},
                "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin", "speed": 1.0},
            },
        });
        let mut session = Self {
            mocks,
            ticket,
            opened: Instant::now(),
            words: Words::default(),
            session,
            input: Coding::Pcm24k,
            output: Coding::Pcm24k,
            transcribes: false,
            creates: true,
            interrupts: true,
            ear: Ear::listening(Duration::from_millis(500)),
            conversation: Conversation::default(),
            turns: 0,
            answers: 0,
            answer: None,
            outgoing: VecDeque::new(),
        };
        let whole = session.session.clone();
        session.tell("session.created", json!({"session": whole}));
        session
    }

    /// Serves the socket to its end.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut socket: WebSocketStream<S>) {
        let longest = self.mocks.config.realtime.longest_ms.map(Duration::from_millis);
        let expires = self.opened + longest.unwrap_or(HOUR);
        loop {
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Close(_))) => return self.ticket.answered(),
                    Some(Ok(Message::Text(text))) => self.take(&text),
                    Some(Ok(_)) => {}
                    // The client is gone: it counts as one that has given up.
                    Some(Err(_)) | None => return,
                },
                Some((_, outgoing)) = next(&mut self.outgoing) => {
                    if self.send(&mut socket, outgoing).await.is_none() {
                        return self.ticket.answered();
                    }
                }
                () = sleep_until(expires), if !self.outgoing.iter().any(|(_, it)| matches!(it, Outgoing::Expired)) => {
                    self.after(Duration::ZERO, Outgoing::Expired);
                }
            }
        }
    }

    fn take(&mut self, text: &str) {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            return self.refuse(Some("invalid_json"), "Could not parse the message.", None, &Value::Null);
        };
        match message["type"].as_str().unwrap_or_default() {
            "session.update" => self.update(&message),
            "input_audio_buffer.append" => self.append(&message),
            "input_audio_buffer.commit" => self.commit(&message),
            "input_audio_buffer.clear" => {
                self.ear.take(self.input);
                self.tell("input_audio_buffer.cleared", json!({}));
            }
            "conversation.item.create" => self.create(&message),
            "conversation.item.retrieve" => self.retrieve(&message),
            "conversation.item.truncate" => self.truncate(&message),
            "conversation.item.delete" => self.delete(&message),
            "response.create" => self.respond(&message),
            "response.cancel" => self.cancel(&message),
            kind => {
                let why = format!("Invalid value: '{kind}'.");
                self.refuse(Some("invalid_value"), &why, Some("type"), &message);
            }
        }
    }

    fn update(&mut self, message: &Value) {
        let wanted = &message["session"];
        if wanted["type"] != "realtime" {
            let why = "Missing required parameter: 'session.type'.";
            return self.refuse(Some("missing_required_parameter"), why, Some("session.type"), message);
        }
        let (input, output) = (&wanted["audio"]["input"], &wanted["audio"]["output"]);
        let read = |format: &Value, present: Coding| match format {
            Value::Null => Ok(present),
            format => Coding::read(format).ok_or_else(|| format!("Invalid value: {format}.")),
        };
        match (read(&input["format"], self.input), read(&output["format"], self.output)) {
            (Ok(input), Ok(output)) => (self.input, self.output) = (input, output),
            (Err(why), _) | (_, Err(why)) => {
                return self.refuse(Some("invalid_value"), &why, Some("session.audio"), message);
            }
        }
        if let Some(detection) = input.get("turn_detection") {
            let silence = detection["silence_duration_ms"].as_u64().unwrap_or(500);
            self.ear.silence = (!detection.is_null()).then(|| Duration::from_millis(silence));
            self.creates = detection["create_response"].as_bool().unwrap_or(true);
            self.interrupts = detection["interrupt_response"].as_bool().unwrap_or(true);
        }
        self.transcribes |= input["transcription"].is_object();
        merge(&mut self.session, wanted);
        let session = self.session.clone();
        self.tell("session.updated", json!({"session": session}));
    }

    fn append(&mut self, message: &Value) {
        let audio = message["audio"].as_str().and_then(|audio| self.ear.append(audio, self.input));
        let Some(found) = audio else {
            let why = "Invalid 'audio'. Expected base64-encoded audio bytes.";
            return self.refuse(Some("invalid_value"), why, Some("audio"), message);
        };
        for found in found {
            match found {
                Found::Started { at_ms } => {
                    let item = format!("item_{}", self.turns + 1_000);
                    self.tell(
                        "input_audio_buffer.speech_started",
                        json!({"audio_start_ms": at_ms, "item_id": item}),
                    );
                    if self.interrupts {
                        self.stop("turn_detected");
                    }
                }
                Found::Stopped { at_ms } => {
                    let item = format!("item_{}", self.turns + 1_000);
                    self.tell(
                        "input_audio_buffer.speech_stopped",
                        json!({"audio_end_ms": at_ms, "item_id": item}),
                    );
                    self.turn(Some(item));
                    if self.creates {
                        self.respond(&json!({}));
                    }
                }
            }
        }
    }

    fn commit(&mut self, message: &Value) {
        let length = self.ear.take(self.input);
        if length < LEAST_TURN_MS {
            let why = format!(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but \
                 buffer only has {length}.00ms of audio."
            );
            return self.refuse(Some("input_audio_buffer_commit_empty"), &why, None, message);
        }
        self.turn(None);
    }

    /// What was appended is a turn of the caller's.
    fn turn(&mut self, id: Option<String>) {
        self.ear.take(self.input);
        self.ticket.utterance();
        let id = id.unwrap_or_else(|| self.conversation.new_id());
        let item = Item {
            id: id.clone(),
            role: "user".into(),
            status: "completed",
            said: Said::Audio { transcript: None },
        };
        let previous = self.conversation.insert(item, None).ok().flatten();
        self.tell("input_audio_buffer.committed", json!({"item_id": id, "previous_item_id": previous}));
        self.show(&id, previous);
        let texts = self.mocks.config.realtime_texts();
        let text = texts[(self.turns % texts.len() as u64) as usize].clone();
        self.turns += 1;
        if self.transcribes {
            let delay = Duration::from_millis(self.mocks.config.realtime.transcript_ms);
            self.after(delay, Outgoing::Transcript { item: id, text });
        }
    }

    fn create(&mut self, message: &Value) {
        let wanted = &message["item"];
        let (role, said) = match wanted_item(wanted) {
            Some(item) => item,
            None => {
                let why = format!(
                    "Invalid value: {wanted}. Messages of text and outputs of functions are known here."
                );
                return self.refuse(Some("invalid_value"), &why, Some("item"), message);
            }
        };
        if let Said::Output { call_id, .. } = &said
            && !self.conversation.knows_call(call_id)
        {
            let why = format!("Tool call ID '{call_id}' not found in conversation.");
            return self.refuse(Some("invalid_tool_call_id"), &why, None, message);
        }
        let id = wanted["id"].as_str().map_or_else(|| self.conversation.new_id(), str::to_owned);
        let item = Item { id: id.clone(), role, status: "completed", said };
        match self.conversation.insert(item, message["previous_item_id"].as_str()) {
            Ok(previous) => self.show(&id, previous),
            Err(NoSuchItem) => {
                let why = "The previous item does not exist.";
                self.refuse(
                    Some("item_create_invalid_previous_item"),
                    why,
                    Some("previous_item_id"),
                    message,
                );
            }
        }
    }

    fn show(&mut self, id: &str, previous: Option<String>) {
        let Some(item) = self.conversation.item(id).map(|item| message::item(item)) else { return };
        for kind in ["conversation.item.added", "conversation.item.done"] {
            self.tell(kind, json!({"item": item, "previous_item_id": previous}));
        }
    }

    fn retrieve(&mut self, message: &Value) {
        let id = message["item_id"].as_str().unwrap_or_default();
        match self.conversation.item(id).map(|item| message::item(item)) {
            Some(item) => self.tell("conversation.item.retrieved", json!({"item": item})),
            None => {
                self.refuse(Some("item_retrieve_invalid_item_id"), "No such item.", Some("item_id"), message)
            }
        }
    }

    fn truncate(&mut self, message: &Value) {
        let id = message["item_id"].as_str().unwrap_or_default();
        let end = message["audio_end_ms"].as_u64().unwrap_or(u64::MAX);
        match self.conversation.item(id).map(|item| &mut item.said) {
            Some(Said::Spoken { transcript, audio_ms }) if end <= *audio_ms => {
                // The words behind what was heard are deleted, and it is not known which those are.
                (*transcript, *audio_ms) = (None, end);
                let told =
                    json!({"item_id": id, "content_index": message["content_index"], "audio_end_ms": end});
                self.tell("conversation.item.truncated", told);
            }
            Some(Said::Spoken { audio_ms, .. }) => {
                let why = format!("Audio content of {audio_ms}ms is already shorter than {end}ms");
                self.refuse(Some("invalid_value"), &why, Some("audio_end_ms"), message);
            }
            _ => self.refuse(
                Some("item_truncate_invalid_item_id"),
                "Error truncating item: the item is no audio of the assistant.",
                Some("item_id"),
                message,
            ),
        }
    }

    fn delete(&mut self, message: &Value) {
        let id = message["item_id"].as_str().unwrap_or_default();
        if self.conversation.delete(id) {
            self.tell("conversation.item.deleted", json!({"item_id": id}));
        } else {
            self.refuse(Some("item_delete_invalid_item_id"), "No such item.", Some("item_id"), message);
        }
    }

    fn part(&mut self, at: Duration, response: &str, kind: &str, fields: Value, audio_ms: u64) {
        let event = self.words.event(kind, fields);
        self.after(at, Outgoing::Part { response: response.to_owned(), event, audio_ms });
    }

    fn tell(&mut self, kind: &str, fields: Value) {
        let event = self.words.event(kind, fields);
        self.after(Duration::ZERO, Outgoing::Event(event));
    }

    fn refuse(&mut self, code: Option<&str>, why: &str, param: Option<&str>, of: &Value) {
        let event = self.words.error(code, why, param, of);
        self.after(Duration::ZERO, Outgoing::Event(event));
    }

    /// Sends it then, in the order of their times.
    fn after(&mut self, delay: Duration, outgoing: Outgoing) {
        let due = Instant::now() + delay;
        let at = self.outgoing.partition_point(|(other, _)| *other <= due);
        self.outgoing.insert(at, (due, outgoing));
    }

    /// `None` when that was the end.
    async fn send<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut WebSocketStream<S>,
        outgoing: Outgoing,
    ) -> Option<()> {
        match outgoing {
            Outgoing::Event(event) => socket.send(Message::text(event.to_string())).await.ok(),
            Outgoing::Part { event, audio_ms, .. } => {
                if let Some(answer) = &mut self.answer {
                    answer.sent_ms += audio_ms;
                }
                socket.send(Message::text(event.to_string())).await.ok()
            }
            Outgoing::Transcript { item, text } => {
                self.transcribed(&item, &text);
                Some(())
            }
            Outgoing::Done { .. } => {
                if let Some(answer) = self.answer.take() {
                    self.finish(&answer, "completed", "completed", Value::Null);
                }
                Some(())
            }
            Outgoing::Bytes => socket.send(Message::binary(&b"<html>"[..])).await.ok(),
            Outgoing::Garbage => socket.send(Message::text(GARBAGE)).await.ok(),
            Outgoing::Expired => {
                let why = "Your session hit the maximum duration of 60 minutes.";
                let event = self.words.error(Some("session_expired"), why, None, &Value::Null);
                socket.send(Message::text(event.to_string())).await.ok()?;
                let frame = CloseFrame { code: CloseCode::Library(4_001), reason: "".into() };
                socket.close(Some(frame)).await.ok()?;
                while let Some(Ok(_)) = socket.next().await {}
                None
            }
            Outgoing::Cut => None,
        }
    }
}

/// The item that a client wants: whose it is, and what it holds.
fn wanted_item(wanted: &Value) -> Option<(String, Said)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match wanted["type"].as_str()? {
        "message" => {
            let (role, content) = (text(&wanted["role"])?, &wanted["content"][0]);
            let expected = if role == "assistant" { "output_text" } else { "input_text" };
            let said = Said::Text(text(&content["text"]).filter(|_| content["type"] == expected)?);
            Some((role, said))
        }
        "function_call_output" => {
            let said = Said::Output { call_id: text(&wanted["call_id"])?, output: text(&wanted["output"])? };
            Some((String::new(), said))
        }
        _ => None,
    }
}

fn with(fields: &Value, name: &str, value: Value) -> Value {
    let mut fields = fields.clone();
    fields[name] = value;
    fields
}

/// What is given replaces what is there, object by object.
fn merge(there: &mut Value, given: &Value) {
    match (there, given) {
        (Value::Object(there), Value::Object(given)) => {
            for (name, value) in given {
                merge(there.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (there, given) => *there = given.clone(),
    }
}

/// The first in the queue, at its time; never from an empty one.
async fn next(outgoing: &mut VecDeque<(Instant, Outgoing)>) -> Option<(Instant, Outgoing)> {
    match outgoing.front() {
        Some((due, _)) => sleep_until(*due).await,
        None => std::future::pending().await,
    }
    outgoing.pop_front()
}

/// No JSON.
const GARBAGE: &str = "{\"type\":\"response.output_audio.delta\",\"delta\":\"";

/// The longest session of the service.
const HOUR: Duration = Duration::from_secs(60 * 60);
