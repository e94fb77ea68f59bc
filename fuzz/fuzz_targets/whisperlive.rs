//! Messages of WhisperLive, a line each.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::whisperlive(data));
