//! The stage actors of a call.

pub(crate) mod cached_phrase;
pub(crate) mod clip;
pub(crate) mod driver;
pub(crate) mod llm;
pub(crate) mod memos;
pub(crate) mod s2s;
pub(crate) mod stt;
pub(crate) mod tts;
mod utterance;
pub(crate) mod vad;
