use super::callers::Callers;
use super::{FAILED, MISTAKEN, fail, json, write_whole};
use crate::fail_if::FailIf;
use crate::interrupts;
use crate::run::{Plan, RunError};
use crate::sweep::{Ended, Growth, HEADER, Ladder, Step, Sweep, Verdict, row};
use crate::time;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Options of `ringway-load sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    #[command(flatten)]
    callers: Callers,
    /// Calls at once in the first step.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    start: u32,
    /// Each step has so many times the calls of the one before.
    #[arg(long, value_name = "X", default_value_t = 1.5, value_parser = factor)]
    factor: f64,
    /// Each step has so many more calls than the one before, in place of a factor.
    #[arg(long, value_name = "N", conflicts_with = "factor", value_parser = clap::value_parser!(u32).range(1..))]
    step: Option<u32>,
    /// No more calls than this are tried.
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max: u32,
    /// How often the interval in which it breaks is halved.
    #[arg(long, value_name = "N", default_value_t = 2)]
    bisections: u32,
    /// How long all calls of a step are on.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time::parse)]
    duration: Duration,
    /// Between two steps, in which the server ends its calls.
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = time::parse)]
    settle: Duration,
    /// A step is broken when this holds; repeatable. In place of all of: answer.p95 > 800ms, underruns > 0,
    /// missing > 0, refused > 0, errors > 0.
    #[arg(long, value_name = "CONDITION")]
    break_if: Vec<FailIf>,
    /// Cores that the server serves calls on, by which the calls that it carries are divided.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    cores: u32,
    /// Writes all steps here as JSON; - is standard output, in place of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What a step has to keep, unless the user says otherwise.
const OBJECTIVE: [&str; 5] =
    ["answer.p95 > 800ms", "underruns > 0", "missing > 0", "refused > 0", "errors > 0"];

impl SweepArgs {
    /// Exit 0: a ceiling was found, or all steps held; 1: no step held; 2: the command line has mistakes.
    pub fn run(mut self) -> ExitCode {
        if self.break_if.is_empty() {
            self.break_if = OBJECTIVE.map(|condition| condition.parse().expect("a good condition")).to_vec();
        }
        let plan = match self.callers.plan(self.start, self.duration) {
            Ok(plan) => plan,
            Err(mistake) => return fail(&mistake, MISTAKEN),
        };
        match self.climb(plan) {
            Ok(sweep) => self.conclude(&sweep),
            Err(error @ RunError::Process(_)) => fail(&error, MISTAKEN),
            Err(error @ RunError::Runtime(_)) => fail(&error, FAILED),
        }
    }

    fn climb(&self, mut plan: Plan) -> Result<Sweep, RunError> {
        let growth = self.step.map_or(Growth::Factor(self.factor), Growth::Step);
        let mut ladder = Ladder::new(self.start, growth, self.max, self.bisections);
        let mut steps: Vec<Step> = Vec::new();
        self.say(HEADER);
        loop {
            (plan.calls, plan.ramp) = (ladder.calls(), self.callers.ramp(ladder.calls()));
            let outcome = match plan.run() {
                // A server that is gone ends the sweep, not the report.
                Err(RunError::Process(_)) if !steps.is_empty() => {
                    return Ok(self.sum_up(steps, Ended::Broke));
                }
                outcome => outcome?,
            };
            let step = Step::judge(outcome.report, &self.break_if);
            let (verdict, died) = (step.verdict, step.report.server.died);
            if outcome.interrupted {
                return Ok(self.sum_up(steps, Ended::Interrupted));
            }
            self.say(&row(&step));
            steps.push(step);
            if !ladder.go_on(verdict) || died {
                return Ok(self.sum_up(steps, ended(&ladder)));
            }
            if interrupts::rest(self.settle)? {
                return Ok(self.sum_up(steps, Ended::Interrupted));
            }
        }
    }

    fn sum_up(&self, steps: Vec<Step>, ended: Ended) -> Sweep {
        Sweep::new(&self.break_if, self.cores, steps, ended)
    }

    fn conclude(&self, sweep: &Sweep) -> ExitCode {
        self.say(&format!("\n{}", sweep.conclusion()));
        let written = match &self.json {
            Some(path) if path == Path::new("-") => {
                print!("{}", json(sweep));
                Ok(())
            }
            Some(path) => write_whole(path, &json(sweep)),
            None => Ok(()),
        };
        match written {
            Err(error) => fail(&error, FAILED),
            Ok(()) if sweep.held.is_none() => fail(&"no step held", FAILED),
            Ok(()) => ExitCode::SUCCESS,
        }
    }

    /// Prints, unless standard output is for JSON.
    fn say(&self, line: &str) {
        if self.json.as_deref() == Some(Path::new("-")) {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }
}

const fn ended(ladder: &Ladder) -> Ended {
    match ladder.limit() {
        None => Ended::Max,
        Some(Verdict::Invalid) => Ended::Tester,
        Some(Verdict::Broke | Verdict::Held) => Ended::Broke,
    }
}

fn factor(text: &str) -> Result<f64, &'static str> {
    let factor: f64 = text.parse().map_err(|_| "not a number")?;
    if factor.is_finite() && factor > 1.0 { Ok(factor) } else { Err("a factor is greater than 1") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_lets_calls_grow() {
        assert_eq!(factor("1.5"), Ok(1.5));
        for wrong in ["1", "0.5", "-2", "NaN", "inf", "fast"] {
            assert!(factor(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_objective_is_made_of_good_conditions() {
        for condition in OBJECTIVE {
            assert_eq!(condition.parse::<FailIf>().unwrap().to_string(), condition);
        }
    }
}
