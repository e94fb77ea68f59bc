//! Samples out of frames and into them.

use audio_codec::pcmu::{PcmuDecoder, PcmuEncoder};
use audio_codec::{Decoder, Encoder};
use ringway_frame::{Format, Frame};

/// Samples of the longest frame.
pub(crate) const MAX_SAMPLES: usize = Format::Pcm16k.rate().frame_samples();

/// The samples of `frame` at its format's rate.
pub(crate) fn decode(frame: &Frame, samples: &mut [i16; MAX_SAMPLES]) -> usize {
    let payload = frame.payload();
    match frame.format() {
        Format::Mulaw8k => {
            PcmuDecoder::new().decode_into(payload, samples).expect("a frame has room for its own samples")
        }
        Format::Pcm8k | Format::Pcm16k => {
            for (sample, bytes) in samples.iter_mut().zip(payload.chunks_exact(2)) {
                *sample = i16::from_le_bytes([bytes[0], bytes[1]]);
            }
            payload.len() / 2
        }
    }
}

/// Writes one frame's samples; what is missing at the end becomes silence.
pub(crate) fn encode(samples: &[i16], frame: &mut Frame) {
    let format = frame.format();
    let payload = frame.payload_mut();
    payload.fill(format.silence());
    match format {
        Format::Mulaw8k => {
            PcmuEncoder::new().encode_into(samples, payload).expect("at most a frame's samples");
        }
        Format::Pcm8k | Format::Pcm16k => {
            for (bytes, sample) in payload.chunks_exact_mut(2).zip(samples) {
                bytes.copy_from_slice(&sample.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive_a_frame() {
        for (format, error) in [(Format::Pcm8k, 0), (Format::Pcm16k, 0), (Format::Mulaw8k, 600)] {
            let count = format.rate().frame_samples();
            let samples: Vec<i16> = (0..count).map(|i| (i as i16 - 100) * 70).collect();
            let mut frame = Frame::silence(format);
            encode(&samples, &mut frame);
            let mut heard = [0; MAX_SAMPLES];
            assert_eq!(decode(&frame, &mut heard), count);
            for (said, heard) in samples.iter().zip(heard) {
                assert!((said - heard).abs() <= error, "{format}: {said} became {heard}");
            }
        }
    }

    #[test]
    fn a_short_frame_is_filled_up_with_silence() {
        let mut frame = Frame::new(Format::Mulaw8k, &[1; 160]).unwrap();
        encode(&[8_000; 10], &mut frame);
        assert!(frame.payload()[10..].iter().all(|byte| *byte == Format::Mulaw8k.silence()));
    }
}
