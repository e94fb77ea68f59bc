//! Opus (RFC 6716), mono, one packet a 20 ms frame; the codec itself is libopus.

use audiopus::coder::{Decoder as LibDecoder, Encoder as LibEncoder, GenericCtl};
use audiopus::packet::Packet;
use audiopus::{Application, Channels, MutSignals};
use ringway_frame::SampleRate;
use std::time::Duration;

/// Room for the longest packet of one frame: 1,275 bytes (RFC 6716 section 3.2.1) and their header.
pub const MAX_PACKET: usize = 1_276;

/// The longest packet (RFC 6716 section 3.4, rule R5).
const MAX_DURATION: Duration = Duration::from_millis(120);

/// Why audio was not coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpusError {
    /// Opus knows other rates only.
    #[error("Opus does not speak {0}")]
    Rate(SampleRate),
    /// The samples, or the room for them, are not one frame.
    #[error("a frame of 20 ms has {expected} samples, not {found}")]
    FrameLength {
        /// Samples of a frame.
        expected: usize,
        /// Samples given, or in the packet.
        found: usize,
    },
    /// libopus refuses.
    #[error("libopus: {0}")]
    Codec(#[from] audiopus::Error),
}

/// Frames to packets.
#[derive(Debug)]
pub struct Encoder {
    codec: LibEncoder,
    frame_samples: usize,
}

impl Encoder {
    /// Encodes speech at `rate` with `complexity` from 0 (cheapest) to 10 (best).
    ///
    /// # Errors
    /// A rate or complexity that Opus does not know.
    pub fn new(rate: SampleRate, complexity: u8) -> Result<Self, OpusError> {
        let mut codec = LibEncoder::new(lib_rate(rate)?, Channels::Mono, Application::Voip)?;
        codec.set_complexity(complexity)?;
        Ok(Self { codec, frame_samples: rate.frame_samples() })
    }

    /// Encodes one frame into `packet`; gives the bytes used. [`MAX_PACKET`] bytes are always enough.
    ///
    /// # Errors
    /// The samples are not one frame, or the packet has too little room.
    pub fn encode(&mut self, samples: &[i16], packet: &mut [u8]) -> Result<usize, OpusError> {
        one_frame(self.frame_samples, samples.len())?;
        Ok(self.codec.encode(samples, packet)?)
    }
}

/// Packets to frames.
#[derive(Debug)]
pub struct Decoder {
    codec: LibDecoder,
    frame_samples: usize,
}

impl Decoder {
    /// Decodes to samples at `rate`, whatever rate they were encoded at.
    ///
    /// # Errors
    /// A rate that Opus does not know.
    pub fn new(rate: SampleRate) -> Result<Self, OpusError> {
        let codec = LibDecoder::new(lib_rate(rate)?, Channels::Mono)?;
        Ok(Self { codec, frame_samples: rate.frame_samples() })
    }

    /// Decodes a packet of one frame.
    ///
    /// # Errors
    /// The packet is damaged or does not hold 20 ms, or `samples` is not the room for one frame.
    pub fn decode(&mut self, packet: &[u8], samples: &mut [i16]) -> Result<(), OpusError> {
        self.decode_packet(Some(Packet::try_from(packet)?), samples)
    }

    /// Guesses the frame of a packet that was lost from those before it.
    ///
    /// # Errors
    /// `samples` is not the room for one frame.
    pub fn conceal(&mut self, samples: &mut [i16]) -> Result<(), OpusError> {
        self.decode_packet(None, samples)
    }

    /// Forgets all audio so far.
    ///
    /// # Errors
    /// None that libopus documents.
    pub fn reset(&mut self) -> Result<(), OpusError> {
        Ok(self.codec.reset_state()?)
    }

    fn decode_packet(&mut self, packet: Option<Packet<'_>>, samples: &mut [i16]) -> Result<(), OpusError> {
        one_frame(self.frame_samples, samples.len())?;
        let found = self.codec.decode(packet, MutSignals::try_from(samples)?, false)?;
        one_frame(self.frame_samples, found)
    }
}

/// How much audio a packet holds, by its header (RFC 6716 section 3.1); `None` when it has no valid one.
///
/// ```
/// use ringway_wire::opus::packet_duration;
/// use std::time::Duration;
///
/// assert_eq!(packet_duration(&[0b01001_000, 1, 2]), Some(Duration::from_millis(20)));
/// assert_eq!(packet_duration(&[]), None);
/// ```
pub fn packet_duration(packet: &[u8]) -> Option<Duration> {
    let (&toc, rest) = packet.split_first()?;
    let frames = match toc & 0b11 {
        0 => 1,
        1 if rest.len() % 2 == 0 => 2,
        2 if !rest.is_empty() => 2,
        3 => u32::from(rest.first()? & 0b11_1111),
        _ => return None,
    };
    let duration = frame_duration(toc >> 3) * frames;
    (frames > 0 && duration <= MAX_DURATION).then_some(duration)
}

