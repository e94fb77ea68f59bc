//! What a run measured, as JSON and as a table.

use crate::tally::{Tally, Times};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// A run's result. Times are milliseconds; `null` is what was not measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was run.
    pub run: Setting,
    /// End of the caller's last loud frame to the first loud frame of the answer.
    pub answer: Percentiles,
    /// Start of the caller's first loud frame over the bot to the bot's silence.
    pub barge_in: Percentiles,
    /// Gaps inside the bot's utterances.
    pub underruns: u64,
    /// Gaps because the caller had spoken.
    pub paused: u64,
    /// Answers that had not begun after 5 s.
    pub missing: u64,
    /// Answers that began before the caller had finished; they are in no percentile.
    pub early: u64,
    /// Times that the bot spoke on though the caller had begun.
    pub ignored: u64,
    /// Calls that the server had no place for.
    pub refused: u64,
    /// Calls that failed.
    pub errors: u64,
    /// What the server used.
    pub server: Server,
    /// The tester's own work.
    pub tester: Tester,
    /// Why the run does not count.
    pub invalid: Option<Invalid>,
    /// Failed calls by what went wrong; shown in the table.
    #[serde(skip)]
    pub failures: Vec<(String, u64)>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The media socket.
    pub url: String,
    /// How it was spoken to.
    pub protocol: &'static str,
    /// How audio was coded.
    pub codec: &'static str,
    /// What callers did.
    pub scenario: &'static str,
    /// Calls at once.
    pub calls: u32,
    /// How long all of them were on, in seconds.
    pub duration_s: f64,
    /// Gives the same words and pauses again.
    pub seed: u64,
}

/// Percentiles in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// The median.
    pub p50: Option<f64>,
    /// Nine of ten are not longer.
    pub p90: Option<f64>,
    /// 19 of 20 are not longer.
    pub p95: Option<f64>,
    /// 99 of 100 are not longer.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

/// What the server process used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Per cent of one core a call, while all calls were on.
    pub cpu_per_call: Option<f64>,
    /// Growth of resident memory a call in KiB, from before the first call to the most.
    pub rss_per_call: Option<f64>,
}

/// How well the tester kept its own time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tester {
    /// 99 of 100 frames were sent no later behind their moment, in milliseconds.
    #[serde(rename = "latenessP99")]
    pub lateness_p99: Option<f64>,
}

/// Why a run does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Invalid {
    /// The tester was late itself.
    Tester,
}

/// A tester that is later than this measures itself.
const LATE: Duration = Duration::from_millis(5);

impl Report {
    /// Sums up.
    pub fn new(run: Setting, tally: &Tally, server: Server) -> Self {
        let lateness = tally.lateness.percentile(99.0);
        Self {
            run,
            answer: Percentiles::of(&tally.answer),
            barge_in: Percentiles::of(&tally.barge_in),
            underruns: tally.underruns,
            paused: tally.paused,
            missing: tally.missing,
            early: tally.early,
            ignored: tally.ignored,
            refused: tally.refused,
            errors: tally.error_count(),
            server,
            tester: Tester { lateness_p99: lateness.map(millis) },
            invalid: lateness.is_some_and(|lateness| lateness > LATE).then_some(Invalid::Tester),
            failures: tally.errors.iter().map(|(what, count)| (what.clone(), *count)).collect(),
        }
    }

    /// No answer was measured: nothing that could be called a success.
    pub const fn is_empty(&self) -> bool {
        self.answer.count == 0
    }
}

impl Percentiles {
    fn of(times: &Times) -> Self {
        let percentile = |percent| times.percentile(percent).map(millis);
        Self {
            count: times.count(),
            p50: percentile(50.0),
            p90: percentile(90.0),
            p95: percentile(95.0),
            p99: percentile(99.0),
            max: times.max().map(millis),
        }
    }
}

