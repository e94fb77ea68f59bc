use super::{FAILED, MISTAKEN, fail, json, write_whole};
use crate::document::{Chapter, markdown, page, summary};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `ringway-load report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// What `run` and `sweep` wrote with --json.
    #[arg(required = true, value_name = "FILE.json")]
    files: Vec<PathBuf>,
    /// Writes a page with plots, complete in one file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes Markdown; without any option it is printed.
    #[arg(long, value_name = "FILE")]
    md: Option<PathBuf>,
    /// Writes JSON: each file's verdict and its runs; `-` prints it.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl ReportArgs {
    /// Exit 0: written; 1: not to be written, or nothing was measured; 2: files that are no results.
    pub fn run(self) -> ExitCode {
        let (chapters, errors): (Vec<_>, Vec<_>) =
            self.files.iter().map(|file| Chapter::read(file)).partition(Result::is_ok);
        let errors: Vec<_> = errors.into_iter().filter_map(Result::err).collect();
        errors.iter().for_each(|error| eprintln!("ringway-load: {error}"));
        if !errors.is_empty() {
            return ExitCode::from(MISTAKEN);
        }
        let chapters: Vec<_> = chapters.into_iter().filter_map(Result::ok).collect();
        if let Err(error) = self.write(&chapters) {
            return fail(&error, FAILED);
        }
        if chapters.iter().all(Chapter::is_empty) {
            return fail(&"no answer was measured", FAILED);
        }
        ExitCode::SUCCESS
    }

    fn write(&self, chapters: &[Chapter]) -> std::io::Result<()> {
        if let Some(path) = &self.html {
            write_whole(path, &page(chapters))?;
        }
        match &self.md {
            Some(path) => write_whole(path, &markdown(chapters))?,
            None if self.html.is_none() && self.json.is_none() => print!("{}", markdown(chapters)),
            None => {}
        }
        match &self.json {
            Some(path) if path == Path::new("-") => print!("{}", json(&summary(chapters))),
            Some(path) => write_whole(path, &json(&summary(chapters)))?,
            None => {}
        }
        Ok(())
    }
}
