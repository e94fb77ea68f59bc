//! A message of Cartesia's socket.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::cartesia(data));
