//! The Fourier transform of the first layer, folded.
//!
//! The basis of the model is a real transform of N samples under a window, as 2 (N/2 + 1) rows of N numbers. Cosines
//! are even and sines odd about N/2, and both again about N/4, for even and for odd frequencies. So samples that meet
//! the same factor are added up first, and four matrices of (N/4)² are left: a quarter of the multiplications.

use crate::ModelError;
use crate::shape::Shape;
use crate::weights::BASIS;
use std::f64::consts::TAU;

/// The samples of one transform, folded. With Q = N/4: even about N/4 (Q + 1 numbers), odd about it (Q), both of what
/// is even about N/2; then of what is odd about N/2, even (Q) and odd (Q - 1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Folded {
    /// N/4.
    pub quarter: usize,
}

/// One of the four transforms: `inputs` numbers at `from` of what is folded, to frequencies `first`, `first + 2`...
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub from: usize,
    pub inputs: usize,
    wave: fn(f64) -> f64,
    /// The sample of the first input.
    sample: usize,
    /// The first frequency.
    first: usize,
}

impl Folded {
    pub fn of(shape: Shape) -> Self {
        Self { quarter: shape.fourier / 4 }
    }

    /// Numbers of a folded transform; one more is left for its highest frequency.
    pub fn len(self) -> usize {
        4 * self.quarter + 1
    }

    /// The real even, real odd, imaginary even and imaginary odd frequencies below N/2: N/4 each.
    pub fn parts(self) -> [Part; 4] {
        let quarter = self.quarter;
        [
            Part { from: 0, inputs: quarter + 1, wave: f64::cos, sample: 0, first: 0 },
            Part { from: quarter + 1, inputs: quarter, wave: f64::cos, sample: 0, first: 1 },
            Part { from: 3 * quarter + 1, inputs: quarter - 1, wave: f64::sin, sample: 1, first: 0 },
            Part { from: 2 * quarter + 1, inputs: quarter, wave: f64::sin, sample: 1, first: 1 },
        ]
    }

    /// Folds samples under a window, both N long. Returns the amplitude of frequency N/2.
    #[inline(always)]
    pub fn fold(self, samples: &[f32], window: &[f32], folded: &mut [f32]) -> f32 {
        let quarter = self.quarter;
        let (samples, window) = (&samples[..4 * quarter], &window[..4 * quarter]);
        let at = |n: usize| samples[n] * window[n];
        let (cosines, sines) = folded[..self.len()].split_at_mut(2 * quarter + 1);
        let (even, odd) = cosines.split_at_mut(quarter + 1);
        let (sine_even, sine_odd) = sines.split_at_mut(quarter);
        (even[0], odd[0]) = (at(0) + at(2 * quarter), at(0) - at(2 * quarter));
        for n in 1..quarter {
            let (a, b) = (at(n), at(4 * quarter - n));
            let (c, d) = (at(2 * quarter - n), at(2 * quarter + n));
            (even[n], odd[n]) = ((a + b) + (c + d), (a + b) - (c + d));
            (sine_even[n - 1], sine_odd[n - 1]) = ((a - b) + (c - d), (a - b) - (c - d));
        }
        even[quarter] = at(quarter) + at(3 * quarter);
        sine_even[quarter - 1] = at(quarter) - at(3 * quarter);
        let (mut plus, mut minus) = (even[quarter], 0.0);
        for pair in even[..quarter].as_chunks::<2>().0 {
            plus += pair[0];
            minus += pair[1];
        }
        plus - minus
    }
}

impl Part {
    /// The factor of an input in an output.
    pub fn weight(self, quarter: usize, input: usize, output: usize) -> f32 {
        let (sample, frequency) = (self.sample + input, self.first + 2 * output);
        wave(self.wave, sample * frequency, 4 * quarter) as f32
    }
}

/// The window that the basis is under, which is its first row, once all of the basis has been seen to be under it.
pub(crate) fn window(basis: &[f32], shape: Shape) -> Result<&[f32], ModelError> {
    let window = &basis[..shape.fourier];
    for (row, factors) in basis.chunks_exact(shape.fourier).enumerate() {
        for (column, factor) in factors.iter().enumerate() {
            let expected = f64::from(window[column]) * basis_wave(row, column, shape);
            if (expected - f64::from(*factor)).abs() > LEEWAY {
                return Err(ModelError::Fourier { tensor: BASIS, row, column });
            }
        }
    }
    Ok(window)
}

fn basis_wave(row: usize, column: usize, shape: Shape) -> f64 {
    match row.checked_sub(shape.bins()) {
        None => wave(f64::cos, row * column, shape.fourier),
        Some(frequency) => -wave(f64::sin, frequency * column, shape.fourier),
    }
}

/// The wave at `step` of `steps`; whole turns are taken off first, so that the angle is exact.
fn wave(wave: fn(f64) -> f64, step: usize, steps: usize) -> f64 {
    wave(TAU * (step % steps) as f64 / steps as f64)
}

/// The model's own is within 6e-8 of the formula, which is how exact its numbers can be.
const LEEWAY: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rate;

    fn hann(shape: Shape) -> Vec<f32> {
        let len = shape.fourier as f64;
        (0..shape.fourier).map(|n| (0.5 - 0.5 * (TAU * n as f64 / len).cos()) as f32).collect()
    }

    fn basis(shape: Shape) -> Vec<f32> {
        let window = hann(shape);
        let row = |row| (0..shape.fourier).map(move |column| (row, column));
        let wave = |(row, column): (usize, usize)| window[column] * basis_wave(row, column, shape) as f32;
        (0..2 * shape.bins()).flat_map(row).map(wave).collect()
    }

    #[test]
    fn folding_loses_no_frequency() {
        for rate in [Rate::Hz8000, Rate::Hz16000] {
            let shape = rate.shape();
            let (folding, basis) = (Folded::of(shape), basis(shape));
            let samples: Vec<f32> = (0..shape.fourier).map(|n| ((n * n * 7) % 23) as f32 / 23.0).collect();
            let mut folded = vec![0.0; folding.len()];
            let highest = folding.fold(&samples, &hann(shape), &mut folded);
            let dot = |row: usize| {
                let row = &basis[row * shape.fourier..][..shape.fourier];
                row.iter().zip(&samples).map(|(a, b)| a * b).sum::<f32>()
            };
            for (nth, part) in folding.parts().iter().enumerate() {
                for output in 0..folding.quarter {
                    let inputs = folded[part.from..][..part.inputs].iter().enumerate();
                    let sum: f32 = inputs.map(|(n, x)| x * part.weight(folding.quarter, n, output)).sum();
                    let frequency = 2 * output + nth % 2;
                    let expected = if nth < 2 { dot(frequency) } else { -dot(shape.bins() + frequency) };
                    assert!((sum - expected).abs() < 2e-5, "{rate:?}, {nth}, {output}: {sum}, {expected}");
                }
            }
            assert!((highest - dot(shape.bins() - 1)).abs() < 2e-5);
        }
    }

    #[test]
    fn a_basis_of_something_else_is_refused_where_it_differs() {
        let shape = Rate::Hz8000.shape();
        let mut basis = basis(shape);
        assert_eq!(window(&basis, shape), Ok(&hann(shape)[..]));
        basis[70 * shape.fourier + 9] += 1e-4;
        let refused = ModelError::Fourier { tensor: BASIS, row: 70, column: 9 };
        assert_eq!(window(&basis, shape), Err(refused));
    }
}
