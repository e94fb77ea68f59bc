use crate::llm::CachedTokens;
use crate::services::ServiceError;
use crate::services::chat::FinishReason;
use crate::services::error::failure_in;
use crate::services::lenient::{Arguments, Count, List, Object, Text, Words};
use crate::services::records::{self, Held};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What one event of the stream says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::services) struct Chunk {
    /// More of the reply.
    pub(super) text: String,
    /// Some of it was thought.
    pub(super) thought: bool,
    /// The model says that it does not answer.
    pub(super) refused: bool,
    /// More of the calls.
    pub(super) calls: Vec<CallPiece>,
    /// Fields of the message that the provider wants back with its calls.
    pub(super) own: Map<String, Value>,
    /// Why the model stops.
    pub(super) finish: Option<FinishReason>,
    /// It is about the whole stream, and has no part of the reply.
    pub(super) about: bool,
    /// `[DONE]`.
    pub(super) end: bool,
    /// Tokens that the model was given.
    pub(super) tokens: Option<u32>,
    /// What of them the service remembers between requests.
    pub(super) cached: CachedTokens,
}

/// A piece of a call: its first one names it.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::services) struct CallPiece {
    #[serde(default)]
    pub(super) index: Count,
    #[serde(default)]
    pub(super) id: Text,
    #[serde(default)]
    pub(super) function: Object<FunctionPiece>,
    #[serde(default, rename = "type")]
    _kind: Text,
    /// The provider's own fields.
    #[serde(flatten)]
    pub(super) own: Map<String, Value>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::services) struct FunctionPiece {
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) arguments: Arguments,
}

/// Reads an event.
pub(in crate::services) fn read(event: &str) -> Result<Vec<Chunk>, ServiceError> {
    let chunk = |held| match held {
        Held::Done => Ok(Chunk { end: true, ..Chunk::default() }),
        Held::Value(completion) => Completion::read(completion),
    };
    records::read(event, "event")?.into_iter().map(chunk).collect()
}

#[derive(Default, Deserialize)]
struct Completion {
    #[serde(default)]
    choices: List<Choice>,
    #[serde(default)]
    usage: Object<Usage>,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    object: Text,
    #[serde(default)]
    message: Text,
}

#[derive(Default, Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    prompt_tokens_details: Object<PromptTokens>,
}

#[derive(Default, Deserialize)]
struct PromptTokens {
    #[serde(default)]
    cached_tokens: Count,
}

#[derive(Default, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Object<Delta>,
    /// What is not streamed comes whole.
    #[serde(default)]
    message: Object<Delta>,
    #[serde(default)]
    finish_reason: Text,
}

#[derive(Default, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Words,
    #[serde(default)]
    refusal: Text,
    #[serde(default)]
    tool_calls: List<CallPiece>,
    /// As calls were written before there could be several.
    #[serde(default)]
    function_call: Object<FunctionPiece>,
    #[serde(flatten)]
    own: Map<String, Value>,
}

impl Completion {
    fn read(self) -> Result<Chunk, ServiceError> {
        // Some servers have the error object itself for an event.
        let bare = self.message.0.filter(|_| self.object.0.as_deref() == Some("error")).map(Value::String);
        if let Some(failure) = failure_in(&bare.unwrap_or(self.error)) {
            return Err(failure);
        }
        let Usage { prompt_tokens: Count(tokens), prompt_tokens_details: Object(details) } = self.usage.0;
        let cached = CachedTokens { read: details.cached_tokens.0.unwrap_or(0), written: 0 };
        // Behind the last one comes a chunk about usage, without any.
        let Some(choice) = self.choices.0.into_iter().next() else {
            return Ok(Chunk { tokens, cached, about: tokens.is_some(), ..Chunk::default() });
        };
        let finish = choice.finish_reason.0.as_deref().and_then(FinishReason::read);
        Ok(Chunk { tokens, cached, finish, ..choice.delta.0.joined(choice.message.0) })
    }
}

impl Delta {
    /// One of both is empty.
    fn joined(self, whole: Self) -> Chunk {
        let mut chunk = self.read();
        let other = whole.read();
        chunk.text += &other.text;
        chunk.thought |= other.thought;
        chunk.refused |= other.refused;
        chunk.calls.extend(other.calls);
        chunk.own.extend(other.own);
        chunk
    }

    fn read(mut self) -> Chunk {
        let Object(function) = self.function_call;
        let mut calls = self.tool_calls.0;
        if function != FunctionPiece::default() {
            calls.push(CallPiece { function: Object(function), ..CallPiece::default() });
        }
        self.own.retain(|name, value| is_thought(name) && !is_nothing(value));
        Chunk {
            text: self.content.text,
            thought: self.content.thought || !self.own.is_empty(),
            refused: self.refusal.given().is_some(),
            calls,
            own: self.own,
            ..Chunk::default()
        }
    }
}

