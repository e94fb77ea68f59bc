use serde::Deserialize;

/// What callers of carriers hear when they cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CarrierConfig {
    /// How a call is refused that has not been answered.
    pub refusal: Refusal,
    /// The sentence.
    pub sorry: String,
    /// The language that the carrier's voice says it in, such as `en-US`.
    pub sorry_language: String,
}

/// How a call is refused that has not been answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refusal {
    /// By the busy tone: it costs nothing.
    #[default]
    Busy,
    /// By the sentence.
    Say,
}

impl Default for CarrierConfig {
    fn default() -> Self {
        Self {
            refusal: Refusal::Busy,
            sorry: "We cannot take your call right now. Please call again later.".into(),
            sorry_language: "en-US".into(),
        }
    }
}
