//! Services as sessions see them, played by servers that do as they are told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cartesia;
mod corpora;
mod deepgram;
mod deepgram_speech;
mod elevenlabs;
mod openai_chat;
mod openai_speech;
mod openai_transcription;
mod phone_tts;
mod piper;
mod socket;
mod support;
mod voices;
mod wyoming_tts;
