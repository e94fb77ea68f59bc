//! Silero VAD, versions 5 and 6, written out for vector instructions: the windows of many calls judged at once.
//!
//! ```text
//!  context, window, window's end mirrored
//!    │  4 Fourier transforms (spectrum), folded to a quarter of the work (fourier)
//!  magnitudes
//!    │  4 convolutions of 3 taps over frames, each with a rectifier (encoder)
//!  features ─► LSTM cell ─► rectifier, scalar product, sigmoid ─► probability of speech (memory)
//!                 ▲ │
//!               a call's state
//! ```
//!
//! The weights come out of the model's own ONNX file ([`Kernel::read`]). Nearly all the time goes into products of a
//! matrix with the rows of a block of calls (`product`): weights lie in the lanes of vectors, a tile of six rows stays
//! in registers. [`Reference`] is the same network in plain scalar code.
//!
//! Unsafe code is in the modules of the instruction sets (`simd`), and in the one line of `product` that reads an input
//! unchecked.
//!
//! # Example
//! ```no_run
//! use ringway_silero_kernel::{Instructions, Job, Kernel, Rate};
//!
//! struct Call { window: Vec<f32>, state: Vec<f32>, probability: f32 }
//!
//! impl Job for Call {
//!     fn parts(&mut self) -> (&[f32], &mut [f32]) {
//!         (&self.window, &mut self.state)
//!     }
//!     fn judged(&mut self, probability: f32) {
//!         self.probability = probability;
//!     }
//! }
//!
//! let rate = Rate::Hz8000;
//! let mut kernel = Kernel::read(&std::fs::read("silero_vad.onnx")?, rate, Instructions::best()?)?;
//! let call = || Call { window: vec![0.0; rate.window()], state: vec![0.0; rate.state()], probability: 0.0 };
//! let mut calls = [call(), call()];
//! kernel.infer(&mut calls)?;
//! assert!(calls[0].probability < 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(
        dead_code,
        unreachable_code,
        unused_imports,
        unused_variables,
        reason = "no instruction set to run the layers with"
    )
)]

mod aligned;
mod encoder;
mod error;
mod fourier;
#[doc(hidden)]
pub mod fuzz;
mod instructions;
mod kernel;
mod matrix;
mod memory;
mod network;
mod onnx;
mod product;
mod protobuf;
mod reference;
mod shape;
mod simd;
mod spectrum;
mod weights;

pub use error::{JobError, ModelError, UnsupportedCpu};
pub use instructions::Instructions;
pub use kernel::{Job, Kernel};
pub use reference::Reference;
pub use shape::Rate;
