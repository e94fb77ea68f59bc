//! Simulated callers for ringway, and for any server that speaks the same media protocols.
//!
//! Everything is measured from the audio and the socket, never from the server's own word. Time is an argument in
//! all that decides ([`caller`] and below it), and read from a clock only in [`call`] and [`run`].
//!
//! ```text
//!  scenario ──► caller ──frames──► protocol ──► line ══socket══► server
//!               │   ▲                 │
//!               │   └──── heard ◄─────┘
//!               ▼
//!   playout, answer_watch, barge_in_watch, burst_watch ──► tally ──► report ──► fail_if
//! ```
#![forbid(unsafe_code)]

mod answer_watch;
mod barge_in_watch;
mod burst_watch;
mod call;
mod caller;
mod cli;
mod clock;
mod document;
mod exposition;
mod fail_if;
mod figure;
mod interrupts;
mod line;
mod mouth;
mod network;
mod playout;
mod process;
mod progress;
mod prompts;
mod protocol;
mod repertoire;
mod report;
mod run;
mod scenario;
mod services;
mod sweep;
mod tally;
mod target;
mod time;
mod timeline;
mod tls;
mod usage;
mod voice;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
