use ringway_frame::OneLine;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// How one engine did.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) stage: &'static str,
    pub(super) engine: String,
    /// From the request to what was seen; the time to set it up is not in it.
    pub(super) took: Duration,
    /// What was seen, or what went wrong.
    pub(super) outcome: Result<String, String>,
}

impl Finding {
    pub(super) fn to_json(&self) -> Value {
        let Self { stage, engine, took, outcome } = self;
        json!({
            "stage": stage,
            "engine": engine,
            "ok": outcome.is_ok(),
            "ms": took.as_millis() as u64,
            "detail": self.detail(),
        })
    }

    fn detail(&self) -> &str {
        self.outcome.as_ref().unwrap_or_else(|error| error)
    }
}

/// A line each, aligned.
pub(super) fn table(findings: &[Finding]) -> String {
    let widest = |of: fn(&Finding) -> &str| findings.iter().map(|it| of(it).len()).max().unwrap_or_default();
    let (stages, width) = (widest(|finding| finding.stage), widest(|finding| &finding.engine));
    let mut table = String::new();
    for finding in findings {
        let Finding { stage, engine, took, outcome } = finding;
        let mark = if outcome.is_ok() { "ok" } else { "FAILED" };
        let (millis, detail) = (took.as_millis(), OneLine(finding.detail().replace('\n', " ")));
        writeln!(table, "{stage:<stages$}  {engine:<width$}  {mark:<6}  {millis:>6} ms  {detail}")
            .expect("a string takes whatever is written");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(engine: &str, outcome: Result<&str, &str>) -> Finding {
        let outcome = outcome.map(str::to_owned).map_err(str::to_owned);
        Finding { stage: "stt", engine: engine.into(), took: Duration::from_millis(42), outcome }
    }

    #[test]
    fn what_a_service_says_is_shown_without_what_a_terminal_obeys() {
        let table = table(&[finding("deepgram", Err("status 401: \u{1b}]0;owned\u{7}\r"))]);
        assert!(table.ends_with("status 401: \\u{1b}]0;owned\\u{7}\\r\n"), "{table}");
    }

    #[test]
    fn lines_are_aligned_and_each_engine_has_one() {
        let findings = [finding("whisperlivekit", Ok("yes")), finding("deepgram", Err("status 401:\nno"))];
        assert_eq!(
            table(&findings),
            "stt  whisperlivekit  ok          42 ms  yes\n\
             stt  deepgram        FAILED      42 ms  status 401: no\n"
        );
    }
}
