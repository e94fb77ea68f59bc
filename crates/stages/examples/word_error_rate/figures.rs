use crate::recogniser::Heard;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// All that was measured.
#[derive(Default)]
pub struct Report(Vec<Row>);

/// Prompts of one kind.
struct Row {
    title: String,
    /// How many were heard as they should be, of how many.
    right: usize,
    all: usize,
    heard: Vec<Heard>,
    /// Those that were heard wrong; empty where words are counted.
    wrong: Vec<Heard>,
}

impl Report {
    /// Adds prompts that are right when the transcript is what was said.
    pub fn exact(&mut self, title: impl Into<String>, heard: Vec<Heard>) {
        self.judged(title, heard, |heard| heard.said == heard.text);
    }

    /// Adds prompts that are right when `judge` says so.
    pub fn judged(&mut self, title: impl Into<String>, heard: Vec<Heard>, judge: impl Fn(&Heard) -> bool) {
        let wrong: Vec<_> = heard.iter().filter(|heard| !judge(heard)).cloned().collect();
        let all = heard.len();
        self.0.push(Row { title: title.into(), right: all - wrong.len(), all, heard, wrong });
    }

    /// Adds prompts of which every word counts: substituted, left out and added ones are wrong.
    pub fn words(&mut self, title: impl Into<String>, heard: Vec<Heard>) {
        let all = heard.iter().map(|heard| heard.said.split(' ').count()).sum::<usize>();
        let wrong = heard.iter().map(errors).sum::<usize>();
        self.0.push(Row {
            title: title.into(),
            right: all.saturating_sub(wrong),
            all,
            heard,
            wrong: Vec::new(),
        });
    }

    /// The report for scripts.
    pub fn to_json(&self) -> Value {
        self.0.iter().map(Row::to_json).collect()
    }
}

impl Row {
    /// What was taken for what, where each prompt is right or wrong as a whole.
    fn confusions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wrong.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{}:", self.title)?;
        self.wrong.iter().try_for_each(|heard| writeln!(f, "  {} -> {}", heard.said, heard.text))
    }

    fn to_json(&self) -> Value {
        let times = Times::of(&self.heard);
        json!({
            "title": self.title,
            "right": self.right,
            "all": self.all,
            "cpuMs": {"p50": millis(times.cpu_p50), "p95": millis(times.cpu_p95)},
            "wallMs": {"p50": millis(times.wall_p50), "p95": millis(times.wall_p95)},
            "realTimeFactor": times.real_time_factor,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<40} {:>9} {:>6} {:>15} {:>15} {:>9}",
            "", "right", "error", "CPU ms p50/p95", "wall ms p50/p95", "real time"
        )?;
        self.0.iter().try_for_each(|row| row.fmt(f))?;
        self.0.iter().try_for_each(|row| row.confusions(f))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = Times::of(&self.heard);
        let pair = |p50, p95| format!("{:.0} / {:.0}", millis(p50), millis(p95));
        writeln!(
            f,
            "{:<40} {:>9} {:>6.3} {:>15} {:>15} {:>9.3}",
            self.title,
            format!("{}/{}", self.right, self.all),
            1.0 - self.right as f64 / self.all as f64,
            pair(times.cpu_p50, times.cpu_p95),
            pair(times.wall_p50, times.wall_p95),
            times.real_time_factor,
        )
    }
}

/// The least number of words to change, leave out or add (Levenshtein).
fn errors(heard: &Heard) -> usize {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    distance(&words(&heard.said), &words(&heard.text))
}

#[derive(Default)]
struct Times {
    wall_p50: Duration,
    wall_p95: Duration,
    cpu_p50: Duration,
    cpu_p95: Duration,
    /// Processor time a second of audio.
    real_time_factor: f64,
}

impl Times {
    fn of(heard: &[Heard]) -> Self {
        let percentile = |part: usize, time: fn(&Heard) -> Duration| {
            let mut times: Vec<_> = heard.iter().map(time).collect();
            times.sort_unstable();
            times.get(times.len() * part / 100).copied().unwrap_or_default()
        };
        let audio: Duration = heard.iter().map(|heard| heard.audio).sum();
        let cpu: Duration = heard.iter().map(|heard| heard.cpu).sum();
        Self {
            wall_p50: percentile(50, |heard| heard.wall),
            wall_p95: percentile(95, |heard| heard.wall),
            cpu_p50: percentile(50, |heard| heard.cpu),
            cpu_p95: percentile(95, |heard| heard.cpu),
            real_time_factor: cpu.as_secs_f64() / audio.as_secs_f64().max(1e-9),
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn distance(said: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (at, word) in said.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in heard.iter().enumerate() {
            let changed = diagonal + usize::from(word != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
