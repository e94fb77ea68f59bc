use crate::llm::ToolCall;
use crate::services::ServiceError;
use crate::services::error::{message_in, own_words};
use serde::Deserialize;
use serde_json::Value;

/// What one line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::services) struct Line {
    /// More of the reply.
    pub(super) text: Option<String>,
    /// Calls, each whole; ids are often missing.
    pub(super) calls: Vec<ToolCall>,
    /// It is the last one.
    pub(super) done: bool,
    /// Tokens that the model was given.
    pub(super) tokens: Option<u32>,
}

/// Reads a line.
pub(in crate::services) fn read(line: &str) -> Result<Line, ServiceError> {
    let chat: Chat = serde_json::from_str(line).map_err(|error| ServiceError::malformed("line", error))?;
    if let Some(error) = chat.error.filter(|error| !error.is_null()) {
        let message = error.as_str().map(str::to_owned).or_else(|| message_in(&error));
        let message = message.unwrap_or_else(|| error.to_string());
        return Err(ServiceError::Failed { message: own_words(message.as_bytes()) });
    }
    let Message { content, tool_calls } = chat.message.unwrap_or_default();
    let calls = tool_calls.unwrap_or_default().into_iter().map(Call::whole).collect();
    Ok(Line {
        text: content.filter(|text| !text.is_empty()),
        calls,
        done: chat.done,
        tokens: chat.prompt_eval_count,
    })
}

#[derive(Deserialize)]
struct Chat {
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    prompt_eval_count: Option<u32>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    id: Option<String>,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: Value,
}

impl Call {
    fn whole(self) -> ToolCall {
        let arguments = match self.function.arguments {
            Value::Null => "{}".to_owned(),
            arguments => arguments.to_string(),
        };
        ToolCall { id: self.id.unwrap_or_default(), name: self.function.name, arguments }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_calls_and_the_end_are_told_from_all_else() {
        let words =
            r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"Hel"},"done":false}"#;
        assert_eq!(read(words).unwrap(), Line { text: Some("Hel".into()), ..Line::default() });
        let thinking = r#"{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#;
        assert_eq!(read(thinking).unwrap(), Line::default());
        let call =
            r#"{"message":{"content":"","tool_calls":[{"function":{"name":"add","arguments":{"a":1}}}]}}"#;
        let arguments = r#"{"a":1}"#.into();
        assert_eq!(
            read(call).unwrap().calls,
            [ToolCall { id: String::new(), name: "add".into(), arguments }]
        );
        let last = r#"{"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":26}"#;
        assert_eq!(read(last).unwrap(), Line { done: true, tokens: Some(26), ..Line::default() });
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
