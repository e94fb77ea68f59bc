//! The command line.

mod run;
mod time;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Simulated callers: measures from outside how fast a voice server answers, and how many calls it carries.
#[derive(Debug, Parser)]
#[command(name = "ringway-load", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run callers against a server and report what they heard.
    Run(run::Run),
}

/// The run failed, or a condition of --fail-if holds.
const FAILED: u8 = 1;

/// A command line with mistakes, as clap exits too.
const MISTAKEN: u8 = 2;

/// Runs the command that was asked for.
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Run(run) => run.run(),
    }
}
