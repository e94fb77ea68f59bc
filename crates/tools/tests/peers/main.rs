//! Tools and the models that call them, against the real servers of other makers, one module a peer; `scripts/test-peers`
//! starts each and runs its module. They are no part of `cargo test`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod mcp;
mod ollama;
#[path = "../../../stages/tests/peers/talk.rs"]
mod talk;

/// Host and port of the server.
fn peer() -> String {
    std::env::var("RINGWAY_PEER").expect("run by scripts/test-peers")
}
