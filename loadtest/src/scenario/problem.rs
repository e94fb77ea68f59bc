use std::fmt;
use std::path::{Path, PathBuf};

/// All mistakes in one scenario; each is shown as `file:line: message`.
#[derive(Clone, Debug)]
pub struct Problems {
    file: PathBuf,
    /// Where each line begins.
    lines: Vec<usize>,
    found: Vec<(usize, String)>,
}

impl Problems {
    /// None yet.
    pub(super) fn new(file: &Path, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { file: file.to_owned(), lines: std::iter::once(0).chain(breaks).collect(), found: Vec::new() }
    }

    /// Something is wrong at this byte.
    pub(super) fn report(&mut self, at: usize, message: impl Into<String>) {
        let line = self.lines.partition_point(|start| *start <= at);
        self.found.push((line, message.into()));
    }

    /// Nothing is wrong.
    pub(super) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// In the order of the file.
    pub(super) fn sorted(mut self) -> Self {
        self.found.sort();
        self.found.dedup();
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (line, message)) in self.found.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}:{line}: {message}", self.file.display())?;
        }
        Ok(())
    }
}
