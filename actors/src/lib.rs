//! Calls as actors: each call is a supervisor over its stages, joined by rings of audio and by messages.
//!
//! ```text
//!                     ┌──────────────── Call (supervisor) ───────────────────────┐
//!                     │ builds stages from factories, restarts them, escalates   │
//!                     └──┬─────────┬──────────┬──────────┬──────────┬────────────┘
//!                        ▼         ▼          ▼          ▼          ▼
//!  caller ──► edge ═mic═► VAD ═speech═► STT        LLM        TTS ═voice═► edge ──► caller
//!               ▲          │ windows  │ text     ▲ │ text   ▲            │ played, marks
//!               │          └──────►┌─────▼──────────┴─▼────────┴─┐◄─────────┘
//!               └──────────────────│  Router: ringway_turn::Turn │
//!                  clear, hang-up  └─────────────────────────────┘
//!  ═ ring of frames    ─ message
//! ```
//! Audio only on rings, decisions only in messages, policy only in [`ringway_turn`]. A stage never holds the address of
//! another stage: it tells the router.
#![forbid(unsafe_code)]

mod bar;
mod by_heart;
mod call;
mod chain;
mod clock;
mod config;
mod core;
mod dates;
mod edge;
mod engines;
mod event;
mod health;
mod hedge;
mod inbox;
mod language;
mod llm;
mod memos;
mod metronome;
mod mic;
mod playout;
mod plumbing;
mod post;
mod recital;
mod record;
mod restart;
mod retry;
mod router;
mod s2s;
mod service_times;
mod stage;
mod start;
mod stt;
mod tts;
mod utterance;
mod vad;
mod vad_batch;
mod watchdog;

pub use clock::CallClock;
pub use config::{Config, PlayoutConfig, RingSizes, StallBounds};
pub use core::{Core, CoreLoad, MediaCore, OpenLine, Place};
pub use edge::{CallHandle, CallOver, EdgeCommand, EdgeCommands, EdgeInput, EdgePort};
pub use engines::{Engines, Phrase, THE_THREE, VadEngine};
pub use event::{
    CallEvent, CallEventKind, Cause, EdgeKind, EventSink, RingReport, RingState, StageState, SwitchCause,
    Winner,
};
pub use health::ServiceHealth;
pub use language::Language;
pub use metronome::{Beat, Metronome};
pub use mic::Mic;
pub use playout::{Cleared, Played, Playout};
pub use record::Record;
pub use restart::RestartConfig;
pub use stage::Fault;
pub use start::CallSpec;
