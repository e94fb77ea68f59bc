use crate::instructions::Set;
use crate::network::{Block, Network};
use crate::shape::{BLOCK, RECURRENT};
use crate::weights::Weights;
use crate::{Instructions, JobError, ModelError, Rate};
use std::fmt;

/// The network with vector instructions, for many calls at once.
///
/// It allocates when it is made, some 1.5 MB, and never again.
pub struct Kernel {
    rate: Rate,
    instructions: Instructions,
    block: Box<dyn Block + Send>,
}

/// One window of one call, and what is remembered of the call.
pub trait Job {
    /// The window, [`Rate::window`] samples in -1..1, and the state, [`Rate::state`] numbers, all zero when the call
    /// begins, updated by [`Kernel::infer`].
    fn parts(&mut self) -> (&[f32], &mut [f32]);

    /// Takes the probability of speech, 0 to 1.
    fn judged(&mut self, probability: f32);
}

impl Kernel {
    /// Takes the weights for `rate` out of the bytes of `silero_vad.onnx`, and lays them out.
    ///
    /// # Errors
    /// The bytes are not that model.
    pub fn read(model: &[u8], rate: Rate, instructions: Instructions) -> Result<Self, ModelError> {
        let weights = Weights::read(model, rate)?;
        Ok(Self { rate, instructions, block: block(&weights, instructions)? })
    }

    /// The rate it hears at.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// What it runs with.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// Judges one window of each of several calls: the same as one by one, but for rounding.
    ///
    /// # Errors
    /// A window or a state is of another length; nothing has been judged.
    pub fn infer<J: Job>(&mut self, jobs: &mut [J]) -> Result<(), JobError> {
        jobs.iter_mut().try_for_each(|job| self.fits(job))?;
        // Blocks of even length: a short one would cost as much as one twice as long.
        let blocks = jobs.len().div_ceil(BLOCK).max(1);
        for jobs in jobs.chunks_mut(jobs.len().div_ceil(blocks).max(1)) {
            self.judge(jobs);
        }
        Ok(())
    }

    fn fits<J: Job>(&self, job: &mut J) -> Result<(), JobError> {
        let (window, state) = job.parts();
        let (samples, state) = (window.len(), state.len());
        if (samples, state) == (self.rate.window(), self.rate.state()) {
            return Ok(());
        }
        Err(JobError { samples, state, rate: self.rate })
    }

    fn judge<J: Job>(&mut self, jobs: &mut [J]) {
        for (call, job) in jobs.iter_mut().enumerate() {
            let (window, state) = job.parts();
            let (recurrent, context) = state.split_at_mut(RECURRENT);
            self.block.set(call, recurrent, context, window);
            context.copy_from_slice(&window[window.len() - context.len()..]);
        }
        self.block.run(jobs.len());
        for (call, job) in jobs.iter_mut().enumerate() {
            let probability = self.block.take(call, &mut job.parts().1[..RECURRENT]);
            job.judged(probability);
        }
    }
}

fn block(weights: &Weights, instructions: Instructions) -> Result<Box<dyn Block + Send>, ModelError> {
    match instructions.0 {
        #[cfg(target_arch = "x86_64")]
        Set::Avx2(simd) => Ok(Box::new(Network::new(simd, weights)?)),
        #[cfg(target_arch = "x86_64")]
        Set::Avx512(simd) => Ok(Box::new(Network::new(simd, weights)?)),
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, instructions, .. } = self;
        f.debug_struct("Kernel")
            .field("rate", rate)
            .field("instructions", instructions)
            .finish_non_exhaustive()
    }
}
