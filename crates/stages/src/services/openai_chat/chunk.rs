use crate::services::ServiceError;
use crate::services::error::{message_in, own_words};
use serde::Deserialize;

/// What one event of the stream says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::services) struct Chunk {
    /// More of the reply.
    pub(super) text: Option<String>,
    /// More of the calls.
    pub(super) calls: Vec<CallPiece>,
    /// The model stops.
    pub(super) last: bool,
    /// `[DONE]`.
    pub(super) end: bool,
    /// Tokens that the model was given.
    pub(super) tokens: Option<u32>,
}

/// A piece of a call: its first one names it.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::services) struct CallPiece {
    #[serde(default)]
    pub(super) index: Option<usize>,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) function: FunctionPiece,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::services) struct FunctionPiece {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) arguments: Option<String>,
}

/// Reads an event.
pub(in crate::services) fn read(event: &str) -> Result<Chunk, ServiceError> {
    if event.trim() == "[DONE]" {
        return Ok(Chunk { end: true, ..Chunk::default() });
    }
    let completion: Completion =
        serde_json::from_str(event).map_err(|error| ServiceError::malformed("event", error))?;
    if let Some(error) = completion.error.filter(|error| !error.is_null()) {
        let message = error.as_str().map(str::to_owned).or_else(|| message_in(&error));
        let message = message.unwrap_or_else(|| error.to_string());
        return Err(ServiceError::Failed { message: own_words(message.as_bytes()) });
    }
    // Behind the last one comes a chunk about usage, without any.
    let tokens = completion.usage.and_then(|usage| usage.prompt_tokens);
    let Some(choice) = completion.choices.into_iter().next() else {
        return Ok(Chunk { tokens, ..Chunk::default() });
    };
    Ok(Chunk {
        text: choice.delta.content.filter(|text| !text.is_empty()),
        calls: choice.delta.tool_calls.unwrap_or_default(),
        last: choice.finish_reason.is_some(),
        end: false,
        tokens,
    })
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<CallPiece>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_the_end_are_told_from_all_else() {
        let words = r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}"#;
        assert_eq!(read(words).unwrap(), Chunk { text: Some("Hel".into()), ..Chunk::default() });
        for nothing in [
            r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"hmm"},"finish_reason":null}],"obfuscation":"x"}"#,
            r#"{"choices":[],"usage":{"total_tokens":3}}"#,
            r#"{"choices":[],"error":null}"#,
        ] {
            assert_eq!(read(nothing).unwrap(), Chunk::default(), "{nothing}");
        }
        let usage = read(r#"{"choices":[],"usage":{"prompt_tokens":57,"total_tokens":60}}"#).unwrap();
        assert_eq!(usage, Chunk { tokens: Some(57), ..Chunk::default() });
        let last = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(read(last).unwrap(), Chunk { last: true, ..Chunk::default() });
        assert_eq!(read(" [DONE]").unwrap(), Chunk { end: true, ..Chunk::default() });
    }

    #[test]
    fn an_error_inside_a_good_answer_is_told_in_the_services_words() {
        let error = read(r#"{"error":{"message":"out of memory","code":500}}"#).unwrap_err().to_string();
        assert_eq!(error, "failed inside its answer: out of memory");
    }

    #[test]
    fn garbage_is_told_with_its_place() {
        let error = read(r#"{"choices": oh}"#).unwrap_err().to_string();
        assert_eq!(error, "malformed event: expected value at line 1 column 13");
    }
}
