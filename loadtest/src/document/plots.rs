//! What is plotted of runs.

use super::svg::{Axis, Plot, escape};
use crate::report::{Percentiles, Report};
use crate::timeline::Second;
use std::fmt::Write;

/// Answers later than this are late in the objective that sweeps have by default.
const BUDGET_MS: f64 = 800.0;

type Percentile = (&'static str, &'static str, fn(&Percentiles) -> Option<f64>);

const PERCENTILES: [Percentile; 4] = [
    ("p50", "a", |times| times.p50),
    ("p95", "b", |times| times.p95),
    ("p99", "c", |times| times.p99),
    ("p99.9", "d", |times| times.p999),
];

type Fault = (&'static str, &'static str, fn(&Second) -> u64);

const FAULTS: [Fault; 4] = [
    ("underruns", "b", |second| second.underruns),
    ("missing", "c", |second| second.missing),
    ("refused", "d", |second| second.refused),
    ("errors", "e", |second| second.errors),
];

/// Answer percentiles against the number of calls; nothing for fewer than two numbers.
pub(super) fn latency(runs: &[&Report]) -> Option<String> {
    let most = runs.iter().filter_map(|run| run.answer.p999).fold(0.0, f64::max);
    let mut plot = Plot::new(calls_axis(runs)?, Axis::new("ms", 0.0, most));
    plot.bound(BUDGET_MS, "800 ms");
    for (name, class, of) in PERCENTILES {
        let points = sorted(runs, |run| of(&run.answer));
        plot.line(class, &places(&points));
        plot.dots(class, &told(points, |calls, ms| format!("{calls} calls: {name} {ms:.0} ms")));
    }
    void_dots(&mut plot, runs, "p95 ms", |run| run.answer.p95);
    let legend = legend(PERCENTILES.map(|(name, class, _)| (name, class)).as_slice()) + void_legend(runs);
    Some(figure("Time to answer against calls", &plot.finish("Answer percentiles against calls"), &legend))
}

/// CPU a call against the number of calls.
pub(super) fn cpu(runs: &[&Report]) -> Option<String> {
    let points = sorted(runs, |run| run.server.cpu_per_call);
    let most = runs.iter().filter_map(|run| run.server.cpu_per_call).fold(0.0, f64::max);
    if most == 0.0 {
        return None;
    }
    let mut plot = Plot::new(calls_axis(runs)?, Axis::new("% of a core a call", 0.0, most));
    plot.line("a", &places(&points));
    plot.dots("a", &told(points, |calls, cpu| format!("{calls} calls: {cpu:.3} % of a core a call")));
    void_dots(&mut plot, runs, "% of a core a call", |run| run.server.cpu_per_call);
    Some(figure("CPU a call against calls", &plot.finish("CPU a call against calls"), void_legend(runs)))
}

/// Runs that do not count, as hollow dots.
fn void_dots(plot: &mut Plot, runs: &[&Report], what: &str, of: impl Fn(&Report) -> Option<f64>) {
    let dot = |run: &Report| {
        let (calls, value) = (run.run.calls, of(run).filter(|value| value.is_finite())?);
        Some(((f64::from(calls), value), format!("{calls} calls: {value:.3} {what}, invalid: tester")))
    };
    let dots: Vec<_> = runs.iter().filter(|run| run.invalid.is_some()).filter_map(|run| dot(run)).collect();
    plot.dots("void", &dots);
}

fn void_legend(runs: &[&Report]) -> &'static str {
    if runs.iter().any(|run| run.invalid.is_some()) {
        r#"<span><i class="void"></i>invalid: the tester was late</span>"#
    } else {
        ""
    }
}

/// How often answers took how long.
pub(super) fn histogram(run: &Report) -> Option<String> {
    let buckets = &run.answer_histogram;
    let (first, last) = (buckets.first()?, buckets.last()?);
    let most = buckets.iter().map(|bucket| bucket.count).max()? as f64;
    let from = (first.from as f64 - 50.0).max(0.0);
    let mut plot = Plot::new(Axis::new("ms", from, last.to as f64 + 10.0), Axis::new("answers", 0.0, most));
    for bucket in buckets {
        let about = format!("{} to {} ms: {}", bucket.from, bucket.to, bucket.count);
        plot.bar("a", bucket.from as f64, bucket.to as f64, bucket.count as f64, &about);
    }
    Some(figure("Answers by their time", &plot.finish("Histogram of the time to answer"), ""))
}