/// What providers call what a model thought, and what they want back of it.
fn is_thought(name: &str) -> bool {
    ["reasoning", "thinking", "thought"].iter().any(|kind| name.starts_with(kind))
        || matches!(name, "extra_content" | "provider_specific_fields")
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(event: &str) -> Chunk {
        let mut chunks = read(event).unwrap_or_else(|error| panic!("{event}: {error}"));
        assert!(chunks.len() <= 1, "{event}");
        chunks.pop().unwrap_or_default()
    }

    #[test]
    fn words_and_the_end_are_told_from_all_else() {
        let words = r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}"#;
        assert_eq!(only(words), Chunk { text: "Hel".into(), ..Chunk::default() });
        for nothing in [
            r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[],"usage":{"total_tokens":3}}"#,
            r#"{"choices":[],"error":null}"#,
        ] {
            assert_eq!(only(nothing), Chunk::default(), "{nothing}");
        }
        let usage =
            r#"{"choices":[],"usage":{"prompt_tokens":57,"prompt_tokens_details":{"cached_tokens":32}}}"#;
        let cached = CachedTokens { read: 32, written: 0 };
        assert_eq!(only(usage), Chunk { tokens: Some(57), cached, about: true, ..Chunk::default() });
        let last = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(only(last), Chunk { finish: Some(FinishReason::Stop), ..Chunk::default() });
        assert_eq!(only(" [DONE]"), Chunk { end: true, ..Chunk::default() });
    }

    #[test]
    fn null_and_other_types_where_a_list_or_an_object_is_due_are_nothing() {
        for nothing in [
            "null",
            "",
            "[]",
            "{}",
            r#"{"choices":null,"usage":null}"#,
            r#"{"choices":[null],"usage":{"prompt_tokens":-1}}"#,
            r#"{"choices":[{"delta":null,"finish_reason":""}]}"#,
            r#"{"choices":[{"delta":[],"finish_reason":"null"}]}"#,
            r#"{"choices":[{"delta":{"content":null,"tool_calls":null,"function_call":null,"refusal":null}}]}"#,
            r#"{"choices":[{"delta":{"content":[],"tool_calls":[null],"reasoning_content":null}}]}"#,
            r#"{"choices":{},"error":{}}"#,
            r#"{"choices":[],"error":""}"#,
        ] {
            assert_eq!(only(nothing), Chunk::default(), "{nothing}");
        }
    }

    #[test]
    fn an_answer_that_is_not_streamed_is_a_chunk_too() {
        let whole = r#"{"object":"chat.completion","usage":{"prompt_tokens":5.0},"choices":[{"index":0,"message":
            {"role":"assistant","content":[{"type":"text","text":"On Monday."}]},"finish_reason":"stop"}]}"#;
        let expected = Chunk {
            text: "On Monday.".into(),
            finish: Some(FinishReason::Stop),
            tokens: Some(5),
            ..Chunk::default()
        };
        assert_eq!(only(whole), expected);
    }

    #[test]
    fn thoughts_are_not_said_but_kept() {
        let chunk = only(r#"{"choices":[{"delta":{"reasoning_content":"hmm","obfuscation":"x"}}]}"#);
        assert_eq!((chunk.text.as_str(), chunk.thought), ("", true));
        assert_eq!(chunk.own.into_iter().collect::<Vec<_>>(), [("reasoning_content".into(), "hmm".into())]);
    }

    #[test]
    fn events_without_a_blank_line_between_them_are_events_all_the_same() {
        let two = "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n[DONE]";
        let chunks = read(two).unwrap();
        assert_eq!((chunks[0].text.as_str(), chunks[1].text.as_str(), chunks[2].end), ("a", "b", true));
    }

    #[test]
    fn an_error_inside_a_good_answer_is_told_in_the_services_words() {
        for (event, expected) in [
            (r#"{"error":{"message":"out of memory","code":500}}"#, "out of memory"),
            (r#"{"choices":null,"error":"out of memory"}"#, "out of memory"),
            (r#"{"object":"error","message":"out of memory","code":500}"#, "out of memory"),
            (r#"{"error":{"code":500}}"#, "{\"code\":500}"),
        ] {
            let error = read(event).unwrap_err().to_string();
            assert_eq!(error, format!("failed inside its answer: {expected}"), "{event}");
        }
    }

    #[test]
    fn garbage_is_told_with_its_place() {
        let error = read(r#"{"choices": oh}"#).unwrap_err().to_string();
        assert_eq!(error, "malformed event: expected value at line 1 column 13");
    }
}
