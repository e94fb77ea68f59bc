//! The command line.

/// Prints a line on standard output, without anything that a terminal obeys: much of what is told was written by others.
/// Whoever closed it does not want to know, and a panic would tell them.
macro_rules! say {
    ($($line:tt)*) => {
        drop(std::io::Write::write_fmt(
            &mut std::io::stdout(),
            format_args!("{}\n", ringway_frame::Printed(format_args!($($line)*))),
        ))
    };
}

/// Prints JSON on standard output, in the same way.
macro_rules! say_json {
    ($json:expr) => {
        drop(std::io::Write::write_fmt(
            &mut std::io::stdout(),
            format_args!("{}\n", ringway_frame::PrintedJson(&$json)),
        ))
    };
}

/// Prints a line on standard error, in the same way.
macro_rules! complain {
    ($($line:tt)*) => { crate::logging::say(&ringway_frame::Printed(format_args!($($line)*)).to_string()) };
}

mod check;
mod doctor;
#[cfg(feature = "knowledge")]
mod kb;
mod replay;
mod serve;
mod talk;
mod trace;

use clap::{Parser, Subcommand};
use std::fmt::Display;
use std::process::ExitCode;

/// Voice calls from browsers and carriers, each a conversation, in one process.
#[derive(Debug, Parser)]
#[command(name = "ringway", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve calls (the default).
    Serve(serve::Serve),
    /// Check the configuration and the dialogues.
    Check(check::Check),
    /// Try every configured engine.
    Doctor(doctor::Doctor),
    /// Add documents to the knowledge base, and search it.
    #[cfg(feature = "knowledge")]
    Kb(kb::Kb),
    /// Replay a recorded call.
    Replay(replay::Replay),
    /// Speak WAV files into a running server and print the conversation.
    Talk(talk::Talk),
    /// Print what happened when in each turn of a call.
    Trace(trace::TraceCall),
}

/// A failed start: a port in use, a missing model.
const FAILED: u8 = 1;

/// A configuration with mistakes, as clap exits for a command line with mistakes.
const MISTAKEN: u8 = 2;

/// Runs the command that was asked for.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Doctor(doctor) => doctor.run(),
        #[cfg(feature = "knowledge")]
        Command::Kb(kb) => kb.run(),
        Command::Replay(replay) => replay.run(),
        Command::Talk(talk) => talk.run(),
        Command::Trace(trace) => trace.run(),
    }
}

/// Says on standard error what went wrong.
fn fail(error: &dyn Display) -> ExitCode {
    complain!("ringway: {error}");
    ExitCode::from(FAILED)
}
