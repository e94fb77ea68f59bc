use super::Language;
use std::time::Duration;

/// A tool began or ended. Results are not told, and arguments only where that is configured, since secrets may be among
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolNews {
    /// It was called.
    Began {
        /// Its name.
        tool: String,
        /// What is said when it is slow.
        filler: Option<Filler>,
    },
    /// It has said something, or failed.
    Ended {
        /// Its name.
        tool: String,
        /// Length of its arguments.
        bytes: usize,
        /// How.
        outcome: Outcome,
        /// From its call.
        after: Duration,
        /// Tokens of the call and of what it said, as they are weighed.
        tokens: u32,
        /// Its arguments, cut to [`SHOWN`]; only where that is configured.
        arguments: Option<String>,
    },
    /// This is known of the call from now on.
    Slot {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// These keys are to be pressed on the caller's line.
    Keys {
        /// Digits, `*`, `#`, and `A` to `D`.
        keys: String,
    },
    /// The model was given these passages of the knowledge base; as an answer may cite them.
    Cited {
        /// Source and heading of each.
        passages: Vec<String>,
    },
    /// The call is to go on in this language.
    Language(Language),
}

/// Words that bridge the wait for a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filler {
    /// How long the caller hears nothing before.
    pub after: Duration,
    /// The words.
    pub words: String,
}

/// How a tool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Done,
    /// With an error of its own.
    Failed,
    /// It was not called: there is no such tool, or the arguments are none that it takes.
    Refused,
    /// It took too long.
    Late,
    /// The caller went on, and it was dropped.
    Cancelled,
}

/// Bytes of arguments that are told.
pub const SHOWN: usize = 1_000;
