mod error;
mod onnx;
mod protobuf;
mod reference;
mod shape;
mod weights;

pub use error::{JobError, ModelError, UnsupportedCpu};
pub use reference::Reference;
pub use shape::Rate;
