//! Names in metrics, logs and on the wire.

use ringway_turn::{SpeechState, StageKind};

/// The name of a state on the wire.
pub fn state_name(state: SpeechState) -> &'static str {
    match state {
        SpeechState::Listening => "listening",
        SpeechState::Thinking => "thinking",
        SpeechState::Speaking => "speaking",
    }
}

pub use ringway_edges::{REASONS, reason_name};

/// The name of a stage in metrics, logs and on the wire.
pub fn stage_name(stage: StageKind) -> &'static str {
    match stage {
        StageKind::Vad => "vad",
        StageKind::Stt => "stt",
        StageKind::Llm => "llm",
        StageKind::Tts => "tts",
        StageKind::SpeechToSpeech => "s2s",
    }
}
