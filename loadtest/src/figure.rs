//! The figures of a report by their names, as in its JSON.

use crate::report::{Percentiles, Report};

/// One figure of a report.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// The way to it in the JSON.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// Its value; `None` where it was not measured.
    pub of: fn(&Report) -> Option<f64>,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Per cent.
    Percent,
    /// KiB.
    Kibibytes,
    /// Things.
    Count,
}

impl Unit {
    /// How it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Percent => "%",
            Self::Kibibytes => "KiB",
            Self::Count => "",
        }
    }

    /// What a number in the unit `name` is multiplied by to be in this one; no name is this one itself.
    pub fn factor(self, name: &str) -> Option<f64> {
        match (self, name) {
            (_, "") => Some(1.0),
            (Self::Milliseconds, "s") => Some(1_000.0),
            (Self::Kibibytes, "MiB") => Some(1_024.0),
            (unit, name) => (unit.name() == name).then_some(1.0),
        }
    }
}

const fn millis(name: &'static str, of: fn(&Report) -> Option<f64>) -> Figure {
    Figure { name, unit: Unit::Milliseconds, of }
}

const fn count(name: &'static str, of: fn(&Report) -> Option<f64>) -> Figure {
    Figure { name, unit: Unit::Count, of }
}

fn answer(report: &Report) -> &Percentiles {
    &report.answer
}

fn barge_in(report: &Report) -> &Percentiles {
    &report.barge_in
}

/// Every figure.
pub const FIGURES: [Figure; 37] = [
    count("answer.count", |report| Some(answer(report).count as f64)),
    millis("answer.p50", |report| answer(report).p50),
    millis("answer.p90", |report| answer(report).p90),
    millis("answer.p95", |report| answer(report).p95),
    millis("answer.p99", |report| answer(report).p99),
    millis("answer.p999", |report| answer(report).p999),
    millis("answer.max", |report| answer(report).max),
    count("keyAnswer.count", |report| Some(report.key_answer.count as f64)),
    millis("keyAnswer.p50", |report| report.key_answer.p50),
    millis("keyAnswer.p90", |report| report.key_answer.p90),
    millis("keyAnswer.p95", |report| report.key_answer.p95),
    millis("keyAnswer.p99", |report| report.key_answer.p99),
    millis("keyAnswer.p999", |report| report.key_answer.p999),
    millis("keyAnswer.max", |report| report.key_answer.max),
    count("bargeIn.count", |report| Some(barge_in(report).count as f64)),
    millis("bargeIn.p50", |report| barge_in(report).p50),
    millis("bargeIn.p90", |report| barge_in(report).p90),
    millis("bargeIn.p95", |report| barge_in(report).p95),
    millis("bargeIn.p99", |report| barge_in(report).p99),
    millis("bargeIn.p999", |report| barge_in(report).p999),
    millis("bargeIn.max", |report| barge_in(report).max),
    count("underruns", |report| Some(report.underruns as f64)),
    count("paused", |report| Some(report.paused as f64)),
    count("missing", |report| Some(report.missing as f64)),
    count("early", |report| Some(report.early as f64)),
    count("cutIn", |report| Some(report.cut_in as f64)),
    count("ignored", |report| Some(report.ignored as f64)),
    count("wentOn", |report| Some(report.went_on as f64)),
    count("wordsCut", |report| Some(report.words_cut as f64)),
    count("refused", |report| Some(report.refused as f64)),
    count("errors", |report| Some(report.errors as f64)),
    Figure { name: "server.cpuPerCall", unit: Unit::Percent, of: |report| report.server.cpu_per_call },
    Figure { name: "server.cpu", unit: Unit::Percent, of: |report| report.server.cpu },
    Figure { name: "server.rss", unit: Unit::Kibibytes, of: |report| report.server.rss },
    Figure { name: "server.rssPerCall", unit: Unit::Kibibytes, of: |report| report.server.rss_per_call },
    Figure { name: "tester.cpuPerCall", unit: Unit::Percent, of: |report| report.tester.cpu_per_call },
    millis("tester.latenessP99", |report| report.tester.lateness_p99),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Server, tests::report};
    use std::time::Duration;

    #[test]
    fn every_figure_is_where_its_name_says() {
        let server = Server {
            cpu_per_call: Some(0.5),
            cpu: Some(1.0),
            rss_per_call: Some(100.0),
            rss: Some(2_000.0),
            died: false,
        };
        let fill = |tally: &mut crate::tally::Tally| {
            for millis in [100, 200, 300] {
                tally.answer.record(Duration::from_millis(millis));
                tally.barge_in.record(Duration::from_millis(millis / 2));
            }
            tally.key_answer.record(Duration::from_millis(50));
            tally.lateness.record(Duration::from_millis(1));
            (tally.underruns, tally.paused, tally.missing) = (1, 2, 3);
            (tally.early, tally.ignored, tally.went_on, tally.words_cut) = (4, 5, 6, 7);
            tally.cut_in = 8;
            tally.refused("HTTP 503".into());
            tally.error("gone".into());
        };
        let report = report(fill, server).with_tester_cpu(Some(0.05));
        let json = serde_json::to_value(&report).unwrap();
        for figure in FIGURES {
            let pointer = format!("/{}", figure.name.replace('.', "/"));
            assert_eq!(
                json.pointer(&pointer).and_then(|value| value.as_f64()),
                (figure.of)(&report),
                "{pointer}"
            );
        }
    }
}
