use super::python_float;
use ringway_frame::Format;
use sha2::{Digest, Sha256};
use std::fmt;

/// Names a piece of speech: SHA-256 of all that shapes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of a telephone system's voice service: SHA-256 of `{text}_{voice}_{speed}`, the speed written as Python
    /// writes a float.
    ///
    /// ```
    /// use ringway_speech_cache::Key;
    ///
    /// let key = Key::of_phrase("Hello", "slt", 1.0).to_string();
    /// assert_eq!(key, "80d480b314046b7115271ea3b9fcdb25a85e07dff34b365891f8f9d1548f4755");
    /// ```
    pub fn of_phrase(text: &str, voice: &str, speed: f64) -> Self {
        Self(Sha256::digest(format!("{text}_{voice}_{}", python_float::repr(speed))).into())
    }

    /// The key that is written so, in 64 hexadecimal digits.
    pub(super) fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        let plain = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 64 || !digits.iter().all(plain) {
            return None;
        }
        let mut key = [0; 32];
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(key))
    }
}

/// In small hexadecimal digits.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

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

    #[test]
    fn a_key_that_is_written_is_read_again() {
        let key = Key::of_phrase("Grüß Gott", "amy", 0.9);
        assert_eq!(Key::parse(&key.to_string()), Some(key));
        let hex = key.to_string();
        for wrong in ["", "00", &hex[1..], &hex.to_uppercase(), &format!("{}g", &hex[1..])] {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }
}
