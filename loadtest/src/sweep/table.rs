use super::Step;
use crate::report::shown;

/// The names of the columns of [`row`].
pub const HEADER: &str = " calls  answers     p50     p95     p99   barge-in  under-  miss-  re-      er-   \
                          server  KiB a   late\n                \
                          ms      ms      ms    p95 ms    runs    ing   fused    rors  \
                          cpu %   call     ms";

/// A step in columns, then what it means.
pub fn row(step: &Step) -> String {
    let report = &step.report;
    let answer = &report.answer;
    format!(
        "{:>6}{:>9}{:>8}{:>8}{:>8}{:>10}{:>8}{:>7}{:>8}{:>8}{:>7}{:>7}{:>7}  {}",
        step.calls,
        answer.count,
        shown(answer.p50, 0),
        shown(answer.p95, 0),
        shown(answer.p99, 0),
        shown(report.barge_in.p95, 0),
        report.underruns,
        report.missing,
        report.refused,
        report.errors,
        shown(report.server.cpu, 1),
        shown(report.server.rss_per_call, 0),
        shown(report.tester.lateness_p99, 1),
        step.outcome(),
    )
}
