//! What a text means, as a direction in space: texts that mean alike point alike.

mod matrix;

pub(crate) use matrix::Matrix;
pub(crate) use matrix::normal;
