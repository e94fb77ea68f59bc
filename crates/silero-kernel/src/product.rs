use crate::matrix::Matrix;
use crate::shape::BLOCK;
use crate::simd::{Simd, Work};
use std::ops::Range;

/// Rows of a tile, the most.
pub(crate) const ROWS: usize = 6;

/// Multiplies some rows of numbers by a matrix, adds its bias, and lets nothing fall below a floor.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    /// Its inputs are all taps of the first number of a frame, those of the second, and so on.
    pub matrix: &'a Matrix,
    pub taps: Taps,
    pub rows: &'a [Place],
    pub from: &'a [f32],
    pub to: &'a mut [f32],
    /// Zero for a rectifier, minus infinity for none.
    pub floor: f32,
}

/// Numbers of a row that stand at the same place of neighbouring frames, as a convolution takes them.
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    /// Those that are used: the others meet zeros.
    pub used: Range<usize>,
    /// Those that the matrix has.
    pub of: usize,
    /// Numbers from one to the next.
    pub step: usize,
}

impl Taps {
    /// A row is nothing but its inputs.
    pub const ONE: Self = Self { used: 0..1, of: 1, step: 0 };
}

/// Where a row is read, and where what becomes of it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub from: usize,
    pub to: usize,
}

/// The rows of a block, call by call: `place` tells where the nth row of the first call is, and `call` how far the next
/// call is from there.
pub(crate) fn places(rows: usize, place: impl Fn(usize) -> Place, call: Place) -> Box<[Place]> {
    let of_call = |nth: usize| {
        let place = &place;
        let moved = move |Place { from, to }| Place { from: from + nth * call.from, to: to + nth * call.to };
        (0..rows).map(move |row| moved(place(row)))
    };
    (0..BLOCK).flat_map(of_call).collect()
}

impl Work for Product<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let abreast = self.matrix.panel / S::WIDTH;
        for panel in 0..self.matrix.outputs / self.matrix.panel {
            let mut row = 0;
            while row < self.rows.len() {
                let left = self.rows.len() - row;
                // Tiles of even height: one row alone would wait for its weights.
                let rows = left.div_ceil(left.div_ceil(ROWS));
                if S::ABREAST == 4 && abreast == 4 {
                    self.tiles::<S, 4>(simd, panel, row, rows);
                } else {
                    self.tiles::<S, 2>(simd, panel, row, rows);
                }
                row += rows;
            }
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const C: usize>(&mut self, simd: S, panel: usize, row: usize, rows: usize) {
        match rows {
            1 => self.tile::<S, C, 1>(simd, panel, row),
            2 => self.tile::<S, C, 2>(simd, panel, row),
            3 => self.tile::<S, C, 3>(simd, panel, row),
            4 => self.tile::<S, C, 4>(simd, panel, row),
            5 => self.tile::<S, C, 5>(simd, panel, row),
            _ => self.tile::<S, C, ROWS>(simd, panel, row),
        }
    }

    /// R rows by C vectors of a panel, summed up in registers.
    #[inline(always)]
    fn tile<S: Simd, const C: usize, const R: usize>(&mut self, simd: S, panel: usize, row: usize) {
        let (weights, bias) = self.matrix.panel(panel);
        let sums: [[S::Vector; C]; R] = self.sum(simd, weights, row);
        let floor = simd.splat(self.floor);
        for (r, sums) in sums.iter().enumerate() {
            let to = &mut self.to[self.rows[row + r].to + panel * self.matrix.panel..][..C * S::WIDTH];
            for (c, sum) in sums.iter().enumerate() {
                let sum = simd.add(*sum, simd.load(&bias[c * S::WIDTH..]));
                simd.store(simd.max(sum, floor), &mut to[c * S::WIDTH..]);
            }
        }
    }

    /// Adds up in the order of ONNX Runtime: all taps of an input, then the next input, the bias last. Neighbouring taps
    /// all but cancel each other where a band is empty, and rounding in another order would move probabilities by 1e-4.
    #[inline(always)]
    fn sum<S: Simd, const C: usize, const R: usize>(
        &self,
        simd: S,
        weights: &[f32],
        row: usize,
    ) -> [[S::Vector; C]; R] {
        let Taps { used, of, step } = &self.taps;
        let inputs = self.matrix.inputs / of;
        let reach = (used.len() - 1) * step + inputs;
        let from: [&[f32]; R] = std::array::from_fn(|r| &self.from[self.rows[row + r].from..][..reach]);
        let mut sums = [[simd.splat(0.0); C]; R];
        assert!(used.end <= *of && weights.len() <= inputs * of * C * S::WIDTH);
        for (input, weights) in weights.chunks_exact(of * C * S::WIDTH).enumerate() {
            let weights = &weights[used.start * C * S::WIDTH..used.end * C * S::WIDTH];
            for (tap, weights) in weights.chunks_exact(C * S::WIDTH).enumerate() {
                let mut abreast = [simd.splat(0.0); C];
                for (vector, weights) in abreast.iter_mut().zip(weights.chunks_exact(S::WIDTH)) {
                    *vector = simd.load(weights);
                }
                for (sums, from) in sums.iter_mut().zip(&from) {
                    // SAFETY: `tap` is below the taps used and `input` below the inputs, and a row reaches as far.
                    let number = simd.splat(unsafe { *from.get_unchecked(tap * step + input) });
                    for (sum, weights) in sums.iter_mut().zip(&abreast) {
                        *sum = simd.mul_add(number, *weights, *sum);
                    }
                }
            }
        }
        sums
    }
}
