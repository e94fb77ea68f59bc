//! Recognisers, language models and voices behind sockets, one file a service, listed in [`registry`].
//!
//! The sockets of a call live on its media core; what takes longer than a millisecond, looking up names and the
//! handshakes of TCP and TLS, is done on the runtime on which the engine was made (`docs/adr/0009`). Connections are
//! kept and used again, a request that is not wanted any more is cancelled by dropping it, and whatever fails is a
//! [`ServiceError`] that names when and how.

mod access;
mod answer;
pub mod anthropic;
mod arguments;
mod bounded_read;
pub mod cartesia;
pub mod cartesia_stt;
mod chat;
mod connections;
mod connector;
mod conversation;
pub mod deepgram;
pub mod deepgram_flux;
pub mod deepgram_tts;
mod dictation;
mod digest;
pub mod elevenlabs;
pub mod embeddings;
mod endpoint;
mod error;
mod exchange;
mod extra_body;
mod foreign;
#[doc(hidden)]
pub mod fuzz;
pub mod groq;
mod http;
mod lenient;
mod limits;
mod listening;
pub mod livekit;
mod multipart;
pub mod ollama;
pub mod openai_llm;
pub mod openai_realtime;
pub mod openai_realtime_stt;
pub mod openai_stt;
pub mod openai_tts;
pub mod phone_tts;
pub mod piper;
mod provided;
mod proxy;
mod records;
mod redirect;
pub mod registry;
mod section;
mod setup_error;
mod socket;
pub mod speech_server;
mod sse;
mod stream;
mod stt_link;
mod task;
mod tcp;
mod transcript;
mod voice;
mod wav;
mod webhook;
mod websocket;
mod whisper;
pub mod whisper_auto;
pub mod whisperlive;
pub mod whisperlivekit;
mod wyoming;
pub mod wyoming_stt;
pub mod wyoming_tts;

pub use answer::Answer;
pub use endpoint::{ApiKey, Endpoint, EndpointError, KeyHeader, KeyHeaderError};
pub use error::{Phase, Refused, ServiceError};
pub use extra_body::{ExtraBody, ExtraBodyError, OwnFields};
pub use http::{Accepted, Http, Post};
pub use limits::Limits;
pub use proxy::{Proxies, UnusableProxy};
pub use registry::Services;
pub use setup_error::SetupError;
pub use tcp::connect as connect_tcp;
pub use webhook::Webhook;
