use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake in a dialogue file; shown as `file:line: key: message`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The dotted path of the key, such as `state.day.choice[1].goto`; empty when it is about the whole file.
    pub key: String,
    /// What is wrong, and what to do about it where that is clear.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file.display(), self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// Where something stands in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) key: String,
}

impl Place {
    /// The same line, a key below.
    pub(super) fn below(&self, key: &str) -> Self {
        Self { line: self.line, key: format!("{}.{key}", self.key) }
    }
}

/// The mistakes of one file as they are found.
#[derive(Debug)]
pub(super) struct Problems {
    file: PathBuf,
    found: Vec<Diagnostic>,
}

impl Problems {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file, found: Vec::new() }
    }

    /// The file that they are in.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn report(&mut self, place: &Place, message: impl Into<String>) {
        let Place { line, key } = place.clone();
        self.found.push(Diagnostic { file: self.file.clone(), line, key, message: message.into() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, in the order of the file.
    pub(super) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}
