use ringway_frame::Format;
use sha2::{Digest, Sha256};
use std::fmt;

/// Names a clause's audio: SHA-256 of all that shapes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A voice at a speed.
#[derive(Clone, Debug)]
pub(super) struct Voice(Sha256);

impl Voice {
    pub(super) fn new(name: &str, speed: f32) -> Self {
        let mut hash = Sha256::new();
        // The length first, so that no name runs into what follows.
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update(speed.to_bits().to_le_bytes());
        Self(hash)
    }

    /// The name of this text's audio.
    pub(super) fn key(&self, format: Format, text: &str) -> Key {
        let mut hash = self.0.clone();
        let codec: u8 = match format {
            Format::Mulaw8k => 0,
            Format::Pcm8k => 1,
            Format::Pcm16k => 2,
        };
        hash.update([codec]);
        hash.update(text);
        Key(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn everything_that_shapes_the_audio_is_in_the_key() {
        let mut keys = HashSet::new();
        for (voice, speed) in [("slt", 1.0), ("slt", 1.1), ("sl", 1.0), ("", 1.0)] {
            for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
                for text in ["", "t", "yes", "Yes", "yes "] {
                    assert!(
                        keys.insert(Voice::new(voice, speed).key(format, text)),
                        "{voice} {speed} {format} {text}"
                    );
                }
            }
        }
        let same = Voice::new("slt", 1.0).key(Format::Pcm8k, "yes");
        assert!(keys.contains(&same));
    }
}