/// Milliseconds with a resolution of 0.01.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { url, protocol, codec, scenario, calls, duration_s, seed } = &self.run;
        writeln!(
            f,
            "{url}: {calls} calls, {protocol} {codec}, {scenario}, {duration_s:.0} s, seed {seed}\n"
        )?;
        writeln!(
            f,
            "{:<12}{:>8}{:>9}{:>9}{:>9}{:>9}{:>9}",
            "ms", "count", "p50", "p90", "p95", "p99", "max"
        )?;
        self.answer.write_row("answer", f)?;
        self.barge_in.write_row("barge-in", f)?;
        writeln!(f)?;
        self.write_counts(f)?;
        writeln!(f, "{:<12}{:>8} % of a core a call", "server cpu", shown(self.server.cpu_per_call, 3))?;
        writeln!(f, "{:<12}{:>8} KiB a call", "server rss", shown(self.server.rss_per_call, 0))?;
        writeln!(f, "{:<12}{:>8} ms p99", "own lateness", shown(self.tester.lateness_p99, 2))?;
        self.failures.iter().try_for_each(|(what, count)| writeln!(f, "error: {what} ({count} calls)"))?;
        match self.invalid {
            Some(Invalid::Tester) => writeln!(f, "invalid: tester"),
            None => Ok(()),
        }
    }
}

impl Report {
    fn write_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            ("underruns", self.underruns),
            ("paused", self.paused),
            ("missing", self.missing),
            ("early", self.early),
            ("ignored", self.ignored),
            ("refused", self.refused),
            ("errors", self.errors),
        ];
        counts.into_iter().try_for_each(|(name, count)| writeln!(f, "{name:<12}{count:>8}"))
    }
}

impl Percentiles {
    fn write_row(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name:<12}{:>8}", self.count)?;
        let columns = [self.p50, self.p90, self.p95, self.p99, self.max];
        columns.into_iter().try_for_each(|column| write!(f, "{:>9}", shown(column, 1)))?;
        writeln!(f)
    }
}

/// A dash for what was not measured.
fn shown(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn report(fill: impl FnOnce(&mut Tally), server: Server) -> Report {
        let mut tally = Tally::new();
        fill(&mut tally);
        let run = Setting {
            url: "ws://bot/".into(),
            protocol: "twilio",
            codec: "mulaw",
            scenario: "chat",
            calls: 2,
            duration_s: 60.0,
            seed: 1,
        };
        Report::new(run, &tally, server)
    }

    #[test]
    fn json_has_the_names_that_scripts_rely_on() {
        let fill = |tally: &mut Tally| {
            tally.answer.record(Duration::from_millis(256));
            tally.lateness.record(Duration::from_millis(1));
            tally.error("the server does not read".into());
        };
        let server = Server { cpu_per_call: Some(0.25), rss_per_call: None };
        let json = serde_json::to_value(report(fill, server)).unwrap();
        assert_eq!(json["answer"]["count"], 1);
        for name in ["p50", "p90", "p95", "p99", "max"] {
            assert_eq!(json["answer"][name], 256.0, "{name}");
            assert!(json["bargeIn"][name].is_null());
        }
        for name in ["underruns", "paused", "missing", "refused"] {
            assert_eq!(json[name], 0, "{name}");
        }
        assert_eq!(json["errors"], 1);
        assert_eq!(json["server"]["cpuPerCall"], 0.25);
        assert!(json["server"]["rssPerCall"].is_null());
        assert_eq!(json["tester"]["latenessP99"], 1.0);
        assert!(json["invalid"].is_null());
    }

    #[test]
    fn a_late_tester_makes_the_run_invalid() {
        let late = report(|tally| tally.lateness.record(Duration::from_micros(5_010)), Server::default());
        assert_eq!(serde_json::to_value(&late).unwrap()["invalid"], "tester");
        assert!(late.to_string().ends_with("invalid: tester\n"));
        let punctual = report(|tally| tally.lateness.record(Duration::from_micros(4_990)), Server::default());
        assert_eq!(punctual.invalid, None);
    }

    #[test]
    fn what_was_not_measured_is_shown_as_a_dash() {
        let nothing = report(|_| {}, Server::default());
        assert!(nothing.is_empty());
        let row =
            nothing.to_string().lines().find(|line| line.starts_with("answer")).map(str::to_owned).unwrap();
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["answer", "0", "-", "-", "-", "-", "-"]);
    }
}
