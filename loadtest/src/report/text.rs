use super::{Invalid, Percentiles, Report, Setting};
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { url, protocol, codec, scenario, calls, duration_s, cut_short, seed } = &self.run;
        let cut = if *cut_short { " (cut short)" } else { "" };
        writeln!(
            f,
            "{url}: {calls} calls, {protocol} {codec}, {scenario}, {duration_s:.0} s{cut}, seed {seed}\n"
        )?;
        let names = ["p50", "p90", "p95", "p99", "p99.9", "max"];
        write!(f, "{:<12}{:>8}", "ms", "count")?;
        names.iter().try_for_each(|name| write!(f, "{name:>9}"))?;
        writeln!(f)?;
        self.answer.write_row("answer", f)?;
        if self.key_answer.count > 0 {
            self.key_answer.write_row("key answer", f)?;
        }
        self.barge_in.write_row("barge-in", f)?;
        writeln!(f)?;
        self.write_counts(f)?;
        writeln!(f, "{:<12}{:>8} % of a core a call", "server cpu", shown(self.server.cpu_per_call, 3))?;
        writeln!(f, "{:<12}{:>8} KiB a call", "server rss", shown(self.server.rss_per_call, 0))?;
        writeln!(f, "{:<12}{:>8} % of a core a call", "own cpu", shown(self.tester.cpu_per_call, 3))?;
        writeln!(f, "{:<12}{:>8} ms p99", "own lateness", shown(self.tester.lateness_p99, 2))?;
        self.write_faults(f)
    }
}

impl Report {
    fn write_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            ("underruns", self.underruns),
            ("paused", self.paused),
            ("missing", self.missing),
            ("early", self.early),
            ("cut in", self.cut_in),
            ("ignored", self.ignored),
            ("went on", self.went_on),
            ("words cut", self.words_cut),
            ("refused", self.refused),
            ("errors", self.errors),
        ];
        counts.into_iter().try_for_each(|(name, count)| writeln!(f, "{name:<12}{count:>8}"))
    }

    fn write_faults(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (how, count) in &self.refusals {
            writeln!(f, "refused: {how} ({count} calls)")?;
        }
        for (what, count) in &self.failures {
            writeln!(f, "error: {what} ({count} calls)")?;
        }
        if self.server.died {
            writeln!(f, "error: the server's process ended during the run")?;
        }
        match self.invalid {
            Some(Invalid::Tester) => writeln!(f, "invalid: tester"),
            None => Ok(()),
        }
    }
}

impl Percentiles {
    fn write_row(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name:<12}{:>8}", self.count)?;
        let columns = [self.p50, self.p90, self.p95, self.p99, self.p999, self.max];
        columns.into_iter().try_for_each(|column| write!(f, "{:>9}", shown(column, 1)))?;
        writeln!(f)
    }
}

/// A dash for what was not measured, or is no number.
pub fn shown(value: Option<f64>, decimals: usize) -> String {
    let value = value.filter(|value| value.is_finite());
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::report::{Server, tests::report};

    #[test]
    fn what_was_not_measured_is_shown_as_a_dash() {
        let nothing = report(|_| {}, Server::default());
        assert!(nothing.is_empty());
        let row =
            nothing.to_string().lines().find(|line| line.starts_with("answer")).map(str::to_owned).unwrap();
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["answer", "0", "-", "-", "-", "-", "-", "-"]);
        assert_eq!((shown(Some(f64::NAN), 1), shown(Some(f64::INFINITY), 1)), ("-".into(), "-".into()));
    }

    #[test]
    fn what_went_wrong_is_named() {
        let fill = |tally: &mut crate::tally::Tally| {
            tally.refused("HTTP 503".into());
            tally.error("gone".into());
        };
        let text = report(fill, Server { died: true, ..Server::default() }).to_string();
        for line in ["refused: HTTP 503 (1 calls)", "error: gone (1 calls)", "the server's process ended"] {
            assert!(text.contains(line), "{text}");
        }
    }
}
