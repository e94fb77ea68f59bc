//! Names in metrics, logs and on the wire.

use ringway_turn::SpeechState;

/// The name of a state on the wire.
pub fn state_name(state: SpeechState) -> &'static str {
    match state {
        SpeechState::Listening => "listening",
        SpeechState::Thinking => "thinking",
        SpeechState::Speaking => "speaking",
    }
}

pub use ringway_edges::{REASONS, reason_name};
