//! The scanner of media messages against the JSON tree.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_wire::fuzz::twilio_media(data));
