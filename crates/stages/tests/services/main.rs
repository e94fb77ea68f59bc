//! Services as sessions see them, played by servers that do as they are told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod anthropic;
mod cartesia;
mod cartesia_stt;
mod corpora;
mod deepgram;
mod deepgram_flux;
mod deepgram_tts;
mod elevenlabs;
mod hearing;
mod listening;
mod models;
mod ollama;
mod openai_llm;
mod openai_realtime;
mod openai_realtime_stt;
mod openai_stt;
mod openai_tts;
mod phone_tts;
mod piper;
mod recognisers;
mod replies;
mod socket;
mod speech_server;
mod support;
mod voices;
mod whisper_auto;
mod whisperlive;
mod whisperlivekit;
mod wyoming_stt;
mod wyoming_tts;
