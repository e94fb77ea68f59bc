//! A carrier's socket, message by message.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_wire::fuzz::twilio(data));
