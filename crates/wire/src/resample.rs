//! Audio from one sample rate to another.

use ringway_frame::SampleRate;
use rubato::audioadapter_buffers::number_to_float::InterleavedNumbers;
use rubato::{Fft, FixedSync, Resampler as _};

/// Frames a second.
const FRAMES: u32 = 50;

/// Resamples a stream frame by frame, 20 ms in and 20 ms out.
///
/// Allocates only when it is made: 21 KiB between 8 and 16 kHz, 55 KiB between 16 and 48 kHz, most of it the tables
/// of its FFT (`tests/allocation.rs`; `benches/audio.rs` has the time). The audio comes out half a frame late.
///
/// ```
/// use ringway_frame::SampleRate;
/// use ringway_wire::resample::Resampler;
///
/// let mut resampler = Resampler::new(SampleRate::HZ_8000, SampleRate::HZ_16000)?;
/// let mut wide = [0; 320];
/// resampler.process(&[0; 160], &mut wide);
/// # Ok::<(), ringway_wire::resample::UnevenRate>(())
/// ```
#[derive(Debug)]
pub struct Resampler {
    /// `None` where the rates are equal.
    fft: Option<Box<Fft<f32>>>,
    from: SampleRate,
    to: SampleRate,
}

/// 20 ms at this rate are not a whole number of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("20 ms at {0} are not a whole number of samples")]
pub struct UnevenRate(pub SampleRate);

impl Resampler {
    /// Resamples `from` one rate `to` another.
    ///
    /// # Errors
    /// 20 ms at one of them are not a whole number of samples, as at 11,025 Hz.
    pub fn new(from: SampleRate, to: SampleRate) -> Result<Self, UnevenRate> {
        for rate in [from, to] {
            if !rate.hz().is_multiple_of(FRAMES) {
                return Err(UnevenRate(rate));
            }
        }
        let fft = (from != to).then(|| Box::new(fft(from, to, from.frame_samples())));
        Ok(Self { fft, from, to })
    }

    /// The rate of what goes in.
    pub const fn from(&self) -> SampleRate {
        self.from
    }

    /// The rate of what comes out.
    pub const fn to(&self) -> SampleRate {
        self.to
    }

    /// Resamples one frame.
    ///
    /// # Panics
    /// A slice is not 20 ms at its rate.
    pub fn process(&mut self, samples: &[i16], resampled: &mut [i16]) {
        assert_eq!(samples.len(), self.from.frame_samples(), "a frame at {}", self.from);
        assert_eq!(resampled.len(), self.to.frame_samples(), "a frame at {}", self.to);
        let Some(fft) = &mut self.fft else { return resampled.copy_from_slice(samples) };
        let (in_len, out_len) = (samples.len(), resampled.len());
        let input = InterleavedNumbers::new(samples, 1, in_len).expect("one channel of this length");
        let mut output =
            InterleavedNumbers::new_mut(resampled, 1, out_len).expect("one channel of this length");
        let (read, written) =
            fft.process_into_buffer(&input, &mut output, None).expect("both hold one chunk");
        debug_assert_eq!((read, written), (in_len, out_len));
    }

    /// Forgets all audio so far.
    pub fn reset(&mut self) {
        if let Some(fft) = &mut self.fft {
            fft.reset();
        }
    }
}

/// Resamples a whole recording, its beginning and end kept in place.
pub(crate) fn whole(samples: Vec<f32>, from: SampleRate, to: SampleRate) -> Vec<f32> {
    if from == to || samples.is_empty() {
        return samples;
    }
    let len = samples.len();
    let input = rubato::audioadapter_buffers::direct::InterleavedSlice::new(&samples, 1, len)
        .expect("one channel of this length");
    let mut fft = fft(from, to, 1_024);
    fft.process_all(&input, len, None).expect("the output is made to fit").take_data()
}

fn fft(from: SampleRate, to: SampleRate, chunk: usize) -> Fft<f32> {
    Fft::new(from.hz() as usize, to.hz() as usize, chunk, 1, FixedSync::Both)
        .expect("rates and chunk are not zero")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Dbfs;

    fn tone(rate: SampleRate, hz: f64, frame: usize) -> Vec<i16> {
        let start = frame * rate.frame_samples();
        let phase = |n: usize| (start + n) as f64 / f64::from(rate.hz()) * hz * std::f64::consts::TAU;
        (0..rate.frame_samples()).map(|n| (phase(n).sin() * 10_000.0) as i16).collect()
    }

    /// Decibels that a tone changes by.
    fn gain(from: SampleRate, to: SampleRate, hz: f64) -> f32 {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut resampled = vec![0; to.frame_samples()];
        for frame in 0..10 {
            resampler.process(&tone(from, hz, frame), &mut resampled);
        }
        Dbfs::of_samples(&resampled).decibels() - Dbfs::of_samples(&tone(from, hz, 9)).decibels()
    }

    #[test]
    fn speech_passes_between_all_rates() {
        let rates = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000].map(|hz| SampleRate::new(hz).unwrap());
        for from in rates {
            for to in rates {
                for hz in [200.0, 1_000.0, 3_300.0] {
                    let gain = gain(from, to, hz);
                    assert!(gain.abs() < 0.5, "{from} to {to}: {hz} Hz by {gain} dB");
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_filtered_out() {
        for (from, hz) in [(SampleRate::HZ_16000, 5_000.0), (SampleRate::HZ_48000, 12_000.0)] {
            let gain = gain(from, SampleRate::HZ_8000, hz);
            assert!(gain < -60.0, "{hz} Hz by {gain} dB");
        }
    }

    #[test]
    fn frames_join_without_a_seam() {
        let (from, to) = (SampleRate::HZ_8000, SampleRate::HZ_16000);
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        for frame in 0..20 {
            let mut resampled = [0; 320];
            resampler.process(&tone(from, 440.0, frame), &mut resampled);
            out.extend(resampled);
        }
        let delay = to.frame_samples() / 2;
        let expected: Vec<i16> = (0..20).flat_map(|frame| tone(to, 440.0, frame)).collect();
        for (n, (sample, expected)) in out[delay..].iter().zip(expected).enumerate().skip(640) {
            assert!((i32::from(*sample) - i32::from(expected)).abs() < 30, "{n}: {sample}, not {expected}");
        }
    }

    #[test]
    fn a_reset_resampler_is_as_new() {
        let mut used = Resampler::new(SampleRate::HZ_8000, SampleRate::HZ_16000).unwrap();
        let (mut first, mut again) = ([0; 320], [0; 320]);
        let tone = tone(SampleRate::HZ_8000, 440.0, 0);
        used.process(&tone, &mut first);
        used.reset();
        used.process(&tone, &mut again);
        assert_eq!(first, again);
    }

    #[test]
    fn a_rate_without_whole_frames_is_refused() {
        let rate = SampleRate::new(11_025).unwrap();
        assert_eq!(Resampler::new(rate, SampleRate::HZ_8000).unwrap_err(), UnevenRate(rate));
    }
}
