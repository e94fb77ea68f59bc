//! Connectors against the real servers of other makers, one module a peer; `scripts/test-peers` starts each and runs its
//! module. They are no part of `cargo test`, which has what was recorded from them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod caller;
mod llama_cpp;
mod mcp;
mod ollama;
mod piper;
mod piper_1_4;
mod piper_1_8;
mod talk;
mod voices;
mod whisperlive;
mod whisperlivekit;
mod wyoming_faster_whisper;
mod wyoming_piper;

/// Host and port of the server.
fn peer() -> String {
    std::env::var("RINGWAY_PEER").expect("run by scripts/test-peers")
}
