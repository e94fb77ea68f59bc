//! The knowledge base, around language models and behind the tool that looks into it.

pub use ringway_knowledge::Librarian;

use metrics::counter;
use ringway_config::{Config, Secrets};
use ringway_knowledge::{EmbedError, Embedder, Informed, KnowledgeBaseError, When};
use ringway_stages::llm::LanguageModel;
use ringway_tools::Knowledge;
use std::sync::Arc;

/// Why the knowledge base cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnowledgeError {
    /// The index.
    #[error(transparent)]
    Index(#[from] KnowledgeBaseError),
    /// What finds passages by their meaning.
    #[error(transparent)]
    Embedder(#[from] EmbedError),
}

/// The knowledge base of the configuration, where there is one.
pub(super) fn open(config: &Config, secrets: &Secrets) -> Result<Option<Librarian>, KnowledgeError> {
    let Some(index) = &config.knowledge.index else { return Ok(None) };
    let key = secrets.api_key(&config.knowledge.service.key);
    // One thread: those of a pool would take the media cores.
    let embedder = Embedder::new(&config.knowledge, &config.vad.library, 1, key.as_ref())?;
    Ok(Some(Librarian::open(index, &config.knowledge, embedder)?))
}

/// What the tool asks.
pub(super) fn behind_a_tool(librarian: &Librarian) -> Arc<dyn Knowledge> {
    Arc::new(librarian.clone())
}

/// The model, with what is known beside each turn where that is configured.
pub(super) fn around(
    model: Arc<dyn LanguageModel>,
    librarian: Option<&Librarian>,
    config: &Config,
) -> Arc<dyn LanguageModel> {
    match librarian {
        Some(librarian) if config.knowledge.when == When::Turn => {
            Arc::new(Informed::new(model, Arc::new(librarian.clone()), &config.knowledge))
        }
        _ => model,
    }
}

/// Writes what was searched into the metrics.
pub(super) fn report(librarian: Option<&Librarian>) {
    let now = librarian.map(Librarian::counts).unwrap_or_default();
    counter!("ringway_knowledge_searches_total").absolute(now.searches);
    counter!("ringway_knowledge_words_only_total").absolute(now.by_words_only);
    counter!("ringway_knowledge_refused_total").absolute(now.refused);
}
