//! A dialogue file, and a conversation in it when it is one.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::dialogue::fuzz(data));
