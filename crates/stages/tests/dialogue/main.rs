//! Dialogues: conversations with the shipped ones and with small ones, sessions that die, mistakes in files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod any_text;
mod conversations;
mod mistakes;
mod rules;
mod sessions;
mod support;
