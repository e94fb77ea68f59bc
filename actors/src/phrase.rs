//! What is spoken without an engine.

use ringway_frame::Format;
use std::sync::Arc;

/// Spoken audio that needs no engine any more, one copy a format: whole frames.
#[derive(Clone, Debug, Default)]
pub struct Phrase {
    /// Its words.
    pub text: String,
    /// G.711.
    pub mulaw_8k: Arc<[u8]>,
    /// s16le at 8 kHz.
    pub pcm_8k: Arc<[u8]>,
    /// s16le at 16 kHz.
    pub pcm_16k: Arc<[u8]>,
}

impl Phrase {
    /// Its audio in `format`.
    pub fn audio(&self, format: Format) -> &Arc<[u8]> {
        match format {
            Format::Mulaw8k => &self.mulaw_8k,
            Format::Pcm8k => &self.pcm_8k,
            Format::Pcm16k => &self.pcm_16k,
        }
    }
}
