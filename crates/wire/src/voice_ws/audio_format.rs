use crate::opus;
use ringway_frame::{FRAME, SampleRate};
use serde::{Deserialize, Serialize};

/// How the audio of a browser session is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// s16le samples.
    Pcm16,
    /// One Opus packet (RFC 6716) a message.
    Opus,
}

impl Codec {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcm16 => "pcm16",
            Self::Opus => "opus",
        }
    }

    /// The codec of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pcm16, Self::Opus].into_iter().find(|codec| codec.name() == name)
    }
}

/// A codec at a rate that it is spoken at here, mono.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudioFormat {
    codec: Codec,
    rate: SampleRate,
}

impl AudioFormat {
    /// `codec` at `rate`; `None` unless the rate is 16 or 48 kHz.
    pub fn new(codec: Codec, rate: SampleRate) -> Option<Self> {
        matches!(rate, SampleRate::HZ_16000 | SampleRate::HZ_48000).then_some(Self { codec, rate })
    }

    /// How samples are coded.
    pub const fn codec(self) -> Codec {
        self.codec
    }

    /// Samples a second.
    pub const fn rate(self) -> SampleRate {
        self.rate
    }

    /// Checks that `bytes` are one frame of 20 ms; else says what they are.
    pub(super) fn check_frame(self, bytes: &[u8]) -> Result<(), String> {
        match self.codec {
            Codec::Pcm16 => {
                let wanted = self.rate.frame_samples() * 2;
                if bytes.len() == wanted { Ok(()) } else { Err(wrong_length(self.rate, wanted, bytes.len())) }
            }
            Codec::Opus => match opus::packet_duration(bytes) {
                Some(FRAME) => Ok(()),
                Some(duration) => Err(format!("an Opus packet is to hold 20 ms, not {duration:?}")),
                None => Err(format!("{} bytes that are no Opus packet (RFC 6716)", bytes.len())),
            },
        }
    }
}

fn wrong_length(rate: SampleRate, wanted: usize, found: usize) -> String {
    format!("a frame of 20 ms at {rate} has {wanted} bytes, not {found}")
}
