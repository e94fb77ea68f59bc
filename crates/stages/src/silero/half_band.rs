//! Between 8 and 16 kHz by a half-band filter: every other of its taps is zero, so that one of its two phases is the
//! audio itself, late. A resampler for any ratio would keep more memory a call (FFT) or multiply more (sinc).

use crate::pcm::MAX_SAMPLES;
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Makes 16 kHz of 8 kHz: flat to the end of the telephone band at 3.4 kHz.
#[derive(Clone, Debug)]
pub(super) struct Doubler {
    past: [f32; TAPS - 1],
}

/// Makes 8 kHz of 16 kHz.
#[derive(Clone, Debug)]
pub(super) struct Halver {
    even: [f32; MIDDLE],
    odd: [f32; TAPS - 1],
}

/// Length of the phase that is not trivial.
const TAPS: usize = 32;

/// Samples at 8 kHz by which the trivial phase is late, so that it lies in the middle of the other.
const MIDDLE: usize = TAPS / 2 - 1;

/// Samples of a frame at 8 kHz.
const NARROW: usize = MAX_SAMPLES / 2;

/// The first half of the phase, which is symmetric: sin(x)/x at odd multiples of half a sample under a Hann window,
/// scaled so that the whole adds up to one.
static FILTER: LazyLock<[f32; TAPS / 2]> = LazyLock::new(|| {
    let taps: [f64; TAPS / 2] = std::array::from_fn(|index| {
        let distance = PI * (MIDDLE as f64 + 0.5 - index as f64);
        let window = 0.5 + 0.5 * (distance / (TAPS / 2) as f64).cos();
        distance.sin() / distance * window
    });
    let sum: f64 = 2.0 * taps.iter().sum::<f64>();
    taps.map(|tap| (tap / sum) as f32)
});

impl Doubler {
    /// The output is late by this many of its samples.
    pub(super) const DELAY: usize = 2 * (TAPS - 1 - MIDDLE);

    /// One that has heard silence so far.
    pub(super) fn new() -> Self {
        Self { past: [0.0; TAPS - 1] }
    }

    /// Doubles a frame.
    pub(super) fn double(&mut self, input: &[f32; NARROW]) -> [f32; MAX_SAMPLES] {
        let heard = joined(&mut self.past, input);
        let between = between(&heard);
        let mut output = [0.0; MAX_SAMPLES];
        for (n, pair) in output.as_chunks_mut().0.iter_mut().enumerate() {
            *pair = [heard[n + MIDDLE], between[n]];
        }
        output
    }
}

impl Halver {
    /// The output is late by this many of its samples.
    pub(super) const DELAY: usize = MIDDLE;

    /// One that has heard silence so far.
    pub(super) fn new() -> Self {
        Self { even: [0.0; MIDDLE], odd: [0.0; TAPS - 1] }
    }

    /// Halves a frame.
    pub(super) fn halve(&mut self, input: &[f32; MAX_SAMPLES]) -> [f32; NARROW] {
        let pairs = input.as_chunks::<2>().0;
        let middle: [f32; MIDDLE + NARROW] = joined(&mut self.even, &std::array::from_fn(|n| pairs[n][0]));
        let between = between(&joined(&mut self.odd, &std::array::from_fn(|n| pairs[n][1])));
        std::array::from_fn(|n| 0.5 * (middle[n] + between[n]))
    }
}

/// `past` and then `frame`; what is at the end becomes the next past.
fn joined<const P: usize, const J: usize>(past: &mut [f32; P], frame: &[f32; NARROW]) -> [f32; J] {
    let mut all = [0.0; J];
    all[..P].copy_from_slice(past);
    all[P..].copy_from_slice(frame);
    past.copy_from_slice(&all[NARROW..]);
    all
}

/// For each sample of the frame at the end of `heard` the value in the middle of the filter, half a sample after
/// `heard[n + MIDDLE]`. Tap by tap and not sample by sample, so that the compiler can use vectors.
fn between(heard: &[f32; TAPS - 1 + NARROW]) -> [f32; NARROW] {
    let mut sums = [0.0; NARROW];
    for (index, &tap) in FILTER.iter().enumerate() {
        let early = &heard[index..][..NARROW];
        let late = &heard[TAPS - 1 - index..][..NARROW];
        for ((sum, early), late) in sums.iter_mut().zip(early).zip(late) {
            *sum += tap * (early + late);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone<const N: usize>(hertz: f64, rate: f64, frame: usize) -> [f32; N] {
        std::array::from_fn(|n| (2.0 * PI * hertz * (frame * N + n) as f64 / rate).sin() as f32)
    }

    /// The greatest difference between `frame` and the tone `delay` samples earlier.
    fn error(frame: &[f32], hertz: f64, rate: f64, first: usize, delay: usize) -> f64 {
        let ideal = |n: usize| (2.0 * PI * hertz * (first + n - delay) as f64 / rate).sin();
        frame.iter().enumerate().map(|(n, &sample)| (f64::from(sample) - ideal(n)).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn a_doubled_tone_keeps_its_form_and_is_late_by_the_delay() {
        for hertz in [100.0, 440.0, 1_000.0, 2_500.0, 3_400.0] {
            let mut doubler = Doubler::new();
            doubler.double(&tone(hertz, 8_000.0, 0));
            let doubled = doubler.double(&tone(hertz, 8_000.0, 1));
            let error = error(&doubled, hertz, 16_000.0, MAX_SAMPLES, Doubler::DELAY);
            assert!(error < 0.02, "{hertz} Hz: {error}");
        }
    }

    #[test]
    fn a_halved_tone_keeps_its_form_and_is_late_by_the_delay() {
        for hertz in [100.0, 440.0, 1_000.0, 2_500.0, 3_400.0] {
            let mut halver = Halver::new();
            halver.halve(&tone(hertz, 16_000.0, 0));
            let halved = halver.halve(&tone(hertz, 16_000.0, 1));
            let error = error(&halved, hertz, 8_000.0, NARROW, Halver::DELAY);
            assert!(error < 0.02, "{hertz} Hz: {error}");
        }
    }

    #[test]
    fn what_8_khz_cannot_hold_is_not_folded_into_it() {
        for hertz in [4_600.0, 5_500.0, 7_000.0] {
            let mut halver = Halver::new();
            halver.halve(&tone(hertz, 16_000.0, 0));
            let loudest =
                halver.halve(&tone(hertz, 16_000.0, 1)).into_iter().map(f32::abs).fold(0.0, f32::max);
            assert!(loudest < 0.01, "{hertz} Hz: {loudest}");
        }
    }
}
