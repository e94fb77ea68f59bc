use serde::{Deserialize, Serialize};

/// A stage of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageKind {
    /// Voice activity detection.
    Vad,
    /// Speech to text.
    Stt,
    /// Language model.
    Llm,
    /// Text to speech.
    Tts,
    /// Hears and speaks by itself, in place of the recogniser, the language model and the voice.
    #[serde(rename = "s2s")]
    SpeechToSpeech,
}

impl StageKind {
    /// All stages that a call may have.
    pub const ALL: [Self; 5] = [Self::Vad, Self::Stt, Self::Llm, Self::Tts, Self::SpeechToSpeech];
}
