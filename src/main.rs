//! The ringway server and its tools.
#![forbid(unsafe_code)]

mod admission;
mod api;
mod app;
mod cli;
mod edge;
mod engines;
mod hub;
mod live;
mod logging;
mod recorder;
mod serve;
mod telemetry;
mod tls;
mod watch_cores;
mod web;

use std::process::ExitCode;

#[cfg(feature = "heap-profile")]
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    #[cfg(feature = "heap-profile")]
    let _written_when_dropped = dhat::Profiler::builder().trim_backtraces(Some(48)).build();
    cli::run()
}
