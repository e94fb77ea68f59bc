use crate::services::ServiceError;
use crate::services::error::own_words;
use serde_json::Value;

/// What the server says in JSON.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services) enum Message {
    /// What the caller said.
    Caller { text: String, last: bool },
    /// What the answer says.
    Answer(String),
    /// The answer is over.
    End,
    /// What is not known here.
    Other,
}

/// Reads a message. Servers of this kind agree on no names: whose words they are is told by `role`, `speaker` or
/// `type`, the words by `text`, `transcript` or `content`.
pub(in crate::services) fn read(text: &str) -> Result<Message, ServiceError> {
    let json: Value =
        serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    let named = |names: &[&str]| names.iter().find_map(|name| json[name].as_str()).unwrap_or_default();
    let kind = named(&["type", "event"]).to_lowercase();
    if kind == "error" || json["error"].is_string() {
        let words = named(&["message", "error", "detail"]);
        return Err(ServiceError::Failed { message: own_words(words.as_bytes()) });
    }
    let words = named(&["text", "transcript", "content"]).trim().to_owned();
    if words.is_empty() {
        let over = ENDS.iter().any(|end| kind.contains(end));
        return Ok(if over { Message::End } else { Message::Other });
    }
    let who = named(&["role", "speaker"]).to_lowercase();
    let who = if who.is_empty() { &kind } else { &who };
    let last = ["final", "is_final"].iter().all(|name| json[name].as_bool().unwrap_or(true));
    Ok(match who {
        who if BOT.iter().any(|bot| who.contains(bot)) => Message::Answer(words),
        who if CALLER.iter().any(|caller| who.contains(caller)) => Message::Caller { text: words, last },
        _ => Message::Other,
    })
}

const BOT: [&str; 5] = ["assistant", "bot", "agent", "response", "answer"];
const CALLER: [&str; 5] = ["user", "caller", "human", "transcript", "transcription"];
const ENDS: [&str; 4] = ["done", "end", "complete", "finished"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_by_who_said_them() {
        let caller = |text: &str, last| Message::Caller { text: text.into(), last };
        for (text, message) in [
            (r#"{"type":"transcript","role":"user","text":" hello "}"#, caller("hello", true)),
            (r#"{"type":"transcription","text":"hel","final":false}"#, caller("hel", false)),
            (r#"{"type":"transcript","role":"assistant","text":"hi"}"#, Message::Answer("hi".into())),
            (r#"{"type":"response","content":"hi"}"#, Message::Answer("hi".into())),
            (r#"{"type":"audio_end"}"#, Message::End),
            (r#"{"type":"status","text":"loading"}"#, Message::Other),
            ("7", Message::Other),
        ] {
            assert_eq!(read(text).unwrap(), message, "{text}");
        }
    }

    #[test]
    fn errors_and_garbage_are_told() {
        let error = read(r#"{"type":"error","message":"no\nmodel"}"#).unwrap_err().to_string();
        assert_eq!(error, "failed inside its answer: no model");
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: "));
    }
}
