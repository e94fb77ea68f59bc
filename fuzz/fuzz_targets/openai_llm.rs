//! A message of a streaming recogniser.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::openai_llm(data));
