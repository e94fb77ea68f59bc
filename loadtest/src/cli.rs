//! The command line.

mod callers;
mod report;
mod run;
mod sweep;

use clap::{Parser, Subcommand};
use serde::Serialize;
use std::fmt::Display;
use std::io;
use std::path::Path;
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
    /// Raise the number of calls until an objective breaks: how many calls a core carries.
    Sweep(sweep::SweepArgs),
    /// Make a page with plots, or Markdown, of what run and sweep wrote.
    Report(report::ReportArgs),
}

/// The run failed, or a condition of --fail-if holds.
const FAILED: u8 = 1;

/// A command line with mistakes, as clap exits too.
const MISTAKEN: u8 = 2;

/// Runs the command that was asked for.
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Run(run) => run.run(),
        Command::Sweep(sweep) => sweep.run(),
        Command::Report(report) => report.run(),
    }
}

fn fail(error: &dyn Display, code: u8) -> ExitCode {
    eprintln!("ringway-load: {error}");
    ExitCode::from(code)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("every key is a string") + "\n"
}

/// Writes a file whole or not at all, also when two write it at once.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    // Devices and pipes cannot be replaced.
    if path.metadata().is_ok_and(|file| !file.is_file()) {
        return std::fs::write(path, text).map_err(told);
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let partial = path.with_file_name(name);
    std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, path)).map_err(told)
}
