//! A browser's socket, message by message.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_wire::fuzz::voice_ws_up(data));
