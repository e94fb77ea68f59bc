//! The ringway server and its tools.
#![forbid(unsafe_code)]
// They panic when nobody reads: `say!` and `complain!` of the command line do not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod access;
mod addresses;
mod admission;
mod api;
mod app;
mod cli;
mod drain;
mod edge;
mod engines;
mod hub;
mod listener;
mod live;
mod logging;
mod open_connections;
mod process;
mod readiness;
mod recorder;
mod refusals;
mod serve;
mod sessions;
mod signals;
mod streams;
mod telemetry;
mod tls;
mod trace;
#[cfg(feature = "tts_api")]
mod tts_api;
mod unstarted;
mod validation;
mod watch_cores;
mod web;
mod webhooks;

use std::process::ExitCode;

/// Frames of a stack that are kept, from the allocation outwards.
#[cfg(feature = "heap-profile")]
const FRAMES: usize = 48;

#[cfg(feature = "heap-profile")]
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    #[cfg(feature = "heap-profile")]
    let _written_when_dropped = {
        let file = std::env::var_os("DHAT_FILE").unwrap_or_else(|| "dhat-heap.json".into());
        dhat::Profiler::builder().file_name(file).trim_backtraces(Some(FRAMES)).build()
    };
    cli::run()
}
