use super::*;
use crate::report::{Server, tests::report};
use crate::sweep::{Ended, Step};
use crate::tally::Tally;
use crate::timeline::Second;
use std::time::Duration;

fn run(calls: u32, answer_ms: u64) -> Report {
    let fill = |tally: &mut Tally| {
        (0..50).for_each(|n| tally.answered(Duration::from_millis(answer_ms + n)));
        tally.error("<script>alert(1)</script>".into());
    };
    let mut report = report(fill, Server { cpu_per_call: Some(0.1), ..Server::default() });
    report.run.calls = calls;
    let second =
        |at| Second { at, answers: 1, p50: Some(300.0), max: Some(400.0), errors: 1, ..Second::default() };
    report.timeline = vec![second(1.0), second(2.0)];
    report
}

fn chapter(content: Content) -> Chapter {
    Chapter { name: "run.json".into(), content }
}

fn sweep(runs: Vec<Report>) -> Content {
    let steps =
        runs.into_iter().map(|run| Step::judge(run, &["answer.p95 > 800ms".parse().unwrap()])).collect();
    Content::Sweep(Sweep::new(&[], 1, steps, Ended::Broke))
}

#[test]
fn a_page_needs_nothing_from_anywhere() {
    let html = page(&[
        chapter(sweep(vec![run(100, 300), run(200, 900)])),
        chapter(Content::Run(run(50, 300).into())),
    ]);
    for foreign in ["<script", "src=", "@import", "url(", "<link"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    assert_eq!(html.matches("<svg").count(), 2 + 4 + 2);
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    assert!(html.contains("calls a core: 100") && html.contains("prefers-color-scheme: dark"));
}

#[test]
fn results_of_nothing_are_no_success() {
    let nothing = chapter(Content::Run(report(|_| {}, Server::default()).into()));
    assert!(nothing.is_empty());
    let html = page(std::slice::from_ref(&nothing));
    assert!(
        html.contains(r#"<p class="result bad">No answer was measured."#) && !html.contains("NaN"),
        "{html}"
    );
    assert!(markdown(&[nothing]).contains("| no answer |"));
    let unswept = chapter(sweep(Vec::new()));
    assert!(unswept.is_empty() && page(&[unswept]).contains("not measured, no step held"));
}

#[test]
fn markdown_has_a_row_for_each_run() {
    let text = markdown(&[chapter(sweep(vec![run(100, 300), run(200, 900)]))]);
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 4, "{text}");
    let columns = rows[0].matches('|').count();
    assert!(rows.iter().all(|row| row.matches('|').count() == columns), "{text}");
    assert!(rows[2].ends_with("| held |") && rows[3].ends_with("| broke: answer.p95 > 800ms |"), "{text}");
}

#[test]
fn both_kinds_of_files_are_told_apart() {
    let parsed = |content: &Content| match content {
        Content::Run(run) => Content::parse(&serde_json::to_string(run).unwrap()),
        Content::Sweep(sweep) => Content::parse(&serde_json::to_string(sweep).unwrap()),
    };
    assert!(matches!(parsed(&sweep(vec![run(100, 300)])), Ok(Content::Sweep(_))));
    assert!(matches!(parsed(&Content::Run(run(1, 300).into())), Ok(Content::Run(_))));
    for wrong in ["", "{}", "[]", r#"{"steps": 3}"#] {
        assert!(Content::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Chapter::read(Path::new("/nowhere/run.json")).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/run.json: "), "{error}");
}

#[test]
fn json_tells_each_files_verdict_and_its_runs() {
    let nothing = Content::Run(report(|_| {}, Server::default()).into());
    let chapters = [chapter(sweep(vec![run(100, 300), run(200, 900)])), chapter(nothing)];
    let json = serde_json::to_value(summary(&chapters)).unwrap();
    assert_eq!((&json[0]["kind"], &json[0]["counts"]), (&"sweep".into(), &true.into()));
    assert_eq!(json[0]["runs"][1]["run"]["calls"], 200);
    assert_eq!(json[0]["runs"][1]["outcome"], chapters[0].runs()[1].1);
    assert_eq!(
        (&json[1]["counts"], &json[1]["runs"][0]["answer"]["p50"]),
        (&false.into(), &serde_json::Value::Null)
    );
}
