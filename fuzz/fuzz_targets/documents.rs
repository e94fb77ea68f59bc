//! A file of the knowledge base, of the kind that its first byte says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringway_knowledge::fuzz::documents(data));
