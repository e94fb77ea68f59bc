//! A stream of Wyoming's events.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::wyoming(data));
