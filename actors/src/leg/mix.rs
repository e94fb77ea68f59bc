//! Audio of several frames, sample by sample.

use audio_codec::pcmu::{PcmuDecoder, PcmuEncoder};
use audio_codec::{Decoder, Encoder};
use ringway_frame::{Format, Frame, MAX_PAYLOAD};

/// Samples of the largest frame.
const MOST: usize = MAX_PAYLOAD / 2;

/// The samples of one frame, of which the format's first ones count.
pub(crate) type Samples = [i16; MOST];

/// Silence.
pub(crate) const SILENCE: Samples = [0; MOST];

/// The sum of some frames, wider than a sample: it is limited only where it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum([i32; MOST]);

impl Sum {
    pub(crate) const NOTHING: Self = Self([0; MOST]);

    pub(crate) fn add(&mut self, samples: &Samples) {
        self.0.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += i32::from(*sample));
    }

    pub(crate) fn subtract(&mut self, samples: &Samples) {
        self.0.iter_mut().zip(samples).for_each(|(sum, sample)| *sum -= i32::from(*sample));
    }

    /// Writes it as the payload of a frame.
    pub(crate) fn write(&self, frame: &mut Frame) {
        write(&self.limited(), frame);
    }

    /// As samples; what is too loud for one is limited.
    pub(crate) fn limited(&self) -> Samples {
        let mut samples = SILENCE;
        for (sample, sum) in samples.iter_mut().zip(&self.0) {
            *sample = (*sum).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
        samples
    }
}

/// The samples of a frame.
pub(crate) fn read(frame: &Frame, samples: &mut Samples) {
    match frame.format() {
        Format::Mulaw8k => {
            let payload = frame.payload();
            let decoded = PcmuDecoder::new().decode_into(payload, &mut samples[..payload.len()]);
            debug_assert!(decoded.is_ok(), "there is room for every sample");
        }
        Format::Pcm8k | Format::Pcm16k => {
            let pairs = frame.payload().as_chunks::<2>().0;
            samples.iter_mut().zip(pairs).for_each(|(sample, pair)| *sample = i16::from_le_bytes(*pair));
        }
    }
}

/// Writes samples as the payload of a frame.
pub(crate) fn write(samples: &Samples, frame: &mut Frame) {
    let format = frame.format();
    let payload = frame.payload_mut();
    match format {
        Format::Mulaw8k => {
            let encoded = PcmuEncoder::new().encode_into(&samples[..payload.len()], payload);
            debug_assert!(encoded.is_ok(), "there is room for every byte");
        }
        Format::Pcm8k | Format::Pcm16k => {
            let pairs = payload.as_chunks_mut::<2>().0;
            pairs.iter_mut().zip(samples).for_each(|(pair, sample)| *pair = sample.to_le_bytes());
        }
    }
}

/// Adds the audio of `other` to that of `frame`.
pub(crate) fn add(frame: &mut Frame, other: &Frame) {
    let (mut sum, mut samples) = (Sum::NOTHING, SILENCE);
    for part in [&*frame, other] {
        read(part, &mut samples);
        sum.add(&samples);
    }
    sum.write(frame);
}

/// How loud it is: the mean of the samples' absolute values.
pub(crate) fn level(samples: &Samples) -> u32 {
    samples.iter().map(|sample| u32::from(sample.unsigned_abs())).sum::<u32>() / MOST as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(format: Format, sample: i16) -> Frame {
        let mut frame = Frame::silence(format);
        write(&[sample; MOST], &mut frame);
        frame
    }

    #[test]
    fn sums_are_exact_and_limited() {
        for (one, two, sum) in [(1_000, -300, 700), (30_000, 30_000, i16::MAX), (-30_000, -9_000, i16::MIN)] {
            let mut mixed = frame(Format::Pcm16k, one);
            add(&mut mixed, &frame(Format::Pcm16k, two));
            assert_eq!(mixed, frame(Format::Pcm16k, sum));
        }
    }

    #[test]
    fn telephone_audio_is_summed_as_samples_and_silence_adds_nothing() {
        let spoken = frame(Format::Mulaw8k, 8_031);
        let mut mixed = spoken;
        add(&mut mixed, &Frame::silence(Format::Mulaw8k));
        assert_eq!(mixed, spoken);
        add(&mut mixed, &spoken);
        let mut samples = SILENCE;
        read(&mixed, &mut samples);
        assert!((15_500..=16_600).contains(&samples[0]), "{}", samples[0]);
    }
}
