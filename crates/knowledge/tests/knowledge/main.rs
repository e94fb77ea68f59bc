//! Documents in, passages out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpora;
mod cutting;
mod documents;
mod embeddings;
mod index;
mod informed;
mod librarian;
mod meaning;
mod support;
mod words;
