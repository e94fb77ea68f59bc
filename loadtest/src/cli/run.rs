use super::callers::Callers;
use super::{FAILED, MISTAKEN, fail, json, write_whole};
use crate::fail_if::FailIf;
use crate::report::Report;
use crate::run::RunError;
use crate::time;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Options of `ringway-load run`.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    callers: Callers,
    /// Calls at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls: u32,
    /// How long all calls are on.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time::parse)]
    duration: Duration,
    /// Writes the report here as JSON; - is standard output, in place of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Exit 1 when this holds, as in 'answer.p95 > 800ms'; repeatable.
    #[arg(long, value_name = "CONDITION")]
    fail_if: Vec<FailIf>,
}

impl Run {
    /// Exit 0: measured; 1: not measured, or a condition holds; 2: the command line has mistakes.
    pub fn run(self) -> ExitCode {
        let plan = match self.callers.plan(self.calls, self.duration) {
            Ok(plan) => plan,
            Err(mistake) => return fail(&mistake, MISTAKEN),
        };
        match plan.run() {
            Ok(outcome) => self.judge(&outcome.report),
            Err(error @ RunError::Process(_)) => fail(&error, MISTAKEN),
            Err(error @ RunError::Runtime(_)) => fail(&error, FAILED),
        }
    }

    fn judge(&self, report: &Report) -> ExitCode {
        if let Err(error) = self.write(report) {
            return fail(&error, FAILED);
        }
        let holding: Vec<_> = self.fail_if.iter().filter(|condition| condition.holds(report)).collect();
        holding.iter().for_each(|condition| eprintln!("ringway-load: failed: {condition}"));
        if report.is_empty() {
            return fail(&"no answer was measured", FAILED);
        }
        let unjudged = report.invalid.is_some() && !self.fail_if.is_empty();
        if unjudged {
            return fail(&"the tester was late itself: nothing can be judged", FAILED);
        }
        if holding.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
    }

    fn write(&self, report: &Report) -> std::io::Result<()> {
        match &self.json {
            Some(path) if path == Path::new("-") => print!("{}", json(report)),
            Some(path) => {
                print!("{report}");
                write_whole(path, &json(report))?;
            }
            None => print!("{report}"),
        }
        Ok(())
    }
}
