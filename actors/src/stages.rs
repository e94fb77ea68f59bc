//! The stage actors of a call.

pub(crate) mod by_heart;
pub(crate) mod driver;
pub(crate) mod llm;
pub(crate) mod memos;
pub(crate) mod recital;
pub(crate) mod s2s;
pub(crate) mod stt;
pub(crate) mod tts;
mod utterance;
pub(crate) mod vad;
