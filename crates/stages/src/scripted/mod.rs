//! Engines that answer by a script, after fixed times: what benchmarks and tests put in the place of real ones, so
//! that the figures are those of the router.

mod config;
mod llm;
mod stt;
mod tone;
mod tts;

pub use config::Config;
pub use llm::ScriptedLlm;
pub use stt::ScriptedStt;
pub use tts::ScriptedTts;
