//! A WAV file that comes in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::wav_stream(data));
