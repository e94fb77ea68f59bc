//! In the place of the knowledge base, where a build has none: reading a configuration that names one is a mistake.

use ringway_config::{Config, Secrets};
use ringway_stages::llm::LanguageModel;
use ringway_tools::Knowledge;
use std::sync::Arc;

/// There is none.
#[derive(Clone, Debug)]
pub enum Librarian {}

/// There is none.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {}

pub(super) fn open(_: &Config, _: &Secrets) -> Result<Option<Librarian>, KnowledgeError> {
    Ok(None)
}

pub(super) fn behind_a_tool(librarian: &Librarian) -> Arc<dyn Knowledge> {
    match *librarian {}
}

pub(super) fn around(
    model: Arc<dyn LanguageModel>,
    _: Option<&Librarian>,
    _: &Config,
) -> Arc<dyn LanguageModel> {
    model
}

pub(super) fn report(_: Option<&Librarian>) {}
