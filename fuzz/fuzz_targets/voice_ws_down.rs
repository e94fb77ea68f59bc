//! What a server tells a browser.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_wire::fuzz::voice_ws_down(data));
