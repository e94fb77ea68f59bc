use crate::services::ServiceError;
use crate::services::dictation::Heard;
use crate::services::error::{failure_told, own_words};
use crate::services::lenient::{Flag, Number, Text};
use serde::Deserialize;

/// Reads a message; `None` when it is about nothing that was heard.
pub(in crate::services) fn read(text: &str) -> Result<Option<Heard>, ServiceError> {
    let raw: Raw = serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    match raw.kind.0.as_deref() {
        Some("transcript") => raw.words().map(Some),
        Some("flush_done") => Ok(Some(Heard::Answer(String::new()))),
        Some("error") => Err(raw.failure(text)),
        _ => Ok(None),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(rename = "type")]
    kind: Text,
    text: Text,
    is_final: Flag,
    duration: Number,
    message: Text,
}

impl Raw {
    fn words(self) -> Result<Heard, ServiceError> {
        let text =
            self.text.0.ok_or_else(|| ServiceError::malformed("message", "transcript without text"))?;
        let text = text.trim().to_owned();
        Ok(if self.is_final.0 {
            Heard::Words(text, self.duration.0.map(|_| self.duration.seconds()))
        } else {
            Heard::Guess(text)
        })
    }

    /// Its own words stand beside a title, which says less.
    fn failure(self, text: &str) -> ServiceError {
        match self.message.0 {
            Some(message) => ServiceError::Failed { message: own_words(message.as_bytes()) },
            None => failure_told(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn words_come_as_guesses_or_for_good() {
        let text = r#"{"type":"transcript","is_final":true,"request_id":"x","text":"How are you? ","duration":2.5,
            "language":"en","words":[{"word":"How","start":0,"end":0.12}]}"#;
        assert_eq!(
            read(text).unwrap(),
            Some(Heard::Words("How are you?".into(), Some(Duration::from_millis(2_500))))
        );
        let text = r#"{"type":"transcript","is_final":false,"request_id":"x","text":"How"}"#;
        assert_eq!(read(text).unwrap(), Some(Heard::Guess("How".into())));
        let text = r#"{"type":"flush_done","request_id":"x"}"#;
        assert_eq!(read(text).unwrap(), Some(Heard::Answer(String::new())));
    }

    #[test]
    fn what_is_not_about_words_is_passed_over() {
        for text in [r#"{"type":"done","request_id":"x"}"#, r#"{"type":"new"}"#, r#"{"type":null}"#, "{}"] {
            assert_eq!(read(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn errors_and_garbage_are_told() {
        let text = r#"{"type":"error","title":"Invalid model","message":"no such model","status_code":400}"#;
        assert_eq!(read(text).unwrap_err().to_string(), "failed inside its answer: no such model");
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: expected"));
        let shapeless = read(r#"{"type":"transcript","text":[7]}"#).unwrap_err().to_string();
        assert_eq!(shapeless, "malformed message: transcript without text");
    }
}
