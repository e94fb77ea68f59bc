//! A message of a transcription session.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::openai_realtime_stt(data));
