//! Services as sessions see them, played by servers that do as they are told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cartesia_stt;
mod corpora;
mod deepgram;
mod deepgram_flux;
mod hearing;
mod listening;
mod openai_chat;
mod openai_realtime_stt;
mod openai_transcription;
mod piper;
mod socket;
mod support;
mod whisper_auto;
mod whisperlive;
mod whisperlivekit;
mod wyoming_stt;
