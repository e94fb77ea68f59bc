use super::{Chapter, Content};
use crate::report::Report;
use serde::Serialize;

/// What one file says, for scripts: numbers that were not measured are null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary<'c> {
    file: &'c str,
    kind: &'static str,
    conclusion: String,
    /// It says something of the server.
    counts: bool,
    runs: Vec<Run<'c>>,
}

#[derive(Debug, Serialize)]
struct Run<'c> {
    outcome: String,
    #[serde(flatten)]
    report: &'c Report,
}

/// The whole report, a file after the other.
pub fn summary(chapters: &[Chapter]) -> Vec<Summary<'_>> {
    chapters.iter().map(Summary::of).collect()
}

impl<'c> Summary<'c> {
    fn of(chapter: &'c Chapter) -> Self {
        let kind = match chapter.content {
            Content::Run(_) => "run",
            Content::Sweep(_) => "sweep",
        };
        let runs = chapter.runs().into_iter().map(|(report, outcome)| Run { outcome, report }).collect();
        Self { file: &chapter.name, kind, conclusion: chapter.conclusion(), counts: chapter.counts(), runs }
    }
}
