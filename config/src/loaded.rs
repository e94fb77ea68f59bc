use crate::problem::{Origin, Problem};
use crate::setting::Settings;
use crate::{Config, Secrets};
use std::path::PathBuf;

/// Configuration that makes sense.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The file that was read.
    pub file: PathBuf,
    /// The values.
    pub config: Config,
    /// What only the environment knows.
    pub secrets: Secrets,
    /// What was ignored, and why.
    pub warnings: Vec<Problem>,
    /// What was set, and where; all else has its default.
    pub provenance: Settings,
}

impl Loaded {
    /// A problem with what this key says, where it was set; a default is blamed on the file's first line: there it can be
    /// changed.
    pub fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        let origin = self.provenance.origin(key).cloned();
        let origin = origin.unwrap_or_else(|| Origin::File { path: self.file.clone(), line: 1 });
        Problem { origin, key: key.to_owned(), message: message.into() }
    }
}
