use super::normal;
use super::sentence::{ModelError, SentenceModel};
use crate::{Config, Embeddings};
use ringway_stages::services::{ApiKey, ServiceError, SetupError, embeddings};
use std::path::Path;
use std::sync::Arc;

/// What makes embeddings, as it is configured.
#[derive(Clone, Debug)]
pub enum Embedder {
    /// Nothing: passages are found by their words.
    None,
    /// The embedded model.
    Model(Arc<SentenceModel>),
    /// A service.
    Service(embeddings::Embeddings),
}

/// Why there are no embeddings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Connections to the service cannot even be tried.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The service failed.
    #[error("the embeddings service: {0}")]
    Service(#[from] ServiceError),
    /// The service's embedding is no direction in space.
    #[error("the embeddings service: an embedding of zeros")]
    Nothing,
    /// The thread that embedded is gone.
    #[error("embedding was broken off")]
    Gone,
}

impl Embedder {
    /// As the configuration has it. `library` is ONNX Runtime, of which a model takes `threads` threads; the key is the
    /// service's. Connections are set up on the present runtime.
    ///
    /// # Errors
    /// The model or the service cannot be used.
    pub fn new(
        config: &Config,
        library: &Path,
        threads: usize,
        key: Option<&ApiKey>,
    ) -> Result<Self, EmbedError> {
        match config.embeddings {
            Embeddings::None => Ok(Self::None),
            Embeddings::Model => {
                Ok(Self::Model(Arc::new(SentenceModel::load(library, &config.model, threads)?)))
            }
            Embeddings::Service => Ok(Self::Service(embeddings::Embeddings::new(&config.service, key)?)),
        }
    }

    /// Its name, which an index keeps: embeddings of different models do not mix.
    pub fn name(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Model(_) => "all-MiniLM-L6-v2".into(),
            Self::Service(service) => service.model().to_owned(),
        }
    }

    /// The embeddings of these texts, each of the length 1, in their order; none without an embedder.
    ///
    /// # Errors
    /// The model or the service failed.
    pub async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Model(model) => {
                let model = model.clone();
                let embed = move || texts.iter().map(|text| model.embed(text)).collect::<Result<Vec<_>, _>>();
                Ok(tokio::task::spawn_blocking(embed).await.map_err(|_| EmbedError::Gone)??)
            }
            Self::Service(service) => {
                let vectors = service.embed(&texts).await?;
                vectors.into_iter().map(|vector| normal(vector).ok_or(EmbedError::Nothing)).collect()
            }
        }
    }
}
