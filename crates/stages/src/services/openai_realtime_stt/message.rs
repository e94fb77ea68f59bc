use crate::services::error::{message_in, own_words};
use crate::services::lenient::Text;
use crate::services::{Phase, ServiceError};
use serde::Deserialize;

/// What the service says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services) enum Message {
    /// The audio so far is this item.
    Committed(String),
    /// There was no audio to be one.
    Empty,
    /// A message of ours was refused; the service's own words.
    Refused(String),
    /// More words of an item.
    Delta {
        /// Which.
        item: String,
        /// A piece of its text.
        text: String,
    },
    /// All words of an item.
    Completed {
        /// Which.
        item: String,
        /// As the service writes it.
        text: String,
    },
    /// What is not known here.
    Other,
}

/// Reads a message.
pub(in crate::services) fn read(text: &str) -> Result<Message, ServiceError> {
    let raw: Raw = serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    let Raw { kind: Text(kind), item_id: Text(item), delta, transcript } = raw;
    let kind = kind.unwrap_or_default();
    let item = || item.ok_or_else(|| ServiceError::malformed("message", format!("{kind} without item_id")));
    match kind.as_str() {
        "input_audio_buffer.committed" => item().map(Message::Committed),
        "conversation.item.input_audio_transcription.delta" => {
            Ok(Message::Delta { item: item()?, text: delta.0.unwrap_or_default() })
        }
        "conversation.item.input_audio_transcription.completed" => {
            let text = transcript.0.unwrap_or_default().trim().to_owned();
            Ok(Message::Completed { item: item()?, text })
        }
        "error" | "conversation.item.input_audio_transcription.failed" => failure(text),
        _ => Ok(Message::Other),
    }
}

fn failure(text: &str) -> Result<Message, ServiceError> {
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let said = own_words(message_in(&json).unwrap_or_default().as_bytes());
    match json.pointer("/error/code").and_then(|code| code.as_str()) {
        Some("input_audio_buffer_commit_empty") => Ok(Message::Empty),
        // Another one may be had at once.
        Some("session_expired") => Err(ServiceError::cut(Phase::Answer, said)),
        _ if json.pointer("/error/type").is_some_and(|kind| kind == "invalid_request_error") => {
            Ok(Message::Refused(said))
        }
        _ => Err(ServiceError::Failed { message: said }),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(rename = "type")]
    kind: Text,
    item_id: Text,
    delta: Text,
    transcript: Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_with_their_item() {
        let text =
            r#"{"type":"input_audio_buffer.committed","event_id":"e","previous_item_id":null,"item_id":"a"}"#;
        assert_eq!(read(text).unwrap(), Message::Committed("a".into()));
        let text = r#"{"type":"conversation.item.input_audio_transcription.delta","event_id":"e","item_id":"a",
            "content_index":0,"delta":" There"}"#;
        assert_eq!(read(text).unwrap(), Message::Delta { item: "a".into(), text: " There".into() });
        let text = r#"{"type":"conversation.item.input_audio_transcription.completed","event_id":"e","item_id":"a",
            "content_index":0,"transcript":"Hello there. ","usage":{"type":"duration","seconds":1}}"#;
        assert_eq!(read(text).unwrap(), Message::Completed { item: "a".into(), text: "Hello there.".into() });
    }

    #[test]
    fn what_is_not_about_words_is_passed_over() {
        for text in [
            r#"{"type":"session.created","session":{"type":"transcription"}}"#,
            r#"{"type":"conversation.item.added","item":{"id":"a"}}"#,
            r#"{"type":"input_audio_buffer.cleared","event_id":"e"}"#,
            r#"{"type":null,"item_id":7,"delta":{}}"#,
            "{}",
        ] {
            assert_eq!(read(text).unwrap(), Message::Other, "{text}");
        }
    }

    #[test]
    fn errors_are_told_unless_they_mean_nothing_or_the_end_of_a_session() {
        let error = |code: &str| {
            let error = serde_json::json!({"type": "x", "code": code, "message": "it is so"});
            read(&serde_json::json!({"type": "error", "event_id": "e", "error": error}).to_string())
        };
        assert_eq!(error("input_audio_buffer_commit_empty").unwrap(), Message::Empty);
        assert_eq!(error("invalid_model").unwrap_err().to_string(), "failed inside its answer: it is so");
        let expired = error("session_expired").unwrap_err().to_string();
        assert_eq!(expired, "the connection ended inside the answer: it is so");
        let refused = r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#;
        assert_eq!(read(refused).unwrap(), Message::Refused("no".into()));
        let failed = r#"{"type":"conversation.item.input_audio_transcription.failed","item_id":"a",
            "error":{"message":"no"}}"#;
        assert_eq!(read(failed).unwrap_err().to_string(), "failed inside its answer: no");
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: expected"));
        let nameless = read(r#"{"type":"input_audio_buffer.committed"}"#).unwrap_err().to_string();
        assert_eq!(nameless, "malformed message: input_audio_buffer.committed without item_id");
    }
}
