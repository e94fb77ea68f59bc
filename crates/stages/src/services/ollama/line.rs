use crate::services::ServiceError;
use crate::services::error::failure_in;
use crate::services::lenient::{Arguments, Count, Flag, List, Object, Text, Words};
use crate::services::records::{self, Held};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What one line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::services) struct Line {
    /// More of the reply.
    pub(super) text: String,
    /// More of what the model thought.
    pub(super) thinking: String,
    /// Calls, each whole; ids are often missing.
    pub(super) calls: Vec<Call>,
    /// Why the model stops.
    pub(super) reason: Option<String>,
    /// It is the last one.
    pub(super) done: bool,
    /// Tokens that the model was given.
    pub(super) tokens: Option<u32>,
}

/// A call.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::services) struct Call {
    #[serde(default)]
    pub(super) id: Text,
    #[serde(default)]
    pub(super) function: Object<Function>,
    #[serde(default, rename = "type")]
    _kind: Text,
    /// The provider's own fields.
    #[serde(flatten)]
    pub(super) own: Map<String, Value>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::services) struct Function {
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) arguments: Arguments,
}

/// Reads a line.
pub(in crate::services) fn read(line: &str) -> Result<Vec<Line>, ServiceError> {
    let read = |held| match held {
        Held::Done => Ok(Line { done: true, ..Line::default() }),
        Held::Value(chat) => Chat::read(chat),
    };
    records::read(line, "line")?.into_iter().map(read).collect()
}

#[derive(Default, Deserialize)]
struct Chat {
    #[serde(default)]
    message: Object<Message>,
    #[serde(default)]
    done: Flag,
    #[serde(default)]
    done_reason: Text,
    #[serde(default)]
    prompt_eval_count: Count,
    #[serde(default)]
    error: Value,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    content: Words,
    #[serde(default)]
    thinking: Text,
    #[serde(default)]
    tool_calls: List<Call>,
}

impl Chat {
    fn read(self) -> Result<Line, ServiceError> {
        if let Some(failure) = failure_in(&self.error) {
            return Err(failure);
        }
        let Object(Message { content, thinking, tool_calls }) = self.message;
        Ok(Line {
            text: content.text,
            thinking: thinking.0.unwrap_or_default(),
            calls: tool_calls.0,
            reason: self.done_reason.0,
            done: self.done.0,
            tokens: self.prompt_eval_count.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(line: &str) -> Line {
        let mut lines = read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(lines.len() <= 1, "{line}");
        lines.pop().unwrap_or_default()
    }

    #[test]
    fn words_calls_and_the_end_are_told_from_all_else() {
        let words =
            r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"Hel"},"done":false}"#;
        assert_eq!(only(words), Line { text: "Hel".into(), ..Line::default() });
        let thinking = r#"{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#;
        assert_eq!(only(thinking), Line { thinking: "hm".into(), ..Line::default() });
        let call =
            r#"{"message":{"content":"","tool_calls":[{"function":{"name":"add","arguments":{"a":1}}}]}}"#;
        let calls = only(call).calls;
        let Object(Function { name, arguments }) = &calls[0].function;
        assert_eq!((name.0.as_deref(), arguments.0.as_str()), (Some("add"), r#"{"a":1}"#));
        let last = r#"{"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":26}"#;
        let expected = Line { done: true, reason: Some("stop".into()), tokens: Some(26), ..Line::default() };
        assert_eq!(only(last), expected);
        assert_eq!(only("[DONE]"), Line { done: true, ..Line::default() });
    }

    #[test]
    fn null_and_other_types_are_nothing() {
        for nothing in [
            "null",
            r#"{"message":null,"done":null,"error":null}"#,
            r#"{"message":{"content":null,"tool_calls":null,"thinking":null},"done":"false"}"#,
            r#"{"message":{"content":[],"tool_calls":[null]},"prompt_eval_count":-1}"#,
            r#"data: {"message":[],"error":""}"#,
        ] {
            assert_eq!(only(nothing), Line::default(), "{nothing}");
        }
        let parts =
            r#"{"message":{"content":[{"type":"text","text":"On "},{"type":"text","text":"Monday."}]}}"#;
        assert_eq!(only(parts).text, "On Monday.");
        assert_eq!(only(r#"{"prompt_eval_count":26.0}"#).tokens, Some(26));
    }

    #[test]
    fn an_error_inside_a_good_answer_is_told_in_the_services_words() {
        let error = read(r#"{"error":"an error was encountered while running the model: EOF"}"#).unwrap_err();
        let expected = "failed inside its answer: an error was encountered while running the model: EOF";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn garbage_is_told_with_its_place() {
        let error = read("{\"message\": oh}").unwrap_err().to_string();
        assert_eq!(error, "malformed line: expected value at line 1 column 13");
    }
}
