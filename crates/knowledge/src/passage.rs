/// A piece of a document, small enough to be read out of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Passage {
    /// The document.
    pub source: String,
    /// The headings above it, the highest first, separated by `>`; may be empty.
    pub heading: String,
    /// Its words.
    pub text: String,
}

impl Passage {
    /// How an answer, or the trace, names it.
    pub fn cited(&self) -> String {
        match self.heading.as_str() {
            "" => self.source.clone(),
            heading => format!("{}, {heading}", self.source),
        }
    }

    /// What is embedded: a passage often leaves to its heading what it is about.
    pub fn with_heading(&self) -> String {
        match self.heading.as_str() {
            "" => self.text.clone(),
            heading => format!("{heading}\n{}", self.text),
        }
    }
}
