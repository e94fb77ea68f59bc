//! G.711 mu-law (ITU-T G.711) and 16-bit samples, a slice at a time and without allocation.

use audio_codec::pcmu::{PcmuDecoder, PcmuEncoder};
use audio_codec::{Decoder, Encoder};

/// Decodes each byte of `mulaw` to the sample at its place.
///
/// # Panics
/// The slices differ in length.
pub fn decode(mulaw: &[u8], samples: &mut [i16]) {
    assert_eq!(mulaw.len(), samples.len(), "a mu-law byte is a sample");
    PcmuDecoder::new().decode_into(mulaw, samples).expect("there is room for every sample");
}

/// Encodes each sample to the byte at its place.
///
/// # Panics
/// The slices differ in length.
pub fn encode(samples: &[i16], mulaw: &mut [u8]) {
    assert_eq!(mulaw.len(), samples.len(), "a mu-law byte is a sample");
    PcmuEncoder::new().encode_into(samples, mulaw).expect("there is room for every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_a_round_trip() {
        let all: Vec<u8> = (0..=255).collect();
        let (mut samples, mut back) = ([0; 256], [0; 256]);
        decode(&all, &mut samples);
        encode(&samples, &mut back);
        // 0x7f is the negative zero, which has no sample of its own.
        for (byte, again) in all.into_iter().zip(back).filter(|(byte, _)| *byte != 0x7f) {
            assert_eq!(byte, again);
        }
    }

    #[test]
    fn values_are_those_of_the_standard() {
        let mut samples = [1; 4];
        decode(&[0xff, 0x7f, 0x80, 0x00], &mut samples);
        assert_eq!(samples, [0, 0, 32_124, -32_124]);
    }

    #[test]
    fn the_error_is_within_half_a_step_of_every_sample() {
        let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        let (mut bytes, mut back) = (vec![0; all.len()], vec![0; all.len()]);
        encode(&all, &mut bytes);
        decode(&bytes, &mut back);
        for (sample, again) in all.into_iter().zip(back) {
            let magnitude = i32::from(sample).abs();
            // Sixteen steps a segment, segments doubling from a bias of 132; samples past 32635 are clipped.
            let step = (magnitude.min(32_635) + 132) / 16;
            let error = (i32::from(sample) - i32::from(again)).abs();
            assert!(error <= step / 2 + 4 || magnitude > 32_635 && error < 650, "{sample} became {again}");
        }
    }
}
