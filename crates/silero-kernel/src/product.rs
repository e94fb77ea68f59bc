use crate::matrix::Matrix;
use crate::simd::{Simd, Work};
use std::ops::Range;

/// Rows of a tile, the most.
pub(crate) const ROWS: usize = 6;

/// Multiplies some rows of numbers by a matrix, adds its bias, and lets nothing fall below a floor.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    pub matrix: &'a Matrix,
    /// Which of the matrix's inputs a row begins with and ends before: the others meet zeros.
    pub inputs: Range<usize>,
    pub rows: usize,
    pub from: &'a [f32],
    pub read: Walk,
    pub to: &'a mut [f32],
    pub write: Walk,
    /// Zero for a rectifier, minus infinity for none.
    pub floor: f32,
}

/// Where rows begin: those of a call `step` after one another, those of the next call `call` after its first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub first: usize,
    pub step: usize,
    /// Rows of one call.
    pub rows: usize,
    pub call: usize,
}

impl Walk {
    /// One row a call.
    pub fn calls(first: usize, call: usize) -> Self {
        Self { first, step: 0, rows: 1, call }
    }

    #[inline(always)]
    fn at(self, row: usize) -> usize {
        self.first + row / self.rows * self.call + row % self.rows * self.step
    }
}

impl Work for Product<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let abreast = self.matrix.panel / S::WIDTH;
        for panel in 0..self.matrix.outputs / self.matrix.panel {
            let mut row = 0;
            while row < self.rows {
                let left = self.rows - row;
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
        let (weights, bias) = self.matrix.panel(panel, &self.inputs);
        let from: [&[f32]; R] =
            std::array::from_fn(|r| &self.from[self.read.at(row + r)..][..self.inputs.len()]);
        let bias: [S::Vector; C] = std::array::from_fn(|c| simd.load(&bias[c * S::WIDTH..]));
        let mut sums = [bias; R];
        assert!(weights.len() / (C * S::WIDTH) <= self.inputs.len());
        for (input, weights) in weights.chunks_exact(C * S::WIDTH).enumerate() {
            let weights: [S::Vector; C] = std::array::from_fn(|c| simd.load(&weights[c * S::WIDTH..]));
            for (sums, from) in sums.iter_mut().zip(&from) {
                // SAFETY: a row has as many numbers as there are inputs, and there are no more weights than that.
                let number = simd.splat(unsafe { *from.get_unchecked(input) });
                for (sum, weights) in sums.iter_mut().zip(&weights) {
                    *sum = simd.mul_add(number, *weights, *sum);
                }
            }
        }
        let floor = simd.splat(self.floor);
        for (r, sums) in sums.iter().enumerate() {
            let to = &mut self.to[self.write.at(row + r) + panel * self.matrix.panel..][..C * S::WIDTH];
            for (c, sum) in sums.iter().enumerate() {
                simd.store(simd.max(*sum, floor), &mut to[c * S::WIDTH..]);
            }
        }
    }
}
