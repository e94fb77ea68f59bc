use super::svg::escape;
use super::{Chapter, plots};
use crate::report::{Report, shown};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// The names of the columns of the table, and what stands in them.
type Column = (&'static str, fn(&Report) -> String);

/// What is known of each run.
pub(super) const COLUMNS: [Column; 16] = [
    ("calls", |run| run.run.calls.to_string()),
    ("answers", |run| run.answer.count.to_string()),
    ("p50 ms", |run| shown(run.answer.p50, 0)),
    ("p90 ms", |run| shown(run.answer.p90, 0)),
    ("p95 ms", |run| shown(run.answer.p95, 0)),
    ("p99 ms", |run| shown(run.answer.p99, 0)),
    ("p99.9 ms", |run| shown(run.answer.p999, 0)),
    ("max ms", |run| shown(run.answer.max, 0)),
    ("barge-in p95 ms", |run| shown(run.barge_in.p95, 0)),
    ("underruns", |run| run.underruns.to_string()),
    ("missing", |run| run.missing.to_string()),
    ("refused", |run| run.refused.to_string()),
    ("errors", |run| run.errors.to_string()),
    ("CPU % a call", |run| shown(run.server.cpu_per_call, 3)),
    ("KiB a call", |run| shown(run.server.rss_per_call, 0)),
    ("tester late p99 ms", |run| shown(run.tester.lateness_p99, 1)),
];

/// A page that needs nothing from anywhere: no script, no font, no picture.
pub fn page(chapters: &[Chapter]) -> String {
    let mut body = String::new();
    if let Some(all) = comparison(chapters) {
        body += &all;
    }
    chapters.iter().for_each(|chapter| body += &section(chapter));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Load test</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>Load test</h1>\n{body}</body>\n</html>\n"
    )
}

/// Plots over the runs of several files.
fn comparison(chapters: &[Chapter]) -> Option<String> {
    if chapters.len() < 2 {
        return None;
    }
    let runs: Vec<_> = chapters.iter().flat_map(Chapter::runs).map(|(run, _)| run).collect();
    let plots: Vec<_> = [plots::latency(&runs), plots::cpu(&runs)].into_iter().flatten().collect();
    (!plots.is_empty())
        .then(|| format!("<h2>All runs</h2>\n<div class=\"plots\">\n{}</div>\n", plots.concat()))
}

fn section(chapter: &Chapter) -> String {
    let runs: Vec<_> = chapter.runs().into_iter().map(|(run, _)| run).collect();
    let shown = chapter.shown_run();
    let plots = [
        plots::latency(&runs),
        plots::cpu(&runs),
        shown.and_then(plots::histogram),
        shown.and_then(plots::timeline),
    ];
    let bad = if chapter.counts() { "" } else { " bad" };
    let mut html = format!("<h2>{}</h2>\n", escape(&chapter.name));
    if let Some(run) = shown {
        writeln!(html, "<p class=\"about\">{}</p>", escape(&about(run))).expect("a string takes all");
    }
    html += &format!("<p class=\"result{bad}\">{}</p>\n", escape(&chapter.conclusion()));
    html += &format!("<div class=\"plots\">\n{}</div>\n", plots.into_iter().flatten().collect::<String>());
    html += &table(chapter);
    html += &faults(&runs);
    html
}

/// What was run.
pub(super) fn about(run: &Report) -> String {
    let setting = &run.run;
    let seconds = setting.duration_s;
    format!(
        "{}, {} {}, scenario {}, {seconds:.0} s, seed {}",
        setting.url, setting.protocol, setting.codec, setting.scenario, setting.seed
    )
}

fn table(chapter: &Chapter) -> String {
    let cells = |tag: &str, cells: Vec<String>| {
        cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect::<String>()
    };
    // Calls, what became of them, and the rest: on a narrow screen the first columns are seen.
    let row = |outcome: String, of: &dyn Fn(&Column) -> String| {
        let mut row: Vec<_> = COLUMNS.iter().map(of).collect();
        row.insert(1, outcome);
        row
    };
    let names = row("".to_owned(), &|(name, _)| (*name).to_owned());
    let rows: String = chapter
        .runs()
        .into_iter()
        .map(|(run, outcome)| format!("<tr>{}</tr>\n", cells("td", row(outcome, &|(_, of)| of(run)))))
        .collect();
    format!("<div class=\"wide\"><table>\n<tr>{}</tr>\n{rows}</table></div>\n", cells("th", names))
}

/// How calls were refused or failed, in words.
fn faults(runs: &[&Report]) -> String {
    let items: String = runs
        .iter()
        .flat_map(|run| {
            run.refusals
                .iter()
                .map(move |fault| (run.run.calls, fault))
                .chain(run.failures.iter().map(move |fault| (run.run.calls, fault)))
        })
        .map(|(calls, (what, count))| format!("<li>at {calls} calls: {} ({count})</li>\n", escape(what)))
        .collect();
    if items.is_empty() { items } else { format!("<ul class=\"bad\">\n{items}</ul>\n") }
}
