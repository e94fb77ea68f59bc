use crate::llm::ToolCall;
use crate::services::ServiceError;
use crate::services::error::own_words;
use serde::Deserialize;

/// What one event of the stream says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services) enum Event {
    /// More of the reply.
    Text(String),
    /// A call begins, its arguments follow in pieces.
    Call(ToolCall),
    /// More of its arguments.
    Arguments(String),
    /// A block of text is over, or a call.
    BlockEnd,
    /// The reply is.
    End,
    /// It begins; the model was given so many tokens.
    Begin(u32),
    /// A sign of life, thinking, and events that are not known yet: the service may add some.
    Nothing,
}

/// Reads an event.
pub(in crate::services) fn read(event: &str) -> Result<Event, ServiceError> {
    let message: Message =
        serde_json::from_str(event).map_err(|error| ServiceError::malformed("event", error))?;
    Ok(match message {
        Message::ContentBlockStart { content_block: Block::ToolUse { id, name } } => {
            Event::Call(ToolCall { id, name, arguments: String::new() })
        }
        Message::ContentBlockStart { content_block: Block::Text { text } }
        | Message::ContentBlockDelta { delta: Delta::Text { text } } => words(text),
        Message::ContentBlockDelta { delta: Delta::InputJson { partial_json } } => {
            Event::Arguments(partial_json)
        }
        Message::ContentBlockStop {} => Event::BlockEnd,
        Message::Stop {} => Event::End,
        Message::Start { message: Begun { usage: Some(usage) } } => Event::Begin(usage.tokens()),
        Message::Error { error: Failure { kind, message } } => {
            let message = format!("{kind}: {message}");
            return Err(ServiceError::Failed { message: own_words(message.as_bytes()) });
        }
        Message::Start { .. }
        | Message::ContentBlockStart { .. }
        | Message::ContentBlockDelta { .. }
        | Message::Other => Event::Nothing,
    })
}

fn words(text: String) -> Event {
    if text.is_empty() { Event::Nothing } else { Event::Text(text) }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message {
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    ContentBlockStop {},
    #[serde(rename = "message_stop")]
    Stop {},
    #[serde(rename = "message_start")]
    Start {
        message: Begun,
    },
    Error {
        error: Failure,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Begun {
    #[serde(default)]
    usage: Option<Usage>,
}

/// What was read from a cache, or written to it, is not among the input.
#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    input_tokens: Option<u32>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u32>,
    #[serde(default)]
    cache_read_input_tokens: Option<u32>,
}

impl Usage {
    fn tokens(&self) -> u32 {
        let Self { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = self;
        let all = [input_tokens, cache_creation_input_tokens, cache_read_input_tokens];
        all.into_iter().flatten().fold(0, |sum, tokens| sum.saturating_add(*tokens))
    }
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "type")]
    kind: String,
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_calls_and_the_end_are_told_from_all_else() {
        let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}"#;
        assert_eq!(read(delta).unwrap(), Event::Text("Hel".into()));
        let start = r#"{"type":"content_block_start","index":1,
            "content_block":{"type":"tool_use","id":"toolu_1","name":"add","input":{}}}"#;
        let call = ToolCall { id: "toolu_1".into(), name: "add".into(), arguments: String::new() };
        assert_eq!(read(start).unwrap(), Event::Call(call));
        let piece = r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a"}}"#;
        assert_eq!(read(piece).unwrap(), Event::Arguments("{\"a".into()));
        assert_eq!(read(r#"{"type":"content_block_stop","index":1}"#).unwrap(), Event::BlockEnd);
        assert_eq!(read(r#"{"type":"message_stop"}"#).unwrap(), Event::End);
        let begin = r#"{"type":"message_start","message":{"id":"m","content":[],
            "usage":{"input_tokens":20,"cache_read_input_tokens":2000,"output_tokens":1}}}"#;
        assert_eq!(read(begin).unwrap(), Event::Begin(2_020));
        for nothing in [
            r#"{"type":"ping"}"#,
            r#"{"type":"message_start","message":{"id":"m","content":[]}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            r#"{"type":"something_new"}"#,
        ] {
            assert_eq!(read(nothing).unwrap(), Event::Nothing, "{nothing}");
        }
    }

    #[test]
    fn an_overloaded_service_says_so() {
        let event = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        let error = read(event).unwrap_err().to_string();
        assert_eq!(error, "failed inside its answer: overloaded_error: Overloaded");
    }
}
