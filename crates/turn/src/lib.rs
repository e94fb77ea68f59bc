//! The brain of a call, sans-IO: [`Turn::handle`] takes what happened, [`Turn::poll`] says what to do.
//!
//! No clock, no sockets, no async: time is [`MediaTime`](ringway_frame::MediaTime) given with each input, so that
//! a conversation runs thousands of times faster than real time and every real call can be replayed exactly.
#![forbid(unsafe_code)]

mod command;
mod context;
mod id;
mod input;

pub use command::{Command, Event, Latency, Output, Playout, Purpose, SpeechState, Stt};
pub use context::{Context, Memo, Message, Speaker};
pub use id::{AskId, ClauseId, RequestId, TurnNumber, UtteranceId};
pub use input::{After, CallerTurn, EndReason, Input, Probability, StageKind, Window};
