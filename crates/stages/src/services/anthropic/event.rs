use crate::llm::CachedTokens;
use crate::services::ServiceError;
use crate::services::error::{failure_in, own_words};
use crate::services::lenient::{Arguments, Count, List, Object, Text};
use crate::services::records::{self, Held};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What one event of the stream says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services) enum Event {
    /// A block begins.
    Begin(Option<u32>, Block),
    /// More of a block.
    More(Option<u32>, Block),
    /// A block is over.
    BlockEnd(Option<u32>),
    /// Why the model stops.
    Stop(String),
    /// The reply is over.
    End,
    /// The model was given so many tokens, of which some are remembered.
    Tokens(u32, CachedTokens),
}

/// A block, or a piece of one.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services) enum Block {
    /// Of the reply.
    Text(String),
    /// A call, with arguments as far as they are known.
    Call { id: String, name: String, arguments: String },
    /// More of a call's arguments.
    Arguments(String),
    /// What the model thought: to be given back as it came.
    Thought(Map<String, Value>),
    /// What is not known yet: the service may add kinds.
    Other,
}

/// Reads an event.
pub(in crate::services) fn read(event: &str) -> Result<Vec<Event>, ServiceError> {
    let mut events = Vec::new();
    for held in records::read::<Message>(event, "event")? {
        match held {
            Held::Done => events.push(Event::End),
            Held::Value(message) => message.read(&mut events)?,
        }
    }
    Ok(events)
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    index: Count,
    #[serde(default)]
    message: Object<Begun>,
    #[serde(default)]
    content_block: Object<Piece>,
    #[serde(default)]
    delta: Object<Piece>,
    #[serde(default)]
    error: Value,
    /// An answer that is not streamed comes whole.
    #[serde(flatten)]
    whole: Begun,
}

#[derive(Default, Deserialize)]
struct Begun {
    #[serde(default)]
    usage: Object<Usage>,
    #[serde(default)]
    content: List<Object<Piece>>,
    #[serde(default)]
    stop_reason: Text,
}

/// What was read from a cache, or written to it, is not among the input.
#[derive(Default, Deserialize)]
struct Usage {
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    cache_creation_input_tokens: Count,
    #[serde(default)]
    cache_read_input_tokens: Count,
}

#[derive(Default, Deserialize)]
struct Piece {
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    text: Text,
    #[serde(default)]
    id: Text,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    input: Arguments,
    #[serde(default)]
    partial_json: Arguments,
    #[serde(default)]
    stop_reason: Text,
    #[serde(default)]
    thinking: Text,
    #[serde(default)]
    signature: Text,
    #[serde(default)]
    data: Text,
}

impl Message {
    fn read(self, events: &mut Vec<Event>) -> Result<(), ServiceError> {
        let index = self.index.0;
        match self.kind.0.as_deref().unwrap_or_default() {
            "error" => return Err(self.failure()),
            "message_start" => events.extend(self.message.0.usage.0.read()),
            "content_block_start" => events.push(Event::Begin(index, self.content_block.0.read())),
            "content_block_delta" => events.push(Event::More(index, self.delta.0.read())),
            "content_block_stop" => events.push(Event::BlockEnd(index)),
            "message_delta" => events.extend(self.delta.0.stop_reason.0.map(Event::Stop)),
            "message_stop" => events.push(Event::End),
            "message" => events.extend(self.whole.read()),
            _ => failure_in(&self.error).map_or(Ok(()), Err)?,
        }
        Ok(())
    }

    fn failure(&self) -> ServiceError {
        let kind = self.error.get("type").and_then(Value::as_str);
        let message = self.error.get("message").and_then(Value::as_str);
        match (kind, message) {
            (Some(kind), Some(message)) => {
                ServiceError::Failed { message: own_words(format!("{kind}: {message}").as_bytes()) }
            }
            _ => failure_in(&self.error).unwrap_or_else(|| ServiceError::Failed { message: own_words(b"") }),
        }
    }
}

impl Begun {
    fn read(self) -> impl Iterator<Item = Event> {
        let tokens = self.usage.0.read();
        let stop = self.stop_reason.0.map(Event::Stop);
        let blocks = self.content.0.into_iter().map(|Object(piece)| Event::Begin(None, piece.read()));
        tokens.into_iter().chain(blocks).chain(stop).chain([Event::End])
    }
}

