//! A stream of server-sent events, as language models send it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::sse(data));
