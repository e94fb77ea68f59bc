//! Voice activity detection: windows of samples in, probabilities of speech out.

use ringway_frame::SampleRate;

/// What a model remembers of one call between windows: a fresh one for each call, and after a restart.
#[derive(Clone, Debug)]
pub struct VadState(Box<[f32]>);

impl VadState {
    /// A state of `len` zeros.
    pub fn zeroed(len: usize) -> Self {
        Self(vec![0.0; len].into_boxed_slice())
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The numbers, to be updated.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

/// One window of one call, to be judged.
#[derive(Debug)]
pub struct VadJob<'a> {
    /// The call's state, updated.
    pub state: &'a mut VadState,
    /// [`Vad::window`] samples in -1..1.
    pub samples: &'a [f32],
    /// Set to the probability of speech, 0 to 1.
    pub probability: f32,
}

/// A model that tells speech from the rest; one a media core.
pub trait Vad {
    /// The rate it hears at.
    fn rate(&self) -> SampleRate;

    /// Samples in a window.
    fn window(&self) -> usize;

    /// The state of a call that begins.
    fn state(&self) -> VadState;

    /// Judges one window of each of several calls at once: the same result as one by one.
    ///
    /// # Errors
    /// The engine failed; no probability is valid.
    fn infer(&mut self, jobs: &mut [VadJob<'_>]) -> Result<(), VadError>;
}

/// Why voice activity detection failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VadError {
    /// The engine's library cannot be used.
    #[error("ONNX Runtime at {path}: {reason}")]
    Library {
        /// Where it was looked for.
        path: std::path::PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The model file cannot be used.
    #[error("VAD model {path}: {reason}")]
    Model {
        /// Where it was looked for.
        path: std::path::PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The engine is not written for this CPU.
    #[error("the VAD kernel cannot run: {0}")]
    Cpu(#[from] ringway_silero_kernel::UnsupportedCpu),
    /// The engine failed while it ran.
    #[error("VAD inference failed: {0}")]
    Inference(String),
    /// A rate that the model does not hear.
    #[error("the VAD model hears 8000 Hz or 16000 Hz, not {0}")]
    Rate(SampleRate),
}
