//! A message of the recogniser that is told to finalize.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::cartesia_stt(data));
