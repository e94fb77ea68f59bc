//! A message of Deepgram's voice.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::deepgram_tts(data));
