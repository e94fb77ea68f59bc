//! Makes of a segment what the recogniser understands best: nothing but speech, as loud as others, on a line that is
//! never quite silent.

use super::recording::Recording;
use crate::pcm::{self, MAX_SAMPLES};
use crate::resample::Resampler;
use ringway_frame::SampleRate;
use std::time::Duration;

/// What the model was trained on.
pub(super) const RATE: SampleRate = SampleRate::HZ_16000;

/// The speech in the segment, in s16 at 16 kHz; empty when there is none.
pub(super) fn speech(recording: &Recording) -> Vec<i16> {
    let rate = recording.format().rate();
    let samples = samples(recording);
    let Some(range) = trim(&samples, rate) else { return Vec::new() };
    let spoken: Vec<i16> = samples[range].iter().map(|sample| *sample as i16).collect();
    let (mut resampler, mut resampled) = (Resampler::new(rate, RATE), Vec::new());
    resampler.push(&spoken, &mut resampled);
    resampler.finish(&mut resampled);
    let mut speech: Vec<f32> = resampled.into_iter().map(f32::from).collect();
    level(&mut speech);
    let mut noise = Noise(1);
    speech.iter().map(|sample| (sample + noise.next()).round() as i16).collect()
}

fn samples(recording: &Recording) -> Vec<f32> {
    let mut samples = Vec::new();
    let mut frame_samples = [0; MAX_SAMPLES];
    for frame in recording.frames() {
        let count = pcm::decode(&frame, &mut frame_samples);
        samples.extend(frame_samples[..count].iter().map(|sample| f32::from(*sample)));
    }
    samples
}

/// Level of 10 ms in dBFS.
type Decibels = f32;

/// Where the speech is, with [`MARGIN`] on both sides.
fn trim(samples: &[f32], rate: SampleRate) -> Option<std::ops::Range<usize>> {
    let block = rate.samples(BLOCK) as usize;
    let levels: Vec<Decibels> = samples.chunks_exact(block).map(block_level).collect();
    let threshold = threshold(&levels)?;
    let first = levels.iter().position(|level| *level >= threshold)?;
    let last = levels.iter().rposition(|level| *level >= threshold)?;
    let margin = rate.samples(MARGIN) as usize;
    Some((first * block).saturating_sub(margin)..((last + 1) * block + margin).min(samples.len()))
}

/// From which level on a block is speech; `None`: none is.
fn threshold(levels: &[Decibels]) -> Option<Decibels> {
    let loudest = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if loudest < QUIETEST {
        return None;
    }
    let mut sorted = levels.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let noise = sorted[sorted.len() / 10];
    // A line that is noisier than speech fades must not hide where speech ends, nor speech without a pause its onset.
    Some((loudest - FADES).max((noise + ABOVE_NOISE).min(loudest - LOUD)))
}

fn block_level(block: &[f32]) -> Decibels {
    let power = block.iter().map(|sample| sample * sample).sum::<f32>() / block.len() as f32;
    10.0 * (power / (32_768.0 * 32_768.0)).max(1e-10).log10()
}

/// Brings the loudest sample to [`PEAK`].
fn level(speech: &mut [f32]) {
    let loudest = speech.iter().fold(1.0_f32, |loudest, sample| loudest.max(sample.abs()));
    let gain = (PEAK / loudest).min(MAX_GAIN);
    speech.iter_mut().for_each(|sample| *sample *= gain);
}

/// White noise, the same for each utterance, uniform (Marsaglia's xorshift32).
///
/// A telephone line, brought to 16 kHz, has nothing above 4 kHz and, between words, often nothing at all. The logarithm
/// of nothing is unlike all that the model was trained on: with a little noise six words in a hundred more are
/// heard by a grammar and fifteen more without one (docs/internals/recogniser.md).
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 as f32 / 2_f32.powi(31) - 1.0) * NOISE * 3_f32.sqrt()
    }
}

const BLOCK: Duration = Duration::from_millis(10);

/// Kept around the speech: less cuts soft sounds, more shifts the mean of the utterance (docs/internals/recogniser.md).
const MARGIN: Duration = Duration::from_millis(50);

/// A segment that is nowhere louder has no speech.
const QUIETEST: Decibels = -60.0;

/// By how much quieter than its loudest syllable speech ends.
const FADES: Decibels = 40.0;

/// By how much speech is above the noise.
const ABOVE_NOISE: Decibels = 6.0;

/// Blocks that are no further below the loudest are speech whatever the noise seems to be.
const LOUD: Decibels = 15.0;

/// Half of full scale.
const PEAK: f32 = 16_000.0;

const MAX_GAIN: f32 = 100.0;

/// RMS of the added noise, 52 dB below [`PEAK`].
const NOISE: f32 = 40.0;

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::{Format, Frame};
    use std::f32::consts::TAU;

    /// Silence, a tone of `amplitude`, silence; each of so many frames.
    fn recording(format: Format, amplitude: f32, frames: [usize; 3]) -> Recording {
        let mut recording = Recording::new(format);
        let rate = format.rate();
        for (part, count) in frames.into_iter().enumerate() {
            for _ in 0..count {
                let loud = if part == 1 { amplitude } else { 0.0 };
                let tone = |at: usize| (TAU * 500.0 * at as f32 / rate.hz() as f32).sin() * loud;
                let samples: Vec<i16> = (0..rate.frame_samples()).map(|at| tone(at) as i16).collect();
                let mut frame = Frame::silence(format);
                pcm::encode(&samples, &mut frame);
                recording.hear(&frame);
            }
        }
        recording
    }

    #[test]
    fn speech_is_cut_out_and_made_loud() {
        for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
            for amplitude in [300.0, 3_000.0, 30_000.0] {
                let speech = speech(&recording(format, amplitude, [50, 10, 50]));
                let millis = speech.len() / 16;
                assert!((295..=305).contains(&millis), "{format} {amplitude}: {millis} ms");
                let peak = speech.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
                assert!((15_000..17_500).contains(&peak), "{format} {amplitude}: {peak}");
            }
        }
    }

    #[test]
    fn silence_has_no_speech() {
        assert!(speech(&recording(Format::Mulaw8k, 0.0, [10, 10, 10])).is_empty());
        assert!(speech(&Recording::new(Format::Pcm16k)).is_empty());
    }

    #[test]
    fn noise_does_not_pass_for_speech() {
        let mut levels = vec![-40.0; 100];
        levels[50..80].fill(-20.0);
        assert_eq!(threshold(&levels), Some(-35.0));
        assert_eq!(threshold(&[-20.0; 50]), Some(-35.0), "speech without a pause");
        assert_eq!(threshold(&[]), None);
    }
}