impl Usage {
    fn read(&self) -> Option<Event> {
        let Self { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = self;
        let all = [input_tokens, cache_creation_input_tokens, cache_read_input_tokens];
        let given = all.into_iter().filter_map(|count| count.0).reduce(u32::saturating_add)?;
        let count = |count: &Count| count.0.unwrap_or(0);
        let (read, written) = (count(cache_read_input_tokens), count(cache_creation_input_tokens));
        Some(Event::Tokens(given, CachedTokens { read, written }))
    }
}

impl Piece {
    /// Of a block or of a delta: those of one kind have the same fields.
    fn read(self) -> Block {
        let thinking = self.thinking.0.unwrap_or_default();
        let field = |name: &str, text: Text| (name.to_owned(), Value::from(text.0.unwrap_or_default()));
        match self.kind.0.as_deref().unwrap_or_default() {
            "text" | "text_delta" => Block::Text(self.text.0.unwrap_or_default()),
            "tool_use" => Block::Call {
                id: self.id.0.unwrap_or_default(),
                name: self.name.0.unwrap_or_default(),
                arguments: self.input.0,
            },
            "input_json_delta" => Block::Arguments(self.partial_json.0),
            kind @ ("thinking" | "thinking_delta" | "signature_delta") => {
                let mut thought = json!({"type": "thinking", "thinking": thinking, "signature": ""});
                if let (Some(signature), true) = (self.signature.0, kind != "thinking_delta") {
                    thought["signature"] = signature.into();
                }
                Block::Thought(thought.as_object().cloned().unwrap_or_default())
            }
            "redacted_thinking" => {
                let kind = ("type".to_owned(), Value::from("redacted_thinking"));
                Block::Thought([kind, field("data", self.data)].into_iter().collect())
            }
            _ => Block::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(event: &str) -> Option<Event> {
        let mut events = read(event).unwrap_or_else(|error| panic!("{event}: {error}"));
        assert!(events.len() <= 1, "{event}");
        events.pop()
    }

    #[test]
    fn words_calls_and_the_end_are_told_from_all_else() {
        let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}"#;
        assert_eq!(only(delta), Some(Event::More(Some(0), Block::Text("Hel".into()))));
        let start = r#"{"type":"content_block_start","index":1,
            "content_block":{"type":"tool_use","id":"toolu_1","name":"add","input":{}}}"#;
        let call = Block::Call { id: "toolu_1".into(), name: "add".into(), arguments: "{}".into() };
        assert_eq!(only(start), Some(Event::Begin(Some(1), call)));
        let piece = r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a"}}"#;
        assert_eq!(only(piece), Some(Event::More(Some(1), Block::Arguments("{\"a".into()))));
        assert_eq!(only(r#"{"type":"content_block_stop","index":1}"#), Some(Event::BlockEnd(Some(1))));
        assert_eq!(only(r#"{"type":"message_stop"}"#), Some(Event::End));
        let begin = r#"{"type":"message_start","message":{"id":"m","content":[],
            "usage":{"input_tokens":20,"cache_read_input_tokens":2000.0,"cache_creation_input_tokens":5,
            "output_tokens":1}}}"#;
        let cached = CachedTokens { read: 2_000, written: 5 };
        assert_eq!(only(begin), Some(Event::Tokens(2_025, cached)));
        let stop =
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#;
        assert_eq!(only(stop), Some(Event::Stop("end_turn".into())));
    }

    #[test]
    fn null_and_other_types_are_nothing() {
        for nothing in [
            "null",
            "{}",
            r#"{"type":"ping"}"#,
            r#"{"type":"something_new"}"#,
            r#"{"type":"message_start","message":null}"#,
            r#"{"type":"message_start","message":{"usage":{"input_tokens":-1,"output_tokens":null}}}"#,
            r#"{"type":"message_delta","delta":null,"usage":null}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":null}}"#,
        ] {
            assert_eq!(only(nothing), None, "{nothing}");
        }
        for (event, block) in [
            (r#"{"type":"content_block_start","index":0,"content_block":null}"#, Block::Other),
            (r#"{"type":"content_block_delta","delta":null}"#, Block::Other),
        ] {
            assert!(
                matches!(only(event), Some(Event::Begin(_, found) | Event::More(_, found)) if found == block)
            );
        }
    }

    #[test]
    fn an_answer_that_is_not_streamed_has_all_of_it() {
        let whole = r#"{"type":"message","role":"assistant","stop_reason":"end_turn","usage":{"input_tokens":3},
            "content":[{"type":"text","text":"On Monday."}]}"#;
        let text = Event::Begin(None, Block::Text("On Monday.".into()));
        let expected =
            [Event::Tokens(3, CachedTokens::default()), text, Event::Stop("end_turn".into()), Event::End];
        assert_eq!(read(whole).unwrap(), expected);
    }

    #[test]
    fn an_overloaded_service_says_so() {
        for (event, expected) in [
            (
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                "overloaded_error: Overloaded",
            ),
            (r#"{"type":"error","error":"Overloaded"}"#, "Overloaded"),
            (r#"{"error":{"message":"Overloaded"}}"#, "Overloaded"),
            (r#"{"type":"error","error":null}"#, "without a word of why"),
        ] {
            let error = read(event).unwrap_err().to_string();
            assert_eq!(error, format!("failed inside its answer: {expected}"));
        }
    }
}
