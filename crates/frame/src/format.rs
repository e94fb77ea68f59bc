use std::fmt;
use std::time::Duration;

/// The length of a frame.
pub const FRAME: Duration = Duration::from_millis(20);

/// Bytes of the largest payload: 20 ms of s16 at 16 kHz.
pub const MAX_PAYLOAD: usize = 640;

/// Samples a second of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleRate(u32);

impl SampleRate {
    /// Telephone audio.
    pub const HZ_8000: Self = Self(8_000);
    /// Wideband speech, what recognisers are trained on.
    pub const HZ_16000: Self = Self(16_000);
    /// What most neural voices speak.
    pub const HZ_24000: Self = Self(24_000);
    /// Opus and browsers.
    pub const HZ_48000: Self = Self(48_000);

    /// `hz` samples a second; `None` for zero.
    pub const fn new(hz: u32) -> Option<Self> {
        if hz == 0 { None } else { Some(Self(hz)) }
    }

    /// Samples a second.
    pub const fn hz(self) -> u32 {
        self.0
    }

    /// Samples in a 20 ms frame.
    pub const fn frame_samples(self) -> usize {
        (self.0 / 50) as usize
    }

    /// How long `samples` samples last.
    pub const fn duration(self, samples: u64) -> Duration {
        Duration::from_nanos(samples * 1_000_000_000 / self.0 as u64)
    }

    /// How many whole samples fit in `duration`.
    pub const fn samples(self, duration: Duration) -> u64 {
        (duration.as_nanos() * self.0 as u128 / 1_000_000_000) as u64
    }
}

impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}

/// How the samples of a frame are coded; one a call, mono always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// G.711 mu-law at 8 kHz: 160 bytes a frame.
    Mulaw8k,
    /// s16le at 8 kHz: 320 bytes a frame.
    Pcm8k,
    /// s16le at 16 kHz: 640 bytes a frame.
    Pcm16k,
}

impl Format {
    /// Bytes of a 20 ms frame.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Mulaw8k => 160,
            Self::Pcm8k => 320,
            Self::Pcm16k => 640,
        }
    }

    /// Samples a second.
    pub const fn rate(self) -> SampleRate {
        match self {
            Self::Mulaw8k | Self::Pcm8k => SampleRate::HZ_8000,
            Self::Pcm16k => SampleRate::HZ_16000,
        }
    }

    /// The byte that, repeated, is silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Mulaw8k => 0xff,
            Self::Pcm8k | Self::Pcm16k => 0,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mulaw8k => "mulaw-8k",
            Self::Pcm8k => "pcm-8k",
            Self::Pcm16k => "pcm-16k",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_fits_a_frame() {
        for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
            assert!(format.bytes() <= MAX_PAYLOAD, "{format}");
            assert_eq!(format.rate().duration(format.rate().frame_samples() as u64), FRAME);
        }
    }
}
