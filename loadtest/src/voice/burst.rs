//! Sounds that people make while they listen, made up where no recording is given.

use fastrand::Rng;
use ringway_frame::SampleRate;
use std::f64::consts::TAU;

/// Amplitude of the loudest sample, about -9 dBFS.
const PEAK: f64 = 12_000.0;

/// A cough: two bursts of noise, the first explosive, as in Korpáš et al., "Analysis of the cough sound" (1996).
pub fn cough(rate: SampleRate) -> Vec<i16> {
    let mut rng = Rng::with_seed(1);
    let (first, second) = (0.12, 0.28);
    tone(rate, second, |at| {
        let burst = if at < first { (-at / 0.05).exp() } else { 0.5 * (-(at - first) / 0.08).exp() };
        burst * (rng.f64() * 2.0 - 1.0)
    })
}

/// "Mhm": two hummed syllables at the pitch of a voice, the second higher.
pub fn mhm(rate: SampleRate) -> Vec<i16> {
    let length = 0.44;
    let mut phase = 0.0;
    tone(rate, length, |at| {
        let (pitch_hz, within) = if at < length / 2.0 { (115.0, at) } else { (140.0, at - length / 2.0) };
        phase += TAU * pitch_hz / f64::from(rate.hz());
        let swell = (std::f64::consts::PI * within / (length / 2.0)).sin();
        // A hum is a voice through the nose: the partials fall by 12 dB an octave.
        let partials = (1..=6).map(|n| (phase * f64::from(n)).sin() / f64::from(n * n));
        swell * partials.sum::<f64>() / 1.3
    })
}

/// Samples of a function of the time in seconds, whose values are -1 to 1.
fn tone(rate: SampleRate, seconds: f64, mut value: impl FnMut(f64) -> f64) -> Vec<i16> {
    let samples = (seconds * f64::from(rate.hz())) as u32;
    let mut sample = |n| value(f64::from(n) / f64::from(rate.hz())).clamp(-1.0, 1.0) * PEAK;
    (0..samples).map(|n| sample(n) as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_wire::level::Dbfs;

    #[test]
    fn bursts_are_loud_and_short() {
        for samples in [cough(SampleRate::HZ_8000), mhm(SampleRate::HZ_8000)] {
            assert!(Dbfs::of_samples(&samples).is_loud());
            assert!((1_600..4_000).contains(&samples.len()), "{} samples", samples.len());
        }
    }

    #[test]
    fn a_burst_lasts_as_long_at_every_rate() {
        assert_eq!(mhm(SampleRate::HZ_16000).len(), 2 * mhm(SampleRate::HZ_8000).len());
    }
}