/// Answers and faults over the time of the run.
pub(super) fn timeline(run: &Report) -> Option<String> {
    let course = &run.timeline;
    let end = course.last()?.at;
    let most = course.iter().filter_map(|second| second.max).fold(0.0, f64::max);
    let mut plot = Plot::new(Axis::new("s", 0.0, end), Axis::new("ms", 0.0, most));
    let faults_of = |second: &Second| FAULTS.map(|(_, _, of)| of(second)).into_iter().sum::<u64>();
    for second in course.iter().filter(|second| faults_of(second) > 0) {
        mark_faults(&mut plot, second);
    }
    let points = |of: fn(&Second) -> Option<f64>| -> Vec<(f64, f64)> {
        course.iter().filter_map(|second| Some((second.at, of(second)?))).collect()
    };
    plot.line("a", &points(|second| second.p50));
    let about = |(at, ms): (f64, f64)| ((at, ms), format!("second {at:.0}: longest {ms:.0} ms"));
    plot.dots("f", &points(|second| second.max).into_iter().map(about).collect::<Vec<_>>());
    let legend = legend(&[
        ("median of the second", "a"),
        ("longest", "f"),
        ("underruns", "b"),
        ("missing", "c"),
        ("refused", "d"),
        ("errors", "e"),
    ]);
    Some(figure(
        "Answers and faults in the course of the run",
        &plot.finish("Answers and faults over time"),
        &legend,
    ))
}

/// One bar for the gravest that happened in a second.
fn mark_faults(plot: &mut Plot, second: &Second) {
    let mut happened = FAULTS.into_iter().filter(|(_, _, of)| of(second) > 0);
    let about: Vec<_> = happened.clone().map(|(name, _, of)| format!("{} {name}", of(second))).collect();
    if let Some((_, class, _)) = happened.next_back() {
        let about = format!("second {:.0}: {}", second.at, about.join(", "));
        plot.bar(class, second.at - 1.0, second.at, f64::MAX, &about);
    }
}

/// `None` for fewer than two numbers of calls, against which nothing can be plotted.
fn calls_axis(runs: &[&Report]) -> Option<Axis> {
    let calls = runs.iter().map(|run| run.run.calls);
    let (least, most) = (calls.clone().min()?, calls.max()?);
    (least < most).then(|| Axis::new("calls", 0.0, f64::from(most)))
}

/// Points `(calls, value)` in the order of calls; of runs with as many calls the mean. Invalid runs are left out.
fn sorted(runs: &[&Report], of: impl Fn(&Report) -> Option<f64>) -> Vec<(u32, f64)> {
    let mut points = std::collections::BTreeMap::<u32, Vec<f64>>::new();
    for run in runs.iter().filter(|run| run.invalid.is_none()) {
        points.entry(run.run.calls).or_default().extend(of(run).filter(|value| value.is_finite()));
    }
    let mean = |(calls, values): (u32, Vec<f64>)| {
        (!values.is_empty()).then(|| (calls, values.iter().sum::<f64>() / values.len() as f64))
    };
    points.into_iter().filter_map(mean).collect()
}

fn places(points: &[(u32, f64)]) -> Vec<(f64, f64)> {
    points.iter().map(|(calls, value)| (f64::from(*calls), *value)).collect()
}

fn told(points: Vec<(u32, f64)>, about: impl Fn(u32, f64) -> String) -> Vec<((f64, f64), String)> {
    let tell = |(calls, value)| ((f64::from(calls), value), about(calls, value));
    points.into_iter().map(tell).collect()
}

fn legend(entries: &[(&str, &str)]) -> String {
    entries.iter().fold(String::new(), |mut all, (name, class)| {
        write!(all, r#"<span><i class="{class}"></i>{}</span> "#, escape(name)).expect("a string takes all");
        all
    })
}

fn figure(title: &str, svg: &str, legend: &str) -> String {
    format!("<figure><figcaption><b>{title}</b> {legend}</figcaption>{svg}</figure>\n")
}
