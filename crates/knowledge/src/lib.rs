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

mod adding;
mod config;
mod cutter;
mod document;
mod error;
mod fields;
mod file_to_read;
mod folding;
mod fusion;
#[doc(hidden)]
pub mod fuzz;
mod index;
mod informed;
mod language;
mod librarian;
mod meaning;
mod passage;
mod shelf;
mod tokens;
mod walk;
mod words;

pub use adding::{Prepared, prepare};
pub use config::{Config, Embeddings, When};
pub use cutter::cut;
pub use document::{Document, Kind, LARGEST_FILE, Section, read};
pub use error::{FileError, KnowledgeBaseError, ReadError};
pub use file_to_read::FileToRead;
pub use index::{About, Index, Source};
pub use informed::Informed;
pub use language::Language;
pub use librarian::{Counts, Librarian, SearchError};
pub use meaning::{EmbedError, Embedder, ModelError, SentenceModel};
pub use passage::Passage;
pub use shelf::{Found, Shelf};
pub use walk::{Walked, files_in};
