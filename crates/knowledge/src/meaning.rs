//! What a text means, as a direction in space: texts that mean alike point alike.

mod embedder;
mod graph;
mod matrix;
mod protobuf;
mod safetensors;
mod sentence;
mod tokens;

pub use embedder::{EmbedError, Embedder};
pub(crate) use matrix::{Matrix, normal};
pub(crate) use safetensors::fuzz;
pub use sentence::{ModelError, SentenceModel};
