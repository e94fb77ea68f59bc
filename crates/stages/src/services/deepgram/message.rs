use crate::services::ServiceError;
use crate::services::error::failure_told;
use crate::services::lenient::{Flag, List, Number, Object, Text};
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
    let raw: Raw = serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    match raw.kind.0.as_deref() {
        Some("Results") => raw.results().map(Message::Results),
        Some("Error") => Err(failure_told(text)),
        _ => Ok(Message::Other),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(rename = "type")]
    kind: Text,
    start: Number,
    duration: Number,
    is_final: Flag,
    from_finalize: Flag,
    channel: Object<Channel>,
}

#[derive(Default, Deserialize)]
struct Channel {
    #[serde(default)]
    alternatives: Option<List<Object<Alternative>>>,
}

#[derive(Default, Deserialize)]
struct Alternative {
    #[serde(default)]
    transcript: Text,
}

impl Raw {
    /// Without a list of alternatives they say nothing; an empty one says that nothing was heard.
    fn results(self) -> Result<Results, ServiceError> {
        let List(alternatives) = self
            .channel
            .0
            .alternatives
            .ok_or_else(|| ServiceError::malformed("message", "Results without alternatives"))?;
        let best = alternatives.into_iter().next().and_then(|best| best.0.transcript.0);
        let text = best.map(|best| best.trim().to_owned()).unwrap_or_default();
        let end = Number(self.start.0.zip(self.duration.0).map(|(start, length)| start + length)).seconds();
        Ok(Results { text, is_final: self.is_final.0, from_finalize: self.from_finalize.0, end })
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
        let odd = r#"{"type":"Results","start":null,"duration":"x","is_final":null,"from_finalize":null,
            "channel":{"alternatives":[{"transcript":null}]}}"#;
        assert_eq!(read(odd).unwrap(), Message::Results(Results::default()));
    }

    #[test]
    fn what_is_not_about_words_is_passed_over() {
        for text in [
            r#"{"type":"SpeechStarted","channel":[0],"timestamp":1.2}"#,
            r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.1}"#,
            r#"{"type":"Metadata","request_id":"x","channels":1}"#,
            r#"{"hello":1}"#,
            r#"{"type":null}"#,
            r#"{"type":7,"channel":"x","duration":{}}"#,
        ] {
            assert_eq!(read(text).unwrap(), Message::Other, "{text}");
        }
    }

    #[test]
    fn errors_and_garbage_are_told() {
        let error = read(r#"{"type":"Error","description":"model is gone","variant":"X"}"#).unwrap_err();
        assert_eq!(error.to_string(), "failed inside its answer: model is gone");
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: expected"));
        for shapeless in [r#"{"type":"Results","channel":[0]}"#, r#"{"type":"Results"}"#] {
            let error = read(shapeless).unwrap_err().to_string();
            assert_eq!(error, "malformed message: Results without alternatives");
        }
    }
}