/// Frame length of each configuration: SILK, hybrid, CELT (RFC 6716 table 2).
const fn frame_duration(configuration: u8) -> Duration {
    let micros = match configuration {
        0..=11 => [10_000, 20_000, 40_000, 60_000][configuration as usize % 4],
        12..=15 => [10_000, 20_000][configuration as usize % 2],
        _ => [2_500, 5_000, 10_000, 20_000][configuration as usize % 4],
    };
    Duration::from_micros(micros)
}

fn lib_rate(rate: SampleRate) -> Result<audiopus::SampleRate, OpusError> {
    let hz = i32::try_from(rate.hz()).map_err(|_| OpusError::Rate(rate))?;
    audiopus::SampleRate::try_from(hz).map_err(|_| OpusError::Rate(rate))
}

const fn one_frame(expected: usize, found: usize) -> Result<(), OpusError> {
    if expected == found { Ok(()) } else { Err(OpusError::FrameLength { expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Dbfs;
    use ringway_frame::FRAME;

    fn tone(rate: SampleRate, frame: usize) -> Vec<i16> {
        let start = frame * rate.frame_samples();
        let phase = |n: usize| (start + n) as f64 / f64::from(rate.hz()) * 440.0 * std::f64::consts::TAU;
        (0..rate.frame_samples()).map(|n| (phase(n).sin() * 10_000.0) as i16).collect()
    }

    #[test]
    fn a_tone_comes_back_as_loud_as_it_went() {
        for rate in [SampleRate::HZ_16000, SampleRate::HZ_48000] {
            let mut encoder = Encoder::new(rate, 5).unwrap();
            let mut decoder = Decoder::new(rate).unwrap();
            let (mut packet, mut samples) = ([0; MAX_PACKET], vec![0; rate.frame_samples()]);
            for frame in 0..10 {
                let len = encoder.encode(&tone(rate, frame), &mut packet).unwrap();
                assert_eq!(packet_duration(&packet[..len]), Some(FRAME));
                decoder.decode(&packet[..len], &mut samples).unwrap();
            }
            let level = Dbfs::of_samples(&samples).decibels();
            assert!((level - Dbfs::of_samples(&tone(rate, 9)).decibels()).abs() < 1.0, "{level}");
        }
    }

    #[test]
    fn a_lost_packet_is_concealed() {
        let mut decoder = Decoder::new(SampleRate::HZ_16000).unwrap();
        decoder.conceal(&mut [0; 320]).unwrap();
        decoder.reset().unwrap();
    }

    #[test]
    fn frames_of_other_lengths_are_refused() {
        let mut encoder = Encoder::new(SampleRate::HZ_16000, 0).unwrap();
        let wrong = OpusError::FrameLength { expected: 320, found: 160 };
        assert_eq!(encoder.encode(&[0; 160], &mut [0; MAX_PACKET]), Err(wrong));
        let mut decoder = Decoder::new(SampleRate::HZ_16000).unwrap();
        assert_eq!(decoder.decode(&[0b0100_0000], &mut [0; 320]), Err(wrong), "a packet of 10 ms");
        assert!(matches!(decoder.decode(&[], &mut [0; 320]), Err(OpusError::Codec(_))));
    }

    #[test]
    fn rates_and_complexities_that_opus_does_not_know_are_refused() {
        let rate = SampleRate::new(44_100).unwrap();
        assert_eq!(Decoder::new(rate).unwrap_err(), OpusError::Rate(rate));
        assert!(matches!(Encoder::new(SampleRate::HZ_16000, 11), Err(OpusError::Codec(_))));
    }

    #[test]
    fn a_header_that_makes_no_sense_has_no_duration() {
        let no_count = [0b0000_0011];
        let no_frames = [0b0000_0011, 0];
        let too_long = [0b0001_1011, 3];
        let odd_halves = [0b0000_1001, 1];
        for packet in [&no_count[..], &no_frames, &too_long, &odd_halves] {
            assert_eq!(packet_duration(packet), None, "{packet:?}");
        }
        assert_eq!(packet_duration(&[0b0000_0011, 2]), Some(FRAME));
        assert_eq!(packet_duration(&[0b1000_0000]), Some(Duration::from_micros(2_500)));
    }
}
