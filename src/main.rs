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

fn main() -> ExitCode {
    cli::run()
}
