//! The whole service over its public faces: real sockets, real processes, recorded human speech.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod admission;
mod all_in_one;
mod api;
mod bad_input;
mod blocked;
mod conversations;
mod doctor;
mod embedded;
mod escalation;
mod events;
mod faults;
mod knowledge;
mod languages;
mod legs;
mod logs;
mod metrics;
mod record;
mod recordings;
mod resume;
mod starting;
mod support;
mod talk;
mod trace;
mod transfers;
mod tts_api;
mod webhooks;
