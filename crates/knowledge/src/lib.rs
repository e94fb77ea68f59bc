//! A knowledge base: documents, cut into passages, that are found by their words and by their meaning.
//!
//! ```text
//! file ─ document ─► sections ─ cutter ─► passages ─┬─ words (tantivy, BM25) ──┐
//!                                                   └─ meaning (embeddings) ───┴─ index ─► shelf ─ fusion ─► finds
//! ```
//!
//! An [`Index`] is a folder that `ringway kb` writes and a server reads; a [`Shelf`] is its present state in memory.
//! A [`Librarian`] answers questions from it beside the media cores: as the [`Knowledge`] of a tool that a language model
//! calls, or, as [`Informed`], with every request. `docs/start/knowledge.md` tells how it is used.
//!
//! [`Knowledge`]: ringway_tools::Knowledge
#![forbid(unsafe_code)]

#[cfg(feature = "index")]
mod adding;
mod config;
#[cfg(feature = "index")]
mod cutter;
#[cfg(feature = "index")]
mod document;
#[cfg(feature = "index")]
mod error;
#[cfg(feature = "index")]
mod fields;
#[cfg(feature = "index")]
mod file_to_read;
#[cfg(feature = "index")]
mod folding;
#[cfg(feature = "index")]
mod fusion;
#[cfg(feature = "index")]
#[doc(hidden)]
pub mod fuzz;
#[cfg(feature = "index")]
mod index;
#[cfg(feature = "index")]
mod informed;
mod language;
#[cfg(feature = "index")]
mod librarian;
#[cfg(feature = "index")]
mod meaning;
#[cfg(feature = "index")]
mod passage;
#[cfg(feature = "index")]
mod shelf;
#[cfg(feature = "index")]
mod tokens;
#[cfg(feature = "index")]
mod walk;
#[cfg(feature = "index")]
mod words;

#[cfg(feature = "index")]
pub use adding::{Prepared, prepare};
pub use config::{Config, Embeddings, When};
#[cfg(feature = "index")]
pub use cutter::cut;
#[cfg(feature = "index")]
pub use document::{Document, Kind, LARGEST_FILE, Section, read};
#[cfg(feature = "index")]
pub use error::{FileError, KnowledgeBaseError, ReadError};
#[cfg(feature = "index")]
pub use file_to_read::FileToRead;
#[cfg(feature = "index")]
pub use index::{About, Index, Source};
#[cfg(feature = "index")]
pub use informed::Informed;
pub use language::Language;
#[cfg(feature = "index")]
pub use librarian::{Counts, Librarian, SearchError};
#[cfg(feature = "index")]
pub use meaning::{EmbedError, Embedder, ModelError, SentenceModel};
#[cfg(feature = "index")]
pub use passage::Passage;
#[cfg(feature = "index")]
pub use shelf::{Found, Shelf};
#[cfg(feature = "index")]
pub use walk::{Walked, files_in};
