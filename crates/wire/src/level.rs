//! How loud audio is.

use crate::g711;
use std::fmt;

/// A root mean square in decibels below full scale, where a square wave of full amplitude has 0.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Dbfs(f32);

/// The least level that counts as loud, wherever answer and barge-in times are measured.
pub const LOUD: Dbfs = Dbfs(-40.0);

/// Samples decoded at once.
const PIECE: usize = 160;

impl Dbfs {
    /// The level of no sound at all.
    pub const SILENCE: Self = Self(f32::NEG_INFINITY);

    /// This many decibels.
    pub const fn new(decibels: f32) -> Self {
        Self(decibels)
    }

    /// The level of these samples.
    pub fn of_samples(samples: &[i16]) -> Self {
        Self::of_power(power(samples.iter().copied()), samples.len())
    }

    /// The level of s16le samples; half a sample at the end is left out.
    pub fn of_pcm16(bytes: &[u8]) -> Self {
        let samples = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
        Self::of_power(power(samples), bytes.len() / 2)
    }

    /// The level of mu-law samples.
    pub fn of_mulaw(bytes: &[u8]) -> Self {
        let mut samples = [0; PIECE];
        let pieces = bytes.chunks(PIECE).map(|piece| {
            let samples = &mut samples[..piece.len()];
            g711::decode(piece, samples);
            power(samples.iter().copied())
        });
        Self::of_power(pieces.sum(), bytes.len())
    }

    /// Decibels; negative infinity for silence.
    pub const fn decibels(self) -> f32 {
        self.0
    }

    /// Above [`LOUD`].
    pub fn is_loud(self) -> bool {
        self > LOUD
    }

    fn of_power(power: u64, samples: usize) -> Self {
        if power == 0 {
            return Self::SILENCE;
        }
        let full_scale = f64::from(1 << 15).powi(2) * samples as f64;
        Self((10.0 * (power as f64 / full_scale).log10()) as f32)
    }
}

impl fmt::Display for Dbfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} dBFS", self.0)
    }
}

fn power(samples: impl Iterator<Item = i16>) -> u64 {
    samples.map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_is_zero_and_silence_has_no_level() {
        assert_eq!(Dbfs::of_samples(&[i16::MIN; 160]), Dbfs::new(0.0));
        assert_eq!(Dbfs::of_samples(&[0; 160]), Dbfs::SILENCE);
        assert_eq!(Dbfs::of_samples(&[]), Dbfs::SILENCE);
        assert_eq!(Dbfs::of_mulaw(&[0xff; 160]), Dbfs::SILENCE);
    }

    #[test]
    fn loud_begins_above_minus_forty() {
        // 327.68 is a hundredth of full scale.
        assert!(!Dbfs::of_samples(&[327; 320]).is_loud());
        assert!(Dbfs::of_samples(&[328; 320]).is_loud());
        assert!(!LOUD.is_loud());
    }

    #[test]
    fn the_level_does_not_depend_on_the_coding() {
        let samples: Vec<i16> = (0..400).map(|n| ((f64::from(n) * 0.3).sin() * 9_000.0) as i16).collect();
        let mut mulaw = vec![0; samples.len()];
        g711::encode(&samples, &mut mulaw);
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let level = Dbfs::of_samples(&samples);
        assert_eq!(level, Dbfs::of_pcm16(&bytes));
        assert!((level.decibels() - Dbfs::of_mulaw(&mulaw).decibels()).abs() < 0.1);
        assert_eq!(level.to_string(), "-14.3 dBFS");
    }
}
