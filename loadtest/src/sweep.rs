//! How many calls a server carries: runs with more and more of them until an objective breaks.

mod ladder;
mod table;

pub use ladder::{Growth, Ladder, Verdict};
pub use table::{HEADER, row};

use crate::fail_if::FailIf;
use crate::report::{Invalid, Report};
use serde::{Deserialize, Serialize};

/// What a sweep found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// A step is broken when one of these holds.
    pub break_if: Vec<String>,
    /// Cores that the server serves calls on.
    pub cores: u32,
    /// In the order in which they were run.
    pub steps: Vec<Step>,
    /// The most calls at which the objective held; `null` where it held nowhere.
    pub held: Option<u32>,
    /// The same by core.
    pub calls_a_core: Option<f64>,
    /// Why it did not go further up.
    pub ended: Ended,
}

/// A run with so many calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Calls at once.
    pub calls: u32,
    /// Whether it held.
    pub verdict: Verdict,
    /// What broke it, or made it invalid.
    pub because: Vec<String>,
    /// What was measured.
    pub report: Report,
}

/// Why a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// The objective broke.
    Broke,
    /// It held up to the most calls that were to be tried.
    Max,
    /// The tester was late itself: the ceiling may be higher.
    Tester,
    /// Somebody stopped it.
    Interrupted,
}

impl Step {
    /// Judges a run: it holds when it was measured, the tester was punctual, and no condition holds.
    pub fn judge(report: Report, break_if: &[FailIf]) -> Self {
        let (verdict, because) = verdict(&report, break_if);
        Self { calls: report.run.calls, verdict, because, report }
    }

    /// What became of it, in words.
    pub fn outcome(&self) -> String {
        let because = self.because.join(", ");
        match self.verdict {
            Verdict::Held => "held".to_owned(),
            Verdict::Broke => format!("broke: {because}"),
            Verdict::Invalid => format!("invalid: {because}"),
        }
    }
}

fn verdict(report: &Report, break_if: &[FailIf]) -> (Verdict, Vec<String>) {
    if report.invalid == Some(Invalid::Tester) {
        return (Verdict::Invalid, vec!["tester".to_owned()]);
    }
    let mut because: Vec<_> =
        break_if.iter().filter(|condition| condition.holds(report)).map(ToString::to_string).collect();
    if report.is_empty() {
        because.push("no answer".to_owned());
    }
    if report.server.died {
        because.push("the server died".to_owned());
    }
    (if because.is_empty() { Verdict::Held } else { Verdict::Broke }, because)
}

impl Sweep {
    /// Sums up the steps.
    pub fn new(break_if: &[FailIf], cores: u32, steps: Vec<Step>, ended: Ended) -> Self {
        let broke = steps.iter().filter(|step| step.verdict == Verdict::Broke).map(|step| step.calls).min();
        let is_below = |calls: u32| broke.is_none_or(|broke| calls < broke);
        let held = steps.iter().filter(|step| step.verdict == Verdict::Held && is_below(step.calls));
        let held = held.map(|step| step.calls).max();
        Self {
            break_if: break_if.iter().map(ToString::to_string).collect(),
            cores,
            held,
            calls_a_core: held.map(|held| f64::from(held) / f64::from(cores)),
            steps,
            ended,
        }
    }

    /// The step with the most calls that held.
    pub fn best(&self) -> Option<&Step> {
        let held = |step: &&Step| step.verdict == Verdict::Held && Some(step.calls) == self.held;
        self.steps.iter().find(held)
    }

    /// The result in a sentence or two.
    pub fn conclusion(&self) -> String {
        let Some((held, best)) = self.held.zip(self.best()) else {
            return "calls a core: not measured, no step held".to_owned();
        };
        let bound = match self.ended {
            Ended::Broke => "",
            Ended::Max => ", and more were not tried",
            Ended::Tester => ", where the tester itself came to its limit",
            Ended::Interrupted => ", where the sweep was stopped",
        };
        let at_least = if self.ended == Ended::Broke { "" } else { "at least " };
        let a_core = f64::from(held) / f64::from(self.cores);
        let cpu = best.report.server.cpu_per_call.filter(|cpu| cpu.is_finite());
        let cpu = cpu.map_or_else(String::new, |cpu| format!("; {cpu:.3} % of a core a call"));
        let cores = if self.cores == 1 { "core" } else { "cores" };
        format!(
            "calls a core: {at_least}{a_core:.0} ({held} calls held on {} {cores}{bound}{cpu})",
            self.cores
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Server, tests::report};
    use std::time::Duration;

    fn step(calls: u32, answer_ms: u64, lateness_ms: u64) -> Step {
        let mut report = report(
            |tally| {
                tally.answer.record(Duration::from_millis(answer_ms));
                tally.lateness.record(Duration::from_millis(lateness_ms));
            },
            Server { cpu_per_call: Some(0.125), ..Server::default() },
        );
        report.run.calls = calls;
        Step::judge(report, &["answer.p95 > 800ms".parse().unwrap()])
    }

    #[test]
    fn a_step_breaks_by_its_objective_and_says_so() {
        assert_eq!(step(10, 400, 1).verdict, Verdict::Held);
        let broken = step(10, 900, 1);
        assert_eq!((broken.verdict, broken.because), (Verdict::Broke, vec!["answer.p95 > 800ms".to_owned()]));
    }

    #[test]
    fn a_late_tester_judges_nothing() {
        assert_eq!(step(10, 900, 6).verdict, Verdict::Invalid);
    }

    #[test]
    fn a_step_without_answers_or_server_never_holds() {
        let silent = Step::judge(report(|_| {}, Server::default()), &[]);
        assert_eq!((silent.verdict, silent.because[0].as_str()), (Verdict::Broke, "no answer"));
        let answer = |tally: &mut crate::tally::Tally| tally.answer.record(Duration::from_millis(100));
        let dead = Step::judge(report(answer, Server { died: true, ..Server::default() }), &[]);
        assert_eq!(dead.verdict, Verdict::Broke);
    }

    #[test]
    fn calls_a_core_are_those_that_held_below_the_break() {
        let steps = vec![step(100, 400, 1), step(200, 900, 1), step(150, 500, 1)];
        let sweep = Sweep::new(&[], 1, steps.clone(), Ended::Broke);
        assert_eq!((sweep.held, sweep.calls_a_core), (Some(150), Some(150.0)));
        assert_eq!(
            sweep.conclusion(),
            "calls a core: 150 (150 calls held on 1 core; 0.125 % of a core a call)"
        );
        let two = Sweep::new(&[], 2, steps[..1].to_vec(), Ended::Max);
        assert!(
            two.conclusion().starts_with("calls a core: at least 50 (100 calls held on 2 cores, and more")
        );
    }

    #[test]
    fn a_step_that_held_above_a_broken_one_does_not_count() {
        let sweep = Sweep::new(&[], 1, vec![step(100, 900, 1), step(200, 400, 1)], Ended::Broke);
        assert_eq!(sweep.held, None);
        assert_eq!(sweep.conclusion(), "calls a core: not measured, no step held");
    }
}
