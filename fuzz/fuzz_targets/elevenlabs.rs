//! A message of ElevenLabs' socket.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::elevenlabs(data));
