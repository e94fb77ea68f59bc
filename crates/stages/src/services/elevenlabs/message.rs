use crate::services::ServiceError;
use crate::services::error::{message_in, own_words};
use crate::services::lenient;
use crate::services::voice::Said;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;

/// What the service says.
#[derive(Debug, Default)]
pub(in crate::services) struct Told {
    /// Of which context.
    pub(super) context: Option<String>,
    pub(super) audio: Option<Bytes>,
    /// The context's audio is complete.
    pub(super) is_final: bool,
    /// Characters of the text and when they end, since the first of this audio.
    pub(super) characters: Vec<Said>,
    pub(super) error: Option<ServiceError>,
}

/// Reads a message. Names come with capitals and with underscores.
pub(in crate::services) fn read(text: &str) -> Result<Told, ServiceError> {
    let malformed = |error| ServiceError::malformed("message", error);
    let raw: Raw<'_> = serde_json::from_str(text).map_err(malformed)?;
    if raw.error.as_ref().is_some_and(|error| !error.is_null()) {
        let json: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
        // The message is for people, the error for programs.
        let said = json.get("message").and_then(|said| said.as_str().map(str::to_owned));
        let message = own_words(said.or_else(|| message_in(&json)).unwrap_or_default().as_bytes());
        return Ok(Told {
            context: raw.context_id,
            error: Some(ServiceError::Failed { message }),
            ..Told::default()
        });
    }
    let audio = raw.audio.filter(|audio| !audio.is_empty()).map(|audio| STANDARD.decode(audio.as_bytes()));
    let audio = audio.transpose().map_err(|error| ServiceError::malformed("audio", error))?;
    Ok(Told {
        context: raw.context_id,
        audio: audio.map(Bytes::from),
        is_final: raw.is_final.unwrap_or(false),
        characters: raw.alignment.map(Alignment::characters).unwrap_or_default(),
        error: None,
    })
}

#[derive(Deserialize)]
struct Raw<'m> {
    #[serde(default, borrow)]
    audio: Option<Cow<'m, str>>,
    #[serde(default, rename = "isFinal", alias = "is_final")]
    is_final: Option<bool>,
    #[serde(default, rename = "contextId", alias = "context_id")]
    context_id: Option<String>,
    #[serde(default)]
    alignment: Option<Alignment>,
    #[serde(default)]
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Alignment {
    #[serde(default, deserialize_with = "lenient::or_default")]
    chars: Vec<String>,
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        rename = "charStartTimesMs",
        alias = "charsStartTimesMs",
        alias = "char_start_times_ms"
    )]
    starts: Vec<f64>,
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        rename = "charDurationsMs",
        alias = "charsDurationsMs",
        alias = "char_durations_ms"
    )]
    durations: Vec<f64>,
}

impl Alignment {
    fn characters(self) -> Vec<Said> {
        let times = self.starts.into_iter().zip(self.durations);
        let said = |(text, (start, duration)): (String, (f64, f64))| {
            let end = Duration::try_from_secs_f64((start + duration) / 1_000.0).ok()?;
            Some(Said { text, end })
        };
        self.chars.into_iter().zip(times).filter_map(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_null_is_not_there() {
        for text in [
            r#"{"audio":null,"isFinal":null,"contextId":null,"alignment":null,"error":null}"#,
            r#"{"alignment":{"chars":null,"charStartTimesMs":null,"charDurationsMs":null}}"#,
        ] {
            let told = read(text).unwrap();
            assert!(told.audio.is_none() && told.characters.is_empty() && told.error.is_none(), "{text}");
        }
    }

    #[test]
    fn audio_and_its_characters_are_read_in_either_spelling() {
        for text in [
            r#"{"audio":"AAEC","isFinal":null,"contextId":"c1","normalizedAlignment":null,
                "alignment":{"chars":["H","i"],"charStartTimesMs":[0,40],"charDurationsMs":[40,60]}}"#,
            r#"{"audio":"AAEC","is_final":false,"context_id":"c1",
                "alignment":{"chars":["H","i"],"char_start_times_ms":[0,40],"charsDurationsMs":[40,60]}}"#,
        ] {
            let told = read(text).unwrap();
            assert_eq!(told.audio.as_deref(), Some(&[0, 1, 2][..]), "{text}");
            assert_eq!((told.context.as_deref(), told.is_final), (Some("c1"), false));
            let said = |text: &str, end| Said { text: text.into(), end: Duration::from_millis(end) };
            assert_eq!(told.characters, [said("H", 40), said("i", 100)]);
        }
        let last = read(r#"{"isFinal":true,"contextId":"c1"}"#).unwrap();
        assert!(last.is_final && last.audio.is_none());
    }

    #[test]
    fn errors_and_garbage_are_told() {
        let told = read(r#"{"message":"Quota is used up","error":"quota_exceeded","code":1008}"#).unwrap();
        let error = told.error.unwrap().to_string();
        assert_eq!(error, "failed inside its answer: Quota is used up");
        assert!(read("oops").unwrap_err().to_string().starts_with("malformed message: "));
        assert!(read(r#"{"audio":"!"}"#).unwrap_err().to_string().starts_with("malformed audio: "));
    }
}
