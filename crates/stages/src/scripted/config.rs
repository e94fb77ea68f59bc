use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the scripted engines say, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the recogniser understands of every segment. Default "hello there".
    pub text: String,
    /// What the language model replies to everything. Default "Hello, how can I help you?"
    pub reply: String,
    /// From the end of a segment to its text. Default 50.
    #[serde(rename = "stt_ms", with = "millis")]
    pub stt: Duration,
    /// From a request to the first word of the reply. Default 100.
    #[serde(rename = "llm_ms", with = "millis")]
    pub llm: Duration,
    /// From one word of the reply to the next. Default 10.
    #[serde(rename = "token_ms", with = "millis")]
    pub token: Duration,
    /// From a clause to its audio. Default 50.
    #[serde(rename = "tts_ms", with = "millis")]
    pub tts: Duration,
    /// For so long the language model blocks its thread with each request, as no engine may. Default 0.
    #[serde(rename = "block_ms", with = "millis")]
    pub block: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            text: "hello there".into(),
            reply: "Hello, how can I help you?".into(),
            stt: Duration::from_millis(50),
            llm: Duration::from_millis(100),
            token: Duration::from_millis(10),
            tts: Duration::from_millis(50),
            block: Duration::ZERO,
        }
    }
}

/// Durations as whole milliseconds, the unit that the fields' names tell.
mod millis {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        // An hour and more is a slip of the pen, but harmless; 32 bits keep deadlines representable.
        u32::deserialize(deserializer).map(|millis| Duration::from_millis(millis.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_milliseconds_and_refuses_unknown_keys() {
        let config: Config = toml::from_str("text = \"yes\"\nllm_ms = 250").unwrap();
        assert_eq!(config.text, "yes");
        assert_eq!(config.llm, Duration::from_millis(250));
        assert_eq!(config.stt, Duration::from_millis(50));
        assert!(toml::from_str::<Config>("sst_ms = 1").is_err());
        assert!(toml::from_str::<Config>("stt_ms = -1").is_err());
    }
}
