use crate::services::ServiceError;
use crate::services::error::own_words;
use crate::services::lenient;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// What the server says.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// Its model is loaded.
    Ready,
    /// The last segments it understood, the present one at their end.
    Segments(Vec<Segment>),
    /// Its time limit has passed; it closes the connection.
    Disconnect,
    /// What is not known here, and warnings.
    Other,
}

/// Words of a stretch of the stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    pub(super) start: Duration,
    pub(super) end: Duration,
    pub(super) text: String,
    /// They will not change.
    pub(super) completed: bool,
}

/// Reads a message.
pub(super) fn read(text: &str) -> Result<Message, ServiceError> {
    let raw: Raw = serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    match raw.status.as_deref() {
        Some("WAIT") => return Err(ServiceError::Full { message: wait(&raw.message) }),
        Some("ERROR") => {
            let message = own_words(raw.message.as_str().unwrap_or_default().as_bytes());
            return Err(ServiceError::Failed { message });
        }
        _ => {}
    }
    if let Some(segments) = raw.segments {
        return segments.into_iter().map(RawSegment::read).collect::<Result<_, _>>().map(Message::Segments);
    }
    Ok(match raw.message.as_str() {
        Some("SERVER_READY") => Message::Ready,
        Some("DISCONNECT") => Message::Disconnect,
        _ => Message::Other,
    })
}

/// The server tells minutes.
fn wait(minutes: &Value) -> String {
    match minutes.as_f64() {
        Some(minutes) => format!("a place is free in {minutes:.1} minutes"),
        None => "it tells to wait".into(),
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    segments: Option<Vec<RawSegment>>,
}

#[derive(Deserialize)]
struct RawSegment {
    start: Seconds,
    end: Seconds,
    #[serde(default, deserialize_with = "lenient::or_default")]
    text: String,
    #[serde(default, deserialize_with = "lenient::or_default")]
    completed: bool,
}

/// Text with three decimals; a number in the first versions.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Text(String),
    Number(f64),
}

impl RawSegment {
    fn read(self) -> Result<Segment, ServiceError> {
        let Self { start, end, text, completed } = self;
        Ok(Segment { start: start.read()?, end: end.read()?, text, completed })
    }
}

impl Seconds {
    fn read(self) -> Result<Duration, ServiceError> {
        let seconds = match &self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(seconds) => Some(*seconds),
        };
        let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        time.ok_or_else(|| ServiceError::malformed("message", "a segment's time is no number of seconds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_tell_whether_they_stand() {
        let text = r#"{"uid":"u","segments":[
            {"start":"0.000","end":"2.000","text":" the quick brown fox","completed":true},
            {"start":"2.000","end":"3.100","text":" jumps over","completed":false}]}"#;
        let Message::Segments(segments) = read(text).unwrap() else { panic!("no segments") };
        assert_eq!(segments[1].end, Duration::from_millis(3_100));
        assert_eq!(segments.iter().map(|segment| segment.completed).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn the_life_of_a_connection_is_known() {
        for (text, expected) in [
            (r#"{"uid":"u","message":"SERVER_READY","backend":"faster_whisper"}"#, Message::Ready),
            (r#"{"uid":"u","message":"DISCONNECT"}"#, Message::Disconnect),
            (r#"{"uid":"u","language":"en","language_prob":0.98}"#, Message::Other),
            (r#"{"uid":null,"status":null,"message":null,"segments":null}"#, Message::Other),
            (r#"{"uid":"u","status":"WARNING","message":"model is slow"}"#, Message::Other),
        ] {
            assert_eq!(read(text).unwrap(), expected);
        }
    }

    #[test]
    fn refusals_and_garbage_are_told() {
        for (text, expected) in [
            (r#"{"uid":"u","status":"WAIT","message":1.24}"#, "is full: a place is free in 1.2 minutes"),
            (r#"{"uid":"u","status":"ERROR","message":"no model"}"#, "failed inside its answer: no model"),
            (
                r#"{"uid":"u","segments":[{"start":"x","end":"1"}]}"#,
                "malformed message: a segment's time is no number of seconds",
            ),
            ("oops", "malformed message: expected value at line 1 column 1"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
    }
}
