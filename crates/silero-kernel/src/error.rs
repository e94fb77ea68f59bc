use crate::Rate;

/// Why a model cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The bytes are no protobuf message.
    #[error("no protobuf at byte {at}: {reason}")]
    Protobuf {
        /// Where in the file.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A tensor is missing.
    #[error("no tensor `{tensor}`")]
    Missing {
        /// The end of its name.
        tensor: &'static str,
    },
    /// A tensor is of another shape.
    #[error("tensor `{tensor}` is of shape {found:?}, not {expected:?}")]
    Shape {
        /// The end of its name.
        tensor: &'static str,
        /// What the network needs.
        expected: Vec<usize>,
        /// What the file has.
        found: Vec<i64>,
    },
    /// A tensor holds no raw single-precision numbers, or not as many as its shape says.
    #[error("tensor `{tensor}` does not hold {expected} raw single-precision numbers")]
    Numbers {
        /// The end of its name.
        tensor: &'static str,
        /// How many its shape says.
        expected: usize,
    },
    /// A tensor holds an infinite number or none.
    #[error("tensor `{tensor}` holds {value} at {index}")]
    Infinite {
        /// The end of its name.
        tensor: &'static str,
        /// Which of its numbers.
        index: usize,
        /// The number, as text.
        value: String,
    },
    /// The first layer is no Fourier transform under a window.
    #[error("tensor `{tensor}` is no windowed Fourier basis at [{row}, 0, {column}]")]
    Fourier {
        /// The end of its name.
        tensor: &'static str,
        /// The first row that differs.
        row: usize,
        /// And its column.
        column: usize,
    },
}

/// This CPU has none of the instruction sets that the kernel is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the CPU has neither AVX-512 nor AVX2 with FMA")]
pub struct UnsupportedCpu;

/// A job that does not fit the kernel's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a window of {samples} samples with a state of {state} is not for {rate:?}")]
pub struct JobError {
    /// Samples of the window.
    pub samples: usize,
    /// Numbers of the state.
    pub state: usize,
    /// The kernel's rate.
    pub rate: Rate,
}
