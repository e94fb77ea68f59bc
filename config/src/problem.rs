use ringway_stages::secret::masked;
use std::fmt;
use std::path::PathBuf;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A line of a file, from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag of the command line.
    Flag {
        /// Its name, with the dashes.
        name: &'static str,
    },
}

/// One mistake, shown as `file:line: key: message`; one in the environment as `environment: VARIABLE: message`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it was made.
    pub origin: Origin,
    /// The dotted path of the key; empty when it is about the whole file.
    pub key: String,
    /// What is wrong, and what to do about it where that is clear.
    pub message: String,
}

impl Problem {
    /// The message in one line, whatever a parser's looks like, and without the secrets that a value may have held.
    pub fn told(&self) -> String {
        let line = self.message.split_whitespace().collect::<Vec<_>>().join(" ");
        masked(&line).into_owned()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => write!(f, "environment: {variable}"),
            Self::Flag { name } => write!(f, "flag: {name}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        // A variable and a flag are names already.
        if matches!(self.origin, Origin::File { .. }) && !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.told())
    }
}
