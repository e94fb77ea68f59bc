//! A message of the recogniser that judges turns.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_stages::services::fuzz::deepgram_flux(data));
