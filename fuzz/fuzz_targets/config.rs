//! A configuration file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_config::fuzz(data));
