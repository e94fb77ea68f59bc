//! The stages of a call as traits, and the engines that come with ringway.
//!
//! A factory ([`SpeechToText`](stt::SpeechToText), [`LanguageModel`](llm::LanguageModel), [`TextToSpeech`](tts::TextToSpeech), and [`SpeechToSpeech`](speech_to_speech::SpeechToSpeech) in place of all three) is shared by all calls; it opens one session a
//! call. A session lives on the call's media core and never blocks it: `poll_*` methods register the waker and
//! return at once; blocking engines run on threads of their own.

pub mod address;
mod alarm;
mod backoff;
pub mod dialogue;
pub mod dtmf;
pub mod expectation;
pub mod flite;
pub mod health;
pub mod humane;
pub mod level;
pub mod llm;
pub mod normalize;
mod pcm;
pub mod pocketsphinx;
pub mod pool;
pub mod private_files;
pub mod prompt;
pub mod resample;
pub mod scripted;
pub mod secret;
pub mod services;
pub mod silero;
pub mod speech_to_speech;
pub mod spoken;
pub mod stt;
mod text;
pub mod tool_use;
pub mod transfer;
mod trim;
pub mod tts;
pub mod vad;

pub use alarm::Alarm;
pub use backoff::Backoff;
pub use expectation::Expectation;
