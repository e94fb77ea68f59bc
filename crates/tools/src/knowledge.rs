use std::future::Future;
use std::pin::Pin;

/// Something that knows passages of text.
pub trait Knowledge: Send + Sync + std::fmt::Debug {
    /// The passages nearest to a question, the nearest first, at most `most`.
    fn look_up(&self, question: String, most: usize) -> Finding;
}

/// A search under way.
pub type Finding = Pin<Box<dyn Future<Output = Result<Vec<Passage>, KnowledgeError>> + Send>>;

/// A piece of what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Where it comes from, as an answer may cite it.
    pub source: String,
    /// Its words.
    pub text: String,
}

/// Why nothing could be looked up.
#[derive(Debug, thiserror::Error)]
#[error("the knowledge base cannot be searched: {0}")]
pub struct KnowledgeError(pub String);
