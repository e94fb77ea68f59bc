//! The brain of a call, sans-IO: [`Turn::handle`] takes what happened, [`Turn::poll`] says what to do.
//!
//! No clock, no sockets, no async: time is [`MediaTime`](ringway_frame::MediaTime) given with each input, so that
//! a conversation runs thousands of times faster than real time and every real call can be replayed exactly.
#![forbid(unsafe_code)]

mod barge_in;
mod bot;
mod caller;
mod clause;
mod command;
mod config;
mod context;
mod dtmf;
mod ending;
mod endpoint;
mod heard;
mod humane;
mod id;
mod input;
mod latency;
mod reply;
mod silence;
mod speech;
mod stages;
mod timer;
mod turn;
mod utterance;

pub use command::{Command, Event, Latency, Output, Playout, Purpose, SpeechState, Stt};
pub use config::{Config, ConfigError, Speculation};
pub use context::{Context, Memo, Message, Speaker};
pub use id::{AskId, ClauseId, RequestId, TurnNumber, UtteranceId};
pub use input::{After, CallerTurn, EndReason, Input, Probability, StageKind, Window};
pub use turn::Turn;
