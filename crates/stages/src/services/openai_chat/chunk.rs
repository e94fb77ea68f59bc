use crate::services::ServiceError;
use crate::services::error::{message_in, own_words};
use serde::Deserialize;

/// What one event of the stream says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services) enum Chunk {
    /// More of the reply.
    Text(String),
    /// The model stops; it may say a last word.
    Last(Option<String>),
    /// `[DONE]`.
    End,
    /// A role, reasoning, usage.
    Nothing,
}

/// Reads an event.
pub(in crate::services) fn read(event: &str) -> Result<Chunk, ServiceError> {
    if event.trim() == "[DONE]" {
        return Ok(Chunk::End);
    }
    let completion: Completion =
        serde_json::from_str(event).map_err(|error| ServiceError::malformed("event", error))?;
    if let Some(error) = completion.error.filter(|error| !error.is_null()) {
        let message = error.as_str().map(str::to_owned).or_else(|| message_in(&error));
        let message = message.unwrap_or_else(|| error.to_string());
        return Err(ServiceError::Failed { message: own_words(message.as_bytes()) });
    }
    // Behind the last one comes a chunk about usage, without any.
    let Some(choice) = completion.choices.into_iter().next() else { return Ok(Chunk::Nothing) };
    let text = choice.delta.content.filter(|text| !text.is_empty());
    Ok(match (choice.finish_reason, text) {
        (Some(_), text) => Chunk::Last(text),
        (None, Some(text)) => Chunk::Text(text),
        (None, None) => Chunk::Nothing,
    })
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    error: Option<serde_json::Value>,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_the_end_are_told_from_all_else() {
        let words = r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}"#;
        assert_eq!(read(words).unwrap(), Chunk::Text("Hel".into()));
        for nothing in [
            r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"hmm"},"finish_reason":null}],"obfuscation":"x"}"#,
            r#"{"choices":[],"usage":{"total_tokens":3}}"#,
            r#"{"choices":[],"error":null}"#,
        ] {
            assert_eq!(read(nothing).unwrap(), Chunk::Nothing, "{nothing}");
        }
        let last = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(read(last).unwrap(), Chunk::Last(None));
        assert_eq!(read(" [DONE]").unwrap(), Chunk::End);
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
