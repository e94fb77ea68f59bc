use super::Shape;
use crate::vad::{Vad, VadError, VadJob, VadState};
use ringway_frame::SampleRate;
use ringway_silero_kernel::{Instructions, Job, Kernel};
use std::path::Path;

/// Silero by the kernel, for the calls of one media core: a single thread, the caller's.
///
/// Its state is that of [`Silero`](super::Silero), number by number.
#[derive(Debug)]
pub struct SileroKernel {
    rate: SampleRate,
    kernel: Kernel,
}

impl SileroKernel {
    /// Reads the model for the fastest instructions of this CPU.
    ///
    /// # Errors
    /// The rate is neither 8 nor 16 kHz; the CPU is none that the kernel is written for ([`VadError::Cpu`]); the model
    /// is missing or is not what it should be.
    pub fn load(model: &Path, rate: SampleRate) -> Result<Self, VadError> {
        Shape::of(rate)?;
        Self::load_for(model, rate, Instructions::best()?)
    }

    /// Reads the model for these instructions.
    ///
    /// # Errors
    /// The rate is neither 8 nor 16 kHz; the model is missing or is not what it should be.
    pub fn load_for(model: &Path, rate: SampleRate, instructions: Instructions) -> Result<Self, VadError> {
        let shape = Shape::of(rate)?;
        let refuse = |reason: String| VadError::Model { path: model.to_owned(), reason };
        let bytes = std::fs::read(model).map_err(|error| refuse(error.to_string()))?;
        let kernel =
            Kernel::read(&bytes, shape.kernel, instructions).map_err(|error| refuse(error.to_string()))?;
        Ok(Self { rate, kernel })
    }

    /// What it runs with.
    pub fn instructions(&self) -> Instructions {
        self.kernel.instructions()
    }
}

impl Vad for SileroKernel {
    fn rate(&self) -> SampleRate {
        self.rate
    }

    fn window(&self) -> usize {
        self.kernel.rate().window()
    }

    fn state(&self) -> VadState {
        VadState::zeroed(self.kernel.rate().state())
    }

    fn infer(&mut self, jobs: &mut [VadJob<'_>]) -> Result<(), VadError> {
        self.kernel.infer(jobs).map_err(|error| VadError::Inference(error.to_string()))
    }
}

impl Job for VadJob<'_> {
    fn parts(&mut self) -> (&[f32], &mut [f32]) {
        (self.samples, self.state.as_mut_slice())
    }

    fn judged(&mut self, probability: f32) {
        self.probability = probability;
    }
}
