//! The layers of the network over a block of calls, one after the other: [`Reference`](crate::Reference) says what they
//! compute.

use crate::ModelError;
use crate::aligned::Aligned;
use crate::encoder::Encoder;
use crate::memory::Memory;
use crate::shape::{BLOCK, FRAMES, Shape};
use crate::simd::Simd;
use crate::spectrum::Spectrum;
use crate::weights::Weights;

/// The network for some instruction set.
pub(crate) trait Block {
    /// Sets the window of one call, and what its recurrent layer remembers.
    fn set(&mut self, call: usize, recurrent: &[f32], context: &[f32], window: &[f32]);

    /// Judges the windows of the first calls.
    fn run(&mut self, calls: usize);

    /// Takes the probability of speech of one call, and what its recurrent layer remembers now.
    fn take(&self, call: usize, recurrent: &mut [f32]) -> f32;
}

/// Weights laid out for an instruction set, and room for a block.
#[derive(Debug)]
pub(crate) struct Network<S> {
    simd: S,
    shape: Shape,
    spectrum: Spectrum,
    encoder: Encoder,
    memory: Memory,
    rows: Aligned,
    magnitudes: Aligned,
    probabilities: [f32; BLOCK],
}

impl<S: Simd> Network<S> {
    /// Room for [`BLOCK`] calls.
    pub fn new(simd: S, weights: &Weights) -> Result<Self, ModelError> {
        let shape = weights.shape;
        let panels = [S::ABREAST * S::WIDTH, 2 * S::WIDTH];
        Ok(Self {
            simd,
            shape,
            spectrum: Spectrum::new(weights, &panels)?,
            encoder: Encoder::new(weights, &panels),
            memory: Memory::new(weights, &panels),
            rows: Aligned::zeroed(BLOCK * shape.row()),
            magnitudes: Aligned::zeroed(BLOCK * FRAMES * shape.bins()),
            probabilities: [0.0; BLOCK],
        })
    }
}

impl<S: Simd> Block for Network<S> {
    fn set(&mut self, call: usize, recurrent: &[f32], context: &[f32], window: &[f32]) {
        let row = &mut self.rows[call * self.shape.row()..][..self.shape.row()];
        self.shape.write_row(context, window, row);
        self.memory.set(call, recurrent);
    }

    fn run(&mut self, calls: usize) {
        self.spectrum.run(self.simd, calls, &self.rows, &mut self.magnitudes);
        self.encoder.run(self.simd, calls, &self.magnitudes, &mut self.memory.inputs);
        self.memory.run(self.simd, calls, &mut self.probabilities);
    }

    fn take(&self, call: usize, recurrent: &mut [f32]) -> f32 {
        self.memory.take(call, recurrent);
        self.probabilities[call]
    }
}
