//! Speech that was made once is played again: from memory, already coded for the edge and shared by all calls, and where
//! a folder is named from a disk, which outlives the process.
//!
//! ```text
//!  clause ──► key ──► memory ── hit ───────────────► its frames from memory ──► call
//!                      ▲ ▲ └─ miss ──► disk ── hit ──► the same, a few ms later ─► call
//!                      │ └───────────── promoted ──┤
//!                      │                     miss ─┴─► engine ──► its frames ────► call
//!                      └──────────── when it is complete ◄── a copy ──┘
//! ```
//!
//! A clause is known by what shapes its audio: text, voice, speed and the call's format. Two calls that ask for the same
//! clause before it is complete both have it made; the first one stays. What was cancelled or failed is not kept.
#![forbid(unsafe_code)]

mod cache;
mod config;
mod disk;
mod file;
mod folder;
mod key;
mod lru;
mod python_float;
mod rendering;
mod session;
mod speech;
mod store;
mod tiers;

pub use cache::SpeechCache;
pub use config::Config;
pub use key::Key;
pub use rendering::render;
pub use speech::Speech;
pub use store::Counters;
pub use tiers::{DirError, TierCounters, Tiers};
