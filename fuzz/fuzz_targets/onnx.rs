//! The file of the voice activity detector's model.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_silero_kernel::fuzz::onnx(data));
