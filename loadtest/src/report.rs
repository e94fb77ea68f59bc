//! What a run measured, as JSON and as a table.

mod text;

pub use text::shown;

use crate::tally::{Bucket, Tally, Times};
use crate::timeline::Second;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A run's result. Times are milliseconds; `null` is what was not measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was run.
    pub run: Setting,
    /// End of the caller's last loud frame to the first loud frame of the answer.
    pub answer: Percentiles,
    /// The last key pressed to the first loud frame of the answer.
    pub key_answer: Percentiles,
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
    /// Times that the bot began to speak inside of what the caller said.
    pub cut_in: u64,
    /// Times that the bot spoke on though the caller had begun.
    pub ignored: u64,
    /// Times that the bot went on over a sound that was no interruption.
    pub went_on: u64,
    /// Times that the bot stopped because of one.
    pub words_cut: u64,
    /// Calls that the server had no place for.
    pub refused: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Refused calls by how the server said so.
    pub refusals: BTreeMap<String, u64>,
    /// Failed calls by what went wrong.
    pub failures: BTreeMap<String, u64>,
    /// What the server used.
    pub server: Server,
    /// The tester's own work.
    pub tester: Tester,
    /// Why the run does not count.
    pub invalid: Option<Invalid>,
    /// Answer times, counted by pieces of 10 ms.
    pub answer_histogram: Vec<Bucket>,
    /// The course of the run.
    pub timeline: Vec<Second>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The media socket.
    pub url: String,
    /// How it was spoken to.
    pub protocol: String,
    /// How audio was coded.
    pub codec: String,
    /// What callers did.
    pub scenario: String,
    /// Calls at once.
    pub calls: u32,
    /// How long all of them were on, in seconds.
    pub duration_s: f64,
    /// It was to be longer: somebody stopped it, or all calls had ended.
    pub cut_short: bool,
    /// Gives the same words and pauses again.
    pub seed: u64,
}

/// Percentiles in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// 999 of 1,000 are not longer.
    pub p999: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

/// What the server process used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Per cent of one core a call, while all calls were on.
    pub cpu_per_call: Option<f64>,
    /// Per cent of one core in all, while all calls were on.
    pub cpu: Option<f64>,
    /// Growth of resident memory a call in KiB, from before the first call to the most.
    pub rss_per_call: Option<f64>,
    /// The most resident memory in KiB.
    pub rss: Option<f64>,
    /// The process ended during the run.
    pub died: bool,
}

/// How well the tester kept its own time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tester {
    /// 99 of 100 frames were sent no later behind their moment, in milliseconds.
    #[serde(rename = "latenessP99")]
    pub lateness_p99: Option<f64>,
    /// Per cent of one core a call, while all calls were on.
    pub cpu_per_call: Option<f64>,
}

/// Why a run does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Invalid {
    /// The tester was late itself.
    Tester,
}

/// A tester that is later than this measures itself.
const LATE: Duration = Duration::from_millis(5);

impl Report {
    /// Sums up.
    pub fn new(run: Setting, tally: &Tally, server: Server, timeline: Vec<Second>) -> Self {
        let lateness = tally.lateness.percentile(99.0);
        Self {
            run,
            answer: Percentiles::of(&tally.answer),
            key_answer: Percentiles::of(&tally.key_answer),
            barge_in: Percentiles::of(&tally.barge_in),
            underruns: tally.underruns,
            paused: tally.paused,
            missing: tally.missing,
            early: tally.early,
            cut_in: tally.cut_in,
            ignored: tally.ignored,
            went_on: tally.went_on,
            words_cut: tally.words_cut,
            refused: tally.refused_count(),
            errors: tally.error_count(),
            refusals: tally.refusals.clone(),
            failures: tally.errors.clone(),
            server,
            tester: Tester { lateness_p99: lateness.map(millis), cpu_per_call: None },
            invalid: lateness.is_some_and(|lateness| lateness > LATE).then_some(Invalid::Tester),
            answer_histogram: tally.answer.buckets(),
            timeline,
        }
    }

    /// Adds what the tester itself used.
    pub const fn with_tester_cpu(mut self, cpu_per_call: Option<f64>) -> Self {
        self.tester.cpu_per_call = cpu_per_call;
        self
    }

    /// No answer was measured: nothing that could be called a success.
    pub const fn is_empty(&self) -> bool {
        self.answer.count + self.key_answer.count == 0
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
            p999: percentile(99.9),
            max: times.max().map(millis),
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn report(fill: impl FnOnce(&mut Tally), server: Server) -> Report {
        let mut tally = Tally::new();
        fill(&mut tally);
        let run = Setting {
            url: "ws://bot/".into(),
            protocol: "twilio".into(),
            codec: "mulaw".into(),
            scenario: "chat".into(),
            calls: 2,
            duration_s: 60.0,
            cut_short: false,
            seed: 1,
        };
        Report::new(run, &tally, server, Vec::new())
    }

    #[test]
    fn json_has_the_names_that_scripts_rely_on() {
        let fill = |tally: &mut Tally| {
            tally.answer.record(Duration::from_millis(256));
            tally.lateness.record(Duration::from_millis(1));
            tally.error("the server does not read".into());
        };
        let server = Server { cpu_per_call: Some(0.25), ..Server::default() };
        let json = serde_json::to_value(report(fill, server)).unwrap();
        assert_eq!(json["answer"]["count"], 1);
        for name in ["p50", "p90", "p95", "p99", "p999", "max"] {
            assert!(json["answer"][name].as_f64().is_some_and(|ms| (ms - 256.0).abs() < 0.26), "{name}");
            assert!(json["bargeIn"][name].is_null());
        }
        for name in ["underruns", "paused", "missing", "refused", "wordsCut", "wentOn"] {
            assert_eq!(json[name], 0, "{name}");
        }
        assert_eq!(json["errors"], 1);
        assert_eq!(json["failures"]["the server does not read"], 1);
        assert_eq!(json["server"]["cpuPerCall"], 0.25);
        assert!(json["server"]["rssPerCall"].is_null());
        assert_eq!(json["tester"]["latenessP99"], 1.0);
        assert!(json["invalid"].is_null());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let fill = |tally: &mut Tally| {
            (1..100).for_each(|ms| tally.answered(Duration::from_millis(ms * 7)));
            tally.refused("HTTP 503".into());
        };
        let written = report(fill, Server::default());
        let read: Report = serde_json::from_str(&serde_json::to_string(&written).unwrap()).unwrap();
        assert_eq!(read, written);
        assert_eq!(read.answer_histogram.iter().map(|bucket| bucket.count).sum::<u64>(), 99);
    }

    #[test]
    fn a_late_tester_makes_the_run_invalid() {
        let late = report(|tally| tally.lateness.record(Duration::from_micros(5_010)), Server::default());
        assert_eq!(serde_json::to_value(&late).unwrap()["invalid"], "tester");
        assert!(late.to_string().ends_with("invalid: tester\n"));
        let punctual = report(|tally| tally.lateness.record(Duration::from_micros(4_990)), Server::default());
        assert_eq!(punctual.invalid, None);
    }
}
