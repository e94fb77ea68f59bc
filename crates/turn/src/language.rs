use serde::{Deserialize, Serialize};

/// A language that a call can be in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// Its code, by which recogniser and voice are chosen.
    pub code: String,
    /// Its name, as a model is told.
    pub name: String,
    /// What is said in it while an answer takes long, in place of [`Config::filler`](crate::Config::filler).
    pub filler: String,
}
