//! The messages of the socket, as the description has them.

use super::conversation::{Item, Said};
use serde_json::{Value, json};

/// Messages of one session; each has an id.
#[derive(Debug, Default)]
pub struct Words {
    events: u64,
}

impl Words {
    /// A message of this kind; its fields are added to.
    pub fn event(&mut self, kind: &str, mut fields: Value) -> Value {
        self.events += 1;
        fields["type"] = kind.into();
        fields["event_id"] = format!("event_{}", self.events).into();
        fields
    }

    /// Something cannot be done; `of` is the client's message.
    pub fn error(&mut self, code: Option<&str>, message: &str, param: Option<&str>, of: &Value) -> Value {
        let error = json!({
            "type": "invalid_request_error", "code": code, "message": message, "param": param,
            "event_id": of["event_id"],
        });
        self.event("error", json!({"error": error}))
    }
}

/// An item as it is told.
pub fn item(item: &Item) -> Value {
    let content = match &item.said {
        Said::Audio { transcript } => json!([{"type": "input_audio", "transcript": transcript}]),
        Said::Text(text) => {
            json!([{"type": if item.role == "assistant" { "output_text" } else { "input_text" }, "text": text}])
        }
        Said::Spoken { transcript, .. } => json!([{"type": "output_audio", "transcript": transcript}]),
        Said::Nothing => json!([]),
        Said::Call { call_id, name, arguments } => {
            return json!({
                "id": item.id, "object": "realtime.item", "type": "function_call", "status": item.status,
                "call_id": call_id, "name": name, "arguments": arguments,
            });
        }
        Said::Output { call_id, output } => {
            return json!({
                "id": item.id, "object": "realtime.item", "type": "function_call_output", "status": item.status,
                "call_id": call_id, "output": output,
            });
        }
    };
    json!({
        "id": item.id, "object": "realtime.item", "type": "message", "status": item.status, "role": item.role,
        "content": content,
    })
}

/// An answer as it is told.
pub fn response(id: &str, status: &str, details: Value, output: Vec<Value>, usage: Value) -> Value {
    json!({
        "object": "realtime.response", "id": id, "status": status, "status_details": details, "output": output,
        "conversation_id": "conv_mock", "output_modalities": ["audio"], "max_output_tokens": "inf",
        "usage": usage, "metadata": null,
    })
}
