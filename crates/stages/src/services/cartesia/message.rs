use crate::services::ServiceError;
use crate::services::error::own_words;
use crate::services::lenient;
use crate::services::voice::Said;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;

/// What the service says.
#[derive(Debug)]
pub(in crate::services) enum Told {
    Audio(Bytes),
    Words(Vec<Said>),
    /// All that was to be said before a flush has come.
    Flushed,
    /// All of the context has come.
    Done,
    Failed(ServiceError),
    /// Sounds, and what is not known here.
    Other,
}

/// Reads a message, and whose context it is of.
pub(in crate::services) fn read(text: &str) -> Result<(Option<String>, Told), ServiceError> {
    let raw: Raw<'_> =
        serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    let told = match raw.kind.as_deref().unwrap_or_default() {
        "chunk" => {
            let audio = STANDARD.decode(raw.data.as_deref().unwrap_or_default().as_bytes());
            Told::Audio(audio.map_err(|error| ServiceError::malformed("audio", error))?.into())
        }
        "timestamps" => Told::Words(raw.word_timestamps.map(Words::said).unwrap_or_default()),
        "flush_done" => Told::Flushed,
        "done" => Told::Done,
        "error" => {
            let parts = [raw.title, raw.message.or(raw.error)];
            let words = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
            Told::Failed(ServiceError::Failed { message: own_words(words.as_bytes()) })
        }
        _ => Told::Other,
    };
    Ok((raw.context_id, told))
}

#[derive(Deserialize)]
struct Raw<'m> {
    #[serde(default, rename = "type", borrow)]
    kind: Option<Cow<'m, str>>,
    #[serde(default)]
    context_id: Option<String>,
    #[serde(default, borrow)]
    data: Option<Cow<'m, str>>,
    #[serde(default)]
    word_timestamps: Option<Words>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    message: Option<String>,
    /// As older versions have it.
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Words {
    #[serde(default, deserialize_with = "lenient::or_default")]
    words: Vec<String>,
    /// In seconds.
    #[serde(default, deserialize_with = "lenient::or_default")]
    end: Vec<f64>,
}

impl Words {
    fn said(self) -> Vec<Said> {
        let words = self.words.into_iter().zip(self.end);
        words
            .filter_map(|(text, end)| Some(Said { text, end: Duration::try_from_secs_f64(end).ok()? }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_message_is_read_with_its_context() {
        for (text, expected) in [
            (
                r#"{"type":"chunk","data":"AAEC","done":false,"status_code":206,"step_time":1.5,"context_id":"1"}"#,
                r#"Audio(b"\0\x01\x02")"#,
            ),
            (
                r#"{"type":"timestamps","done":false,"status_code":206,"context_id":"1",
                    "word_timestamps":{"words":["Hello"],"start":[0],"end":[0.4]}}"#,
                r#"Words([Said { text: "Hello", end: 400ms }])"#,
            ),
            (
                r#"{"type":"flush_done","done":false,"flush_done":true,"flush_id":1,"status_code":206,"context_id":"1"}"#,
                "Flushed",
            ),
            (r#"{"type":"done","done":true,"status_code":206,"context_id":"1"}"#, "Done"),
            (r#"{"type":"phoneme_timestamps","context_id":"1"}"#, "Other"),
            (r#"{"type":null,"context_id":"1"}"#, "Other"),
            (r#"{"context_id":"1","data":null}"#, "Other"),
            (
                r#"{"type":"timestamps","context_id":"1","word_timestamps":{"words":null,"end":null}}"#,
                "Words([])",
            ),
            (
                r#"{"type":"error","done":true,"title":"Invalid model","message":"no such model","context_id":"1"}"#,
                r#"Failed(Failed { message: "Invalid model: no such model" })"#,
            ),
        ] {
            let (context, told) = read(text).unwrap();
            assert_eq!((context.as_deref(), format!("{told:?}").as_str()), (Some("1"), expected));
        }
    }

    #[test]
    fn garbage_is_told() {
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: "));
        let audio = read(r#"{"type":"chunk","data":"!"}"#).unwrap_err().to_string();
        assert!(audio.starts_with("malformed audio: "), "{audio}");
    }
}
