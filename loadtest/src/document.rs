//! Reports to be read: a page with plots, and Markdown, made of what runs and sweeps have written.

mod html;
mod markdown;
mod plots;
mod summary;
mod svg;

pub use html::page;
pub use markdown::markdown;
pub use summary::summary;

use crate::report::Report;
use crate::sweep::Sweep;
use std::path::{Path, PathBuf};

/// What one file holds.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// The name of its file.
    pub name: String,
    /// What was measured.
    pub content: Content,
}

/// The two kinds of results.
#[derive(Clone, Debug)]
pub enum Content {
    /// Of `ringway-load run`.
    Run(Box<Report>),
    /// Of `ringway-load sweep`.
    Sweep(Sweep),
}

/// Why a file cannot be reported on.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not to be read.
    #[error("{path}: {error}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Something else is in it.
    #[error("{path}: not what `ringway-load run` or `sweep` writes with --json: {error}", path = .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
}

impl Chapter {
    /// Reads a file of results.
    ///
    /// # Errors
    /// It is not to be read, or holds something else.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| DocumentError::Read { path: path.to_owned(), error })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let content =
            Content::parse(&text).map_err(|error| DocumentError::Form { path: path.to_owned(), error })?;
        Ok(Self { name, content })
    }

    /// The runs in it, each with what became of it in a sweep.
    pub fn runs(&self) -> Vec<(&Report, String)> {
        match &self.content {
            Content::Run(report) => vec![(report, outcome_of(report))],
            Content::Sweep(sweep) => sweep.steps.iter().map(|step| (&step.report, step.outcome())).collect(),
        }
    }

    /// The run whose histogram and course are shown: of a sweep the one with the most calls that held.
    pub fn shown_run(&self) -> Option<&Report> {
        match &self.content {
            Content::Run(report) => Some(report),
            Content::Sweep(sweep) => sweep.best().or_else(|| sweep.steps.first()).map(|step| &step.report),
        }
    }

    /// Nothing was measured in any of its runs.
    pub fn is_empty(&self) -> bool {
        self.runs().iter().all(|(report, _)| report.is_empty())
    }

    /// It says something of the server: answers were measured, by a tester in time; of a sweep, a step held.
    pub fn counts(&self) -> bool {
        match &self.content {
            Content::Run(report) => !report.is_empty() && report.invalid.is_none(),
            Content::Sweep(sweep) => sweep.held.is_some(),
        }
    }

    /// What it says in one line.
    pub fn conclusion(&self) -> String {
        match &self.content {
            Content::Sweep(sweep) => sweep.conclusion(),
            Content::Run(report) if report.is_empty() => "No answer was measured.".to_owned(),
            Content::Run(report) => format!(
                "{}{} answers, p50 {} ms, p95 {} ms, p99.9 {} ms",
                if report.invalid.is_some() { "Invalid, the tester was late itself: " } else { "" },
                report.answer.count,
                crate::report::shown(report.answer.p50, 0),
                crate::report::shown(report.answer.p95, 0),
                crate::report::shown(report.answer.p999, 0)
            ),
        }
    }
}

impl Content {
    /// A sweep has steps, a run has none.
    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        if value.get("steps").is_some() {
            serde_json::from_value(value).map(Self::Sweep)
        } else {
            serde_json::from_value(value).map(|report| Self::Run(Box::new(report)))
        }
    }
}

fn outcome_of(report: &Report) -> String {
    let verdicts = [
        (report.is_empty(), "no answer"),
        (report.invalid.is_some(), "invalid: tester"),
        (report.server.died, "the server died"),
        (report.run.cut_short, "cut short"),
    ];
    let found: Vec<_> = verdicts.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
    if found.is_empty() { "measured".to_owned() } else { found.join(", ") }
}

#[cfg(test)]
mod tests;
