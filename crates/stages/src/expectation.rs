//! What the dialogue expects the caller to say next.

/// What the dialogue expects next: it makes a grammar for a recogniser, and tells whether a transcript answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Phrases that answer, in lower case and without punctuation. Empty: anything may be said.
    pub phrases: Vec<String>,
    /// That many digits, spoken or keyed, answer.
    pub digits: Option<std::ops::RangeInclusive<u8>>,
    /// Anything else may be said too: a recogniser should not force its result onto the phrases.
    pub open: bool,
}

impl Expectation {
    /// Anything may be said.
    pub fn anything() -> Self {
        Self { open: true, ..Self::default() }
    }
}
