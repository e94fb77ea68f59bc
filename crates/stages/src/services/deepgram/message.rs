use crate::services::ServiceError;
use crate::services::error::{message_in, own_words};
use serde::Deserialize;
use std::time::Duration;

/// What the recogniser says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services) enum Message {
    /// Words.
    Results(Results),
    /// Signs of speech, notes about the request, and what is not known here.
    Other,
}

/// Words of a stretch of the stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::services) struct Results {
    /// As the service writes it.
    pub(super) text: String,
    /// They will not change.
    pub(super) is_final: bool,
    /// They answer a Finalize.
    pub(super) from_finalize: bool,
    /// Where the stretch ends, since the stream's first audio.
    pub(super) end: Duration,
}

/// Reads a message.
pub(in crate::services) fn read(text: &str) -> Result<Message, ServiceError> {
    let malformed = |error| ServiceError::malformed("message", error);
    let Kind { kind } = serde_json::from_str(text).map_err(malformed)?;
    match kind.as_str() {
        "Results" => {
            let raw: Raw = serde_json::from_str(text).map_err(malformed)?;
            Ok(Message::Results(raw.into()))
        }
        "Error" => {
            let said = serde_json::from_str(text).ok().and_then(|json| message_in(&json));
            Err(ServiceError::Failed { message: own_words(said.unwrap_or_default().as_bytes()) })
        }
        _ => Ok(Message::Other),
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    start: f64,
    #[serde(default)]
    duration: f64,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    from_finalize: bool,
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    alternatives: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    transcript: String,
}

impl From<Raw> for Results {
    fn from(raw: Raw) -> Self {
        let best = raw.channel.alternatives.into_iter().next();
        let text = best.map(|best| best.transcript.trim().to_owned()).unwrap_or_default();
        let end = Duration::try_from_secs_f64(raw.start + raw.duration).unwrap_or_default();
        Self { text, is_final: raw.is_final, from_finalize: raw.from_finalize, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_with_their_place_and_standing() {
        let text = r#"{"type":"Results","channel_index":[0,1],"start":1.5,"duration":0.5,"is_final":true,
            "speech_final":true,"from_finalize":true,
            "channel":{"alternatives":[{"transcript":"Hello there","confidence":0.99,"words":[]}]},"metadata":{}}"#;
        let results = Results {
            text: "Hello there".into(),
            is_final: true,
            from_finalize: true,
            end: Duration::from_secs(2),
        };
        assert_eq!(read(text).unwrap(), Message::Results(results));
        let bare = r#"{"type":"Results","channel":{"alternatives":[]}}"#;
        assert_eq!(read(bare).unwrap(), Message::Results(Results::default()));
    }

    #[test]
    fn what_is_not_about_words_is_passed_over() {
        for text in [
            r#"{"type":"SpeechStarted","channel":[0],"timestamp":1.2}"#,
            r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.1}"#,
            r#"{"type":"Metadata","request_id":"x","channels":1}"#,
            r#"{"hello":1}"#,
        ] {
            assert_eq!(read(text).unwrap(), Message::Other, "{text}");
        }
    }

    #[test]
    fn errors_and_garbage_are_told() {
        let error = read(r#"{"type":"Error","description":"model is gone","variant":"X"}"#).unwrap_err();
        assert_eq!(error.to_string(), "failed inside its answer: model is gone");
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: expected"));
        let shapeless = read(r#"{"type":"Results","channel":[0]}"#).unwrap_err().to_string();
        assert!(shapeless.starts_with("malformed message: "), "{shapeless}");
    }
}
