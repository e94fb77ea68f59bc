//! The filters that change the rate of samples by one ratio.

use ringway_frame::SampleRate;
use std::collections::VecDeque;
use std::f64::consts::PI;
use std::sync::{Arc, Mutex, PoisonError};

/// A low-pass filter for each place between two samples of the input where one of the output may lie: sin(x)/x under a
/// Kaiser window.
#[derive(Debug)]
pub(super) struct Bank {
    rates: (SampleRate, SampleRate),
    /// Places between two samples of the input.
    pub(super) places: usize,
    /// From one sample of the output to the next: samples of the input, and places.
    pub(super) step: (usize, usize),
    /// Samples of the input that one of the output is made of.
    pub(super) taps: usize,
    /// As many as places, or, where that would be too many, as lie close enough to them.
    filters: usize,
    /// Filter by filter, in parts of [`ONE`].
    coefficients: Box<[Chunk]>,
}

/// Banks in use, or used not long ago, by all calls.
static BANKS: Mutex<VecDeque<Arc<Bank>>> = Mutex::new(VecDeque::new());

impl Bank {
    /// The bank from one rate to the other.
    pub(super) fn shared(from: SampleRate, to: SampleRate) -> Arc<Self> {
        let banks = || BANKS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bank) = banks().iter().find(|bank| bank.rates == (from, to)) {
            return bank.clone();
        }
        let bank = Arc::new(Self::new(from, to));
        let mut banks = banks();
        banks.truncate(MOST_BANKS - 1);
        banks.push_front(bank.clone());
        bank
    }

    /// Takes 0.7 ms at most.
    fn new(from: SampleRate, to: SampleRate) -> Self {
        let rates = (from, to);
        let (from, to) = (from.hz() as usize, to.hz() as usize);
        let common = greatest_common_divisor(from, to);
        let (places, step) = (to / common, from / common);
        let taps = (NARROWEST_TAPS * from.max(to) / to).next_multiple_of(CHUNK);
        let filters = places.min(MOST_COEFFICIENTS / taps).max(1);
        // A filter that stands for several places lies in the middle of them.
        let middle = if filters == places { 0.0 } else { 0.5 };
        let cutoff = 0.5 * (to as f64 / from as f64).min(1.0) - 0.42 * TRANSITION / taps as f64;
        let behind = (0..filters).map(|nth| (nth as f64 + middle) / filters as f64);
        let coefficients: Vec<i16> = behind.flat_map(|behind| filter(behind, taps, cutoff)).collect();
        let (coefficients, step) = (coefficients.as_chunks().0.into(), (step / places, step % places));
        Self { rates, places, step, taps, filters, coefficients }
    }

    /// The filter for a sample at this place.
    pub(super) fn filter(&self, place: usize) -> &[Chunk] {
        let nth = if self.filters == self.places { place } else { place * self.filters / self.places };
        let chunks = self.taps / CHUNK;
        &self.coefficients[nth * chunks..][..chunks]
    }
}

/// The sum of the products of samples and coefficients, as a sample.
#[inline]
pub(super) fn filtered(samples: &[i16], filter: &[Chunk]) -> i16 {
    let mut sum = ONE / 2;
    for (samples, coefficients) in samples.as_chunks::<CHUNK>().0.iter().zip(filter) {
        let products = samples.iter().zip(coefficients).map(|(a, b)| i32::from(*a) * i32::from(*b));
        sum += products.sum::<i32>();
    }
    (sum >> ONE.ilog2()).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// Coefficients for a sample that lies `behind` the first of the two in the middle of `taps`; they add up to [`ONE`].
fn filter(behind: f64, taps: usize, cutoff: f64) -> impl Iterator<Item = i16> {
    let middle = (taps / 2 - 1) as f64 + behind;
    let tap = move |index: usize| {
        let distance = index as f64 - middle;
        let beside = distance / (taps / 2) as f64;
        sinc(2.0 * cutoff * distance) * bessel(SHAPE * (1.0 - beside * beside).max(0.0).sqrt())
    };
    let all: Vec<f64> = (0..taps).map(tap).collect();
    let sum: f64 = all.iter().sum();
    all.into_iter().map(move |tap| (tap / sum * f64::from(ONE)).round() as i16)
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The modified Bessel function of order zero, of arguments up to [`SHAPE`], within one in a million.
fn bessel(x: f64) -> f64 {
    (1..=TERMS).rev().fold(1.0, |sum, n| 1.0 + sum * (x * x * 0.25) / f64::from(n * n))
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Samples that are multiplied at one time, which the compiler makes vectors of.
type Chunk = [i16; CHUNK];
pub(super) const CHUNK: usize = 32;

/// What counts as one: the largest that leaves room for the sum, of samples of full scale with the worst signs.
const ONE: i32 = 1 << 14;

/// Taps at the lower of both rates: 64 where that is 8 kHz and the other 22.05 kHz makes 128 of them.
const NARROWEST_TAPS: usize = 46;

/// The window's shape, for 60 dB of attenuation, and the width that it gives the band between what passes and what does
/// not, in parts of the input's rate a tap.
const SHAPE: f64 = 5.65;
const TERMS: u32 = 11;
const TRANSITION: f64 = 3.62;

/// Coefficients of a bank at most, some 48 KiB: from 44.1 and 22.05 kHz to 8 and 16 each place has its filter.
const MOST_COEFFICIENTS: usize = 24 * 1_024;

/// Banks that are kept.
const MOST_BANKS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_products_fit_whatever_the_signs() {
        for from in [4_000, 8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 191_975, 192_000] {
            for to in [8_000, 16_000, 24_000] {
                let bank = Bank::new(SampleRate::new(from).unwrap(), SampleRate::new(to).unwrap());
                assert!(bank.coefficients.as_flattened().len() <= MOST_COEFFICIENTS, "{from} to {to}");
                for filter in bank.coefficients.as_flattened().chunks(bank.taps) {
                    let most: i64 = filter.iter().map(|tap| i64::from(tap.unsigned_abs()) << 15).sum();
                    assert!(most + i64::from(ONE) < i64::from(i32::MAX), "{from} to {to}: {most}");
                }
            }
        }
    }
}
