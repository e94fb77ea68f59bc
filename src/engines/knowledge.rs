use ringway_config::{Config, Secrets};
use ringway_knowledge::{EmbedError, Embedder, KnowledgeBaseError, Librarian};

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
