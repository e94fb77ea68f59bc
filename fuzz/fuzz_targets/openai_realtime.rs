//! A message of the model that hears and speaks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::openai_realtime(data));
