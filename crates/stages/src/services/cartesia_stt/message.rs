use crate::services::ServiceError;
use crate::services::dictation::Heard;
use crate::services::error::{message_in, own_words};
use serde::Deserialize;
use std::time::Duration;

/// Reads a message; `None` when it is about nothing that was heard.
pub(in crate::services) fn read(text: &str) -> Result<Option<Heard>, ServiceError> {
    let malformed = |error| ServiceError::malformed("message", error);
    let Kind { kind } = serde_json::from_str(text).map_err(malformed)?;
    match kind.as_str() {
        "transcript" => {
            let Transcript { text, is_final, duration } = serde_json::from_str(text).map_err(malformed)?;
            let text = text.trim().to_owned();
            Ok(Some(if is_final { Heard::Words(text, length(duration)) } else { Heard::Guess(text) }))
        }
        "flush_done" => Ok(Some(Heard::Answer(String::new()))),
        "error" => {
            let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
            let said = json.as_ref().and_then(|json| json.get("message")?.as_str().map(str::to_owned));
            let said = said.or_else(|| message_in(json.as_ref()?));
            Err(ServiceError::Failed { message: own_words(said.unwrap_or_default().as_bytes()) })
        }
        _ => Ok(None),
    }
}

fn length(seconds: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds?).ok()
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Transcript {
    text: String,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    duration: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for text in [r#"{"type":"done","request_id":"x"}"#, r#"{"type":"new"}"#, "{}"] {
            assert_eq!(read(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn errors_and_garbage_are_told() {
        let text = r#"{"type":"error","title":"Invalid model","message":"no such model","status_code":400}"#;
        assert_eq!(read(text).unwrap_err().to_string(), "failed inside its answer: no such model");
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: expected"));
        let shapeless = read(r#"{"type":"transcript","text":7}"#).unwrap_err().to_string();
        assert!(shapeless.starts_with("malformed message: "), "{shapeless}");
    }
}
