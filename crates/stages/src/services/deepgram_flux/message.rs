use crate::services::ServiceError;
use crate::services::error::failure_told;
use crate::services::lenient::{Count, Number, Text};
use serde::Deserialize;
use std::time::Duration;

/// What the recogniser says.
#[derive(Debug, PartialEq)]
pub(in crate::services) enum Message {
    /// About the turn.
    Turn(TurnInfo),
    /// Notes about the connection, and what is not known here.
    Other,
}

/// How the turn stands.
#[derive(Debug, PartialEq)]
pub(in crate::services) struct TurnInfo {
    pub(super) event: Event,
    /// Counts the turns of the socket.
    pub(super) index: u64,
    /// All words of the turn.
    pub(super) text: String,
    /// What has been heard, since the stream's first audio.
    pub(super) until: Duration,
    /// How likely the caller has finished, 0 to 1.
    pub(super) probability: f32,
}

/// Why it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// More was heard.
    Update,
    /// Somebody begins to speak.
    StartOfTurn,
    /// The caller may have finished.
    EagerEndOfTurn,
    /// They had not.
    TurnResumed,
    /// They have.
    EndOfTurn,
    /// What is not known here.
    Unknown,
}

/// Reads a message.
pub(in crate::services) fn read(text: &str) -> Result<Message, ServiceError> {
    let raw: Raw = serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    match raw.kind.0.as_deref() {
        Some("TurnInfo") => raw.turn().map(Message::Turn),
        Some("Error") => Err(failure_told(text)),
        _ => Ok(Message::Other),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(rename = "type")]
    kind: Text,
    event: Text,
    turn_index: Count,
    audio_window_end: Number,
    transcript: Text,
    end_of_turn_confidence: Number,
}

impl Raw {
    fn turn(self) -> Result<TurnInfo, ServiceError> {
        let event =
            self.event.0.ok_or_else(|| ServiceError::malformed("message", "TurnInfo without event"))?;
        Ok(TurnInfo {
            event: Event::of(&event),
            index: self.turn_index.0.unwrap_or_default().into(),
            text: self.transcript.0.unwrap_or_default().trim().to_owned(),
            until: self.audio_window_end.seconds(),
            probability: self.end_of_turn_confidence.0.unwrap_or_default().clamp(0.0, 1.0) as f32,
        })
    }
}

impl Event {
    fn of(name: &str) -> Self {
        match name {
            "Update" => Self::Update,
            "StartOfTurn" => Self::StartOfTurn,
            "EagerEndOfTurn" => Self::EagerEndOfTurn,
            "TurnResumed" => Self::TurnResumed,
            "EndOfTurn" => Self::EndOfTurn,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_comes_with_its_words_and_how_it_stands() {
        let text = r#"{"type":"TurnInfo","request_id":"x","sequence_id":11,"event":"EagerEndOfTurn","turn_index":2,
            "audio_window_start":0.0,"audio_window_end":1.52,"transcript":"Hello there.",
            "words":[{"word":"Hello","confidence":0.9}],"end_of_turn_confidence":0.625}"#;
        let info = TurnInfo {
            event: Event::EagerEndOfTurn,
            index: 2,
            text: "Hello there.".into(),
            until: Duration::from_millis(1_520),
            probability: 0.625,
        };
        assert_eq!(read(text).unwrap(), Message::Turn(info));
        let bare = r#"{"type":"TurnInfo","event":"SomethingNew","audio_window_end":-1}"#;
        let Message::Turn(info) = read(bare).unwrap() else { panic!("a turn") };
        assert_eq!((info.event, info.until), (Event::Unknown, Duration::ZERO));
    }

    #[test]
    fn what_is_not_about_turns_is_passed_over() {
        for text in [
            r#"{"type":"Connected","request_id":"x","sequence_id":0}"#,
            r#"{"type":"ConfigureSuccess","thresholds":{}}"#,
            r#"{"type":"Warning","code":"X"}"#,
            r#"{"type":null,"event":[],"transcript":{}}"#,
            "{}",
        ] {
            assert_eq!(read(text).unwrap(), Message::Other, "{text}");
        }
    }

    #[test]
    fn errors_and_garbage_are_told() {
        let text = r#"{"type":"Error","sequence_id":3,"code":"INTERNAL_SERVER_ERROR","description":"gone"}"#;
        assert_eq!(read(text).unwrap_err().to_string(), "failed inside its answer: gone");
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: expected"));
        let shapeless = read(r#"{"type":"TurnInfo","event":{}}"#).unwrap_err().to_string();
        assert_eq!(shapeless, "malformed message: TurnInfo without event");
    }
}
