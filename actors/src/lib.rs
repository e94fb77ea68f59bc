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

mod call;
mod call_event;
mod cause;
mod clock;
mod config;
mod core;
mod debt;
mod engines;
mod error;
mod event;
mod handle;
mod health;
mod hedge;
mod inbox;
mod language;
mod ledger;
mod leg;
mod lifecycle;
mod orders;
mod phrase;
mod post;
mod publisher;
mod reason;
mod record;
mod restart;
mod retry;
mod router;
mod sink;
mod snapshot;
mod stages;

pub use call::start::{Awaits, CallSpec};
pub use call_event::CallEvent;
pub use cause::{Cause, StageState, SwitchCause, Winner};
pub use clock::CallClock;
pub use config::{Config, PlayoutConfig, RingSizes, StallBounds};
pub use core::load::{CoreLoad, OpenLine, Place};
pub use core::metronome::{Beat, Metronome};
pub use core::{Core, CoreHandle, MediaCore};
pub use engines::{Engines, THE_THREE, VadEngine};
pub use error::{Fault, LegFault};
pub use event::{CallEventKind, RingReport, RingState};
pub use handle::{CallHandle, CallOver};
pub use health::ServiceHealth;
pub use language::Language;
pub use leg::audience::Audience;
pub use leg::connection::Connection;
pub use leg::door::{LegDoor, NotAttached, WrongState};
pub use leg::input::EdgeInput;
pub use leg::kind::EdgeKind;
pub use leg::link::{EdgeCommand, EdgeCommands};
pub use leg::mic::Mic;
pub use leg::playout::{Cleared, Played, Playout};
pub use leg::spec::LegSpec;
pub use leg::state::{LegLimits, LegState};
pub use leg::tap::{Side, Tap, TapSource};
pub use leg::transport::{Closed, Goodbye, Transport, TransportEvent};
pub use lifecycle::{Lifecycle, LifecycleEvent, Started, Totals};
pub use phrase::Phrase;
pub use reason::{REASONS, reason_name};
pub use record::Record;
pub use restart::RestartConfig;
pub use sink::EventSink;
pub use snapshot::{CallSnapshot, Conversation};
