use crate::{Document, EmbedError, Embedder, Passage, cut};

/// A document, cut and embedded.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// Its name.
    pub source: String,
    /// Its passages, each with its embedding where there are any.
    pub passages: Vec<(Passage, Option<Vec<f32>>)>,
}

/// Cuts a document into passages and embeds them, some at a time; `told` hears how many more are done.
///
/// # Errors
/// The embedder failed: without embeddings some passages could not be found as others can.
pub async fn prepare(
    document: &Document,
    embedder: &Embedder,
    mut told: impl FnMut(usize),
) -> Result<Prepared, EmbedError> {
    let mut passages = Vec::new();
    for some in cut(document).chunks(AT_A_TIME) {
        let texts = some.iter().map(Passage::with_heading).collect();
        let mut vectors = embedder.embed(texts).await?.into_iter();
        passages.extend(some.iter().map(|passage| (passage.clone(), vectors.next())));
        told(some.len());
    }
    Ok(Prepared { source: document.source.clone(), passages })
}

/// Passages of one request to a service.
const AT_A_TIME: usize = 32;
