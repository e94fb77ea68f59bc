use crate::ModelError;
use crate::aligned::Aligned;
use crate::fourier::{self, Folded};
use crate::matrix::Matrix;
use crate::product::{Place, Product, Taps, places};
use crate::shape::{BLOCK, FRAMES, Shape};
use crate::simd::{Simd, Work};
use crate::weights::Weights;

/// The first layer: magnitudes of the Fourier transforms of a row.
#[derive(Debug)]
pub(crate) struct Spectrum {
    shape: Shape,
    folding: Folded,
    window: Aligned,
    /// Of [`Folded::parts`], and where their rows are.
    parts: [(Matrix, Box<[Place]>); 4],
    folded: Aligned,
    transformed: Aligned,
}

/// Folds all transforms of a block.
struct Fold<'a> {
    shape: Shape,
    folding: Folded,
    window: &'a [f32],
    rows: &'a [f32],
    folded: &'a mut [f32],
    magnitudes: &'a mut [f32],
}

/// Takes the magnitudes of what is transformed: real parts of all frequencies, then imaginary ones.
struct Magnitudes<'a> {
    transformed: &'a mut [f32],
    magnitudes: &'a mut [f32],
    /// All but the highest.
    frequencies: usize,
}

impl Spectrum {
    pub fn new(weights: &Weights, panels: &[usize]) -> Result<Self, ModelError> {
        let (shape, folding) = (weights.shape, Folded::of(weights.shape));
        let mut window = Aligned::zeroed(shape.fourier);
        window.copy_from_slice(fourier::window(&weights.basis, shape)?);
        let parts = std::array::from_fn(|nth| part(folding, nth, panels));
        let frames = BLOCK * FRAMES;
        let folded = Aligned::zeroed(frames * folding.len());
        let transformed = Aligned::zeroed(frames * 4 * folding.quarter);
        Ok(Self { shape, folding, window, parts, folded, transformed })
    }

    /// Rows of the first calls to their magnitudes, `[calls][FRAMES][bins]`.
    pub fn run<S: Simd>(&mut self, simd: S, calls: usize, rows: &[f32], magnitudes: &mut [f32]) {
        let magnitudes = &mut magnitudes[..calls * FRAMES * self.shape.bins()];
        self.fold(simd, &rows[..calls * self.shape.row()], magnitudes);
        self.transform(simd, calls * FRAMES);
        let frequencies = 2 * self.folding.quarter;
        simd.enable(Magnitudes { transformed: &mut self.transformed, magnitudes, frequencies });
    }

    fn fold<S: Simd>(&mut self, simd: S, rows: &[f32], magnitudes: &mut [f32]) {
        let Self { shape, folding, window, folded, .. } = self;
        simd.enable(Fold { shape: *shape, folding: *folding, window, rows, folded, magnitudes });
    }

    fn transform<S: Simd>(&mut self, simd: S, frames: usize) {
        for (matrix, rows) in &self.parts {
            simd.enable(Product {
                matrix,
                taps: Taps::ONE,
                rows: &rows[..frames],
                from: &self.folded,
                to: &mut self.transformed,
                floor: f32::NEG_INFINITY,
            });
        }
    }
}

fn part(folding: Folded, nth: usize, panels: &[usize]) -> (Matrix, Box<[Place]>) {
    let (quarter, part) = (folding.quarter, folding.parts()[nth]);
    let none = std::iter::repeat_n(0.0, quarter);
    let matrix = Matrix::new(part.inputs, none, panels, |input, output| part.weight(quarter, input, output));
    let (from, to) = (folding.len(), 4 * quarter);
    let place = |frame| Place { from: part.from + frame * from, to: nth * quarter + frame * to };
    (matrix, places(FRAMES, place, Place { from: FRAMES * from, to: FRAMES * to }))
}

impl Work for Fold<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let (shape, len) = (self.shape, self.folding.len());
        let magnitudes = self.magnitudes.chunks_exact_mut(shape.bins());
        for (frame, (folded, magnitudes)) in self.folded.chunks_exact_mut(len).zip(magnitudes).enumerate() {
            let from = frame / FRAMES * shape.row() + frame % FRAMES * shape.hop();
            let samples = &self.rows[from..][..shape.fourier];
            let highest = self.folding.fold(samples, self.window, folded);
            magnitudes[shape.bins() - 1] = highest.abs();
        }
    }
}

impl Work for Magnitudes<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let quarter = self.frequencies / 2;
        let frames = self.transformed.chunks_exact_mut(2 * self.frequencies);
        for (frame, magnitudes) in frames.zip(self.magnitudes.chunks_exact_mut(self.frequencies + 1)) {
            let (real, imaginary) = frame.split_at_mut(self.frequencies);
            let parts = real.chunks_exact_mut(S::WIDTH).zip(imaginary.chunks_exact(S::WIDTH));
            for (real, imaginary) in parts {
                let (a, b) = (simd.load(real), simd.load(imaginary));
                simd.store(simd.sqrt(simd.mul_add(a, a, simd.mul(b, b))), real);
            }
            let (even, odd) = real.split_at(quarter);
            let pairs = magnitudes.as_chunks_mut::<2>().0.iter_mut();
            for (pair, (even, odd)) in pairs.zip(even.iter().zip(odd)) {
                *pair = [*even, *odd];
            }
        }
    }
}
