//! Configuration from its sources: what counts, what is told, what is never shown.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod aliases;
mod documentation;
mod environment;
mod languages;
mod precedence;
mod printing;
mod problems;
mod properties;
mod secrets;
mod shipped;
mod support;
