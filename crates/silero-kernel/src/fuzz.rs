//! What the fuzzer calls, and the test that replays its corpus: takes any bytes and panics on a defect.

use crate::{Instructions, Kernel, ModelError, Rate, Reference};

/// A model file: read for both rates, or refused on one line; the kernel and the scalar reference agree on that.
pub fn onnx(data: &[u8]) {
    for rate in [Rate::Hz8000, Rate::Hz16000] {
        let reference = Reference::read(data, rate).map(|_| ());
        told(&reference);
        for instructions in Instructions::all() {
            let kernel = Kernel::read(data, rate, instructions).map(|_| ());
            told(&kernel);
            // Only the kernel relies on the first layer's being a Fourier transform.
            assert!(kernel == reference || matches!(kernel, Err(ModelError::Fourier { .. })), "{kernel:?}");
        }
    }
}

fn told(read: &Result<(), ModelError>) {
    if let Err(error) = read {
        let text = error.to_string();
        assert!(text.lines().count() == 1 && text.len() < 300, "{text}");
    }
}
