//! Messages of WhisperLiveKit, a line each.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::whisperlivekit(data));
