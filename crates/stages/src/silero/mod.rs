//! Silero VAD on ONNX Runtime and by the kernel, and the cutter of windows for both.
//!
//! The model is the combined `silero_vad.onnx` of the PyPI package `silero-vad` (version 6): inputs `input`
//! (windows with the tail of the one before in front), `state` and `sr`, outputs `output` and `stateN`, as its
//! `OnnxWrapper` feeds them (<https://github.com/snakers4/silero-vad/blob/v6.2.1/src/silero_vad/utils_vad.py>).

mod batch;
mod cutter;
mod half_band;
mod kernel;
mod runtime;

pub use cutter::{CutWindow, WindowCutter};
pub use kernel::SileroKernel;
pub use ringway_silero_kernel::{Instructions, UnsupportedCpu};
pub use runtime::environment;

use crate::vad::{Vad, VadError, VadJob, VadState};
use batch::Batch;
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ringway_frame::SampleRate;
use ringway_silero_kernel::Rate;
use std::fmt;
use std::path::{Path, PathBuf};

/// What [`Silero`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SileroConfig {
    /// libonnxruntime: one a process, the same for every session.
    pub library: PathBuf,
    /// silero_vad.onnx.
    pub model: PathBuf,
    /// 16 kHz hears best; 8 kHz costs half.
    pub rate: SampleRate,
}

/// One session of the model, for the calls of one media core: a single thread, the caller's.
pub struct Silero {
    /// For 1, 2, ... [`LONGEST`] windows.
    batches: Box<[Batch]>,
    session: Session,
    shape: Shape,
}

/// The longest batch; a longer row of jobs runs in several.
///
/// Each length up to it keeps tensors of its own bound, so that a run allocates nothing outside ONNX Runtime. Padding
/// to fewer lengths would save memory (all of them take 1.3 MB a session) and cost time: from 8 windows on, a window
/// costs the same in a batch of any length (bench `vad`).
const LONGEST: usize = 24;

/// Numbers that the network remembers of a call: two layers of 128 (`state` and `stateN`).
const LAYERS: usize = 2;
const LAYER: usize = 128;
const RECURRENT: usize = LAYERS * LAYER;

/// What the two branches of the model differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    rate: SampleRate,
    kernel: Rate,
    window: usize,
    /// Samples of the window before that stand in front of a window.
    context: usize,
}

impl Shape {
    /// The branch for `rate`.
    fn of(rate: SampleRate) -> Result<Self, VadError> {
        match rate {
            SampleRate::HZ_8000 => Ok(Self { rate, kernel: Rate::Hz8000, window: 256, context: 32 }),
            SampleRate::HZ_16000 => Ok(Self { rate, kernel: Rate::Hz16000, window: 512, context: 64 }),
            _ => Err(VadError::Rate(rate)),
        }
    }

    /// Samples of one row of the input.
    fn row(self) -> usize {
        self.context + self.window
    }
}

impl Silero {
    /// Loads ONNX Runtime, unless this process has it already, and the model.
    ///
    /// # Errors
    /// The rate is neither 8 nor 16 kHz; the library or the model is missing or is not what it should be; this process
    /// has loaded another library before.
    pub fn load(config: &SileroConfig) -> Result<Self, VadError> {
        let shape = Shape::of(config.rate)?;
        let environment = runtime::environment(&config.library)?;
        let refuse = |reason: String| VadError::Model { path: config.model.clone(), reason };
        let session = open(&environment, &config.model).map_err(refuse)?;
        let batches = batches(&session, shape).map_err(|error| refuse(error.to_string()))?;
        let mut silero = Self { batches, session, shape };
        silero.try_out().map_err(|error| refuse(error.to_string()))?;
        Ok(silero)
    }

    /// Runs every length once: shows that the model takes these inputs, and makes the arena of ONNX Runtime as large as
    /// it will ever be.
    fn try_out(&mut self) -> Result<(), VadError> {
        self.batches.iter_mut().rev().try_for_each(|batch| batch.run(&mut self.session))
    }
}

fn open(environment: &Environment, model: &Path) -> Result<Session, String> {
    let bytes = std::fs::read(model).map_err(|error| error.to_string())?;
    let session = session(environment, &bytes).map_err(|error| error.to_string())?;
    check(&session)?;
    Ok(session)
}

/// One thread, which is the caller's: pools of ONNX Runtime would take the media cores.
fn session(environment: &Environment, model: &[u8]) -> ort::Result<Session> {
    Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .commit_from_memory(model)
}

fn check(session: &Session) -> Result<(), String> {
    for input in ["input", "state", "sr"] {
        if !session.inputs().iter().any(|have| have.name() == input) {
            return Err(format!("the model has no input `{input}`"));
        }
    }
    for output in ["output", "stateN"] {
        if !session.outputs().iter().any(|have| have.name() == output) {
            return Err(format!("the model has no output `{output}`"));
        }
    }
    Ok(())
}

fn batches(session: &Session, shape: Shape) -> ort::Result<Box<[Batch]>> {
    (1..=LONGEST).map(|size| Batch::new(session, shape, size)).collect()
}

impl Vad for Silero {
    fn rate(&self) -> SampleRate {
        self.shape.rate
    }

    fn window(&self) -> usize {
        self.shape.window
    }

    fn state(&self) -> VadState {
        VadState::zeroed(RECURRENT + self.shape.context)
    }

    fn infer(&mut self, jobs: &mut [VadJob<'_>]) -> Result<(), VadError> {
        for jobs in jobs.chunks_mut(LONGEST) {
            let batch = &mut self.batches[jobs.len() - 1];
            batch.fill(jobs)?;
            batch.run(&mut self.session)?;
            batch.settle(jobs);
        }
        Ok(())
    }
}

impl fmt::Debug for Silero {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Silero").field("shape", &self.shape).finish_non_exhaustive()
    }
}
