//! Services as sessions see them, played by servers that do as they are told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpora;
mod deepgram;
mod openai_chat;
mod openai_realtime;
mod openai_transcription;
mod piper;
mod socket;
mod speech_server;
mod support;
