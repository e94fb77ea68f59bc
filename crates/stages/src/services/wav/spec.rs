use super::malformed;
use crate::services::ServiceError;
use audio_codec::Decoder;
use audio_codec::pcma::PcmaDecoder;
use audio_codec::pcmu::PcmuDecoder;
use ringway_frame::SampleRate;

/// How the samples of a file are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) rate: SampleRate,
    channels: u16,
    coding: Coding,
}

/// Of one sample of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
    Float64,
    Mulaw,
    Alaw,
}

impl Spec {
    /// What the chunk of the format says; it has 16 bytes at least.
    pub(super) fn read(format: &[u8]) -> Result<Self, ServiceError> {
        let word = |at: usize| u16::from_le_bytes([format[at], format[at + 1]]);
        let number = if word(0) == EXTENSIBLE && format.len() >= 26 { word(24) } else { word(0) };
        let (channels, bits) = (word(2), word(14));
        let hz = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
        let coding = Coding::of(number, bits).filter(|_| (1..=2).contains(&channels));
        let coding = coding.ok_or_else(|| {
            let found = format!("coding {number}, {bits} bits, {channels} channels");
            malformed(format!("{found}; PCM, float, mu-law and A-law of one or two channels are read"))
        })?;
        let rate = SampleRate::new(hz).filter(|_| RATES_HZ.contains(&hz) && hz.is_multiple_of(RATE_STEP_HZ));
        let rate = rate.ok_or_else(|| malformed(format!("a sample rate of {hz} Hz")))?;
        Ok(Self { rate, channels, coding })
    }

    /// Bytes of one sample of all channels.
    pub(super) fn width(self) -> usize {
        self.coding.width() * usize::from(self.channels)
    }

    /// Appends the samples in these bytes, which are whole ones.
    pub(super) fn decode(self, bytes: &[u8], samples: &mut Vec<i16>) {
        match (self.coding, self.channels) {
            (Coding::Signed16, 1) => {
                samples.extend(bytes.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)));
            }
            _ => samples.extend(bytes.chunks_exact(self.width()).map(|bytes| self.sample(bytes))),
        }
    }

    /// The mean of the channels in as many bytes.
    fn sample(self, bytes: &[u8]) -> i16 {
        match self.channels {
            2 => {
                let (left, right) = bytes.split_at(self.coding.width());
                let sum = i32::from(self.coding.sample(left)) + i32::from(self.coding.sample(right));
                (sum / 2) as i16
            }
            _ => self.coding.sample(bytes),
        }
    }
}

impl Coding {
    fn of(number: u16, bits: u16) -> Option<Self> {
        match (number, bits) {
            (PCM, 8) => Some(Self::Unsigned8),
            (PCM, 16) => Some(Self::Signed16),
            (PCM, 24) => Some(Self::Signed24),
            (PCM, 32) => Some(Self::Signed32),
            (FLOAT, 32) => Some(Self::Float32),
            (FLOAT, 64) => Some(Self::Float64),
            (MULAW, 8) => Some(Self::Mulaw),
            (ALAW, 8) => Some(Self::Alaw),
            _ => None,
        }
    }

    const fn width(self) -> usize {
        match self {
            Self::Unsigned8 | Self::Mulaw | Self::Alaw => 1,
            Self::Signed16 => 2,
            Self::Signed24 => 3,
            Self::Signed32 | Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    fn sample(self, bytes: &[u8]) -> i16 {
        match (self, bytes) {
            (Self::Unsigned8, [byte]) => (i16::from(*byte) - 128) << 8,
            // Of wider ones the upper half is the sample.
            (Self::Signed16, [low, high])
            | (Self::Signed24, [_, low, high])
            | (Self::Signed32, [_, _, low, high]) => i16::from_le_bytes([*low, *high]),
            (Self::Float32, &[a, b, c, d]) => of_float(f32::from_le_bytes([a, b, c, d]).into()),
            (Self::Float64, &[a, b, c, d, e, f, g, h]) => {
                of_float(f64::from_le_bytes([a, b, c, d, e, f, g, h]))
            }
            (Self::Mulaw, byte) => expanded(&mut PcmuDecoder::new(), byte),
            (Self::Alaw, byte) => expanded(&mut PcmaDecoder::new(), byte),
            _ => 0,
        }
    }
}

/// Saturates, as a cast from float does; what is no number is silence.
fn of_float(sample: f64) -> i16 {
    (sample * 32_768.0).round() as i16
}

fn expanded(decoder: &mut impl Decoder, byte: &[u8]) -> i16 {
    let mut sample = [0];
    // One byte is one sample.
    decoder.decode_into(byte, &mut sample).map_or(0, |_| sample[0])
}

pub(super) const PCM: u16 = 1;
const FLOAT: u16 = 3;
const ALAW: u16 = 6;
const MULAW: u16 = 7;
const EXTENSIBLE: u16 = 0xfffe;

/// Rates that are read; others are a damaged header rather than audio.
const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// What rates are multiples of, so that the resampler's tables stay small.
const RATE_STEP_HZ: u32 = 25;
