//! The header of a file of weights.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_knowledge::fuzz::safetensors(data));
