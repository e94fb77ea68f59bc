//! Services as sessions see them, played by servers that do as they are told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod anthropic;
mod corpora;
mod deepgram;
mod ollama;
mod openai_chat;
mod openai_transcription;
mod piper;
mod socket;
mod support;
