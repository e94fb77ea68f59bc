//! The answer of a telephone system's voice.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::phone_tts(data));
