use crate::{Config, EmbedError, Embedder, Found, Index, KnowledgeBaseError, Shelf};
use ringway_tools::{Finding, Knowledge, KnowledgeError, Passage};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, TryAcquireError};

/// Answers questions from an index, beside the media cores: a search runs on a thread of the control runtime that may
/// block, so many at a time and no more.
#[derive(Clone, Debug)]
pub struct Librarian(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    index: Index,
    embedder: Embedder,
    likeness: f32,
    /// The present state of the index. Locked for a pointer's copy only.
    shelf: RwLock<Dated>,
    places: Arc<Semaphore>,
    control: Handle,
    counters: Counters,
}

#[derive(Clone, Debug)]
struct Dated {
    shelf: Arc<Shelf>,
    /// When the index had been changed.
    changed: Option<SystemTime>,
}

#[derive(Debug, Default)]
struct Counters {
    searches: AtomicU64,
    by_words_only: AtomicU64,
    refused: AtomicU64,
    loads: AtomicU64,
}

/// What has been counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Searches that were begun.
    pub searches: u64,
    /// Searches by words alone because the question could not be embedded.
    pub by_words_only: u64,
    /// Questions that were refused because too many were under way.
    pub refused: u64,
    /// Times that the index was read: once, and after each change.
    pub loads: u64,
}

impl Librarian {
    /// Opens the index in this folder; searches run on the present runtime.
    ///
    /// # Errors
    /// There is none, it is damaged, or was made with another embedder.
    pub fn open(dir: &Path, config: &Config, embedder: Embedder) -> Result<Self, KnowledgeBaseError> {
        let index = Index::open(dir)?;
        index.fits(&embedder)?;
        let changed = index.changed();
        let shelf = Arc::new(index.shelf()?);
        Ok(Self(Arc::new(Inner {
            dir: dir.to_owned(),
            index,
            embedder,
            likeness: config.likeness,
            shelf: RwLock::new(Dated { shelf, changed }),
            places: Arc::new(Semaphore::new(config.searches)),
            control: Handle::current(),
            counters: Counters { loads: 1.into(), ..Counters::default() },
        })))
    }

    /// The passages nearest to a question, the nearest first, at most `most`.
    ///
    /// # Errors
    /// Too many searches are under way, or the index is damaged.
    pub async fn search(&self, question: String, most: usize) -> Result<Vec<Found>, SearchError> {
        let inner = &self.0;
        let place = inner.places.clone().try_acquire_owned().map_err(|error| inner.refuse(&error))?;
        Counters::count(&inner.counters.searches);
        let meaning = self.meaning(&question).await;
        let inner = inner.clone();
        let search = move || {
            let _place = place;
            let shelf = inner.shelf();
            let found = shelf.search(&question, meaning.as_deref(), most, inner.likeness);
            found.map_err(|error| SearchError::Damaged { dir: inner.dir.clone(), reason: error.to_string() })
        };
        tokio::task::spawn_blocking(search).await.map_err(|_| SearchError::Gone)?
    }

    /// What has been counted.
    pub fn counts(&self) -> Counts {
        let Counters { searches, by_words_only, refused, loads } = &self.0.counters;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (searches, by_words_only) = (count(searches), count(by_words_only));
        Counts { searches, by_words_only, refused: count(refused), loads: count(loads) }
    }

    /// A question that cannot be embedded is still searched by its words.
    async fn meaning(&self, question: &str) -> Option<Vec<f32>> {
        let Inner { embedder, counters, .. } = &*self.0;
        match embedder.embed(vec![question.to_owned()]).await {
            Ok(mut vectors) => vectors.pop(),
            Err(error) => {
                Counters::count(&counters.by_words_only);
                warn(&error);
                None
            }
        }
    }
}

/// Why a search failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The bound of `knowledge.searches`.
    #[error("too many searches are under way")]
    Busy,
    /// The index cannot be read any more.
    #[error("the knowledge base in {} is damaged: {reason}", dir.display())]
    Damaged {
        /// Its folder.
        dir: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Its thread is gone.
    #[error("the search was broken off")]
    Gone,
}

impl Knowledge for Librarian {
    fn look_up(&self, question: String, most: usize) -> Finding {
        let librarian = self.clone();
        // Whoever waits for it need not be on a runtime that can block.
        let search = self.0.control.spawn(async move { librarian.search(question, most).await });
        Box::pin(async move {
            let found = search.await.unwrap_or(Err(SearchError::Gone));
            let found = found.map_err(|error| KnowledgeError(error.to_string()))?;
            let told = |found: Found| Passage { source: found.passage.cited(), text: found.passage.text };
            Ok(found.into_iter().map(told).collect())
        })
    }
}

impl Inner {
    fn refuse(&self, _: &TryAcquireError) -> SearchError {
        Counters::count(&self.counters.refused);
        SearchError::Busy
    }

    /// The present state: `ringway kb` may have changed the index since.
    fn shelf(&self) -> Arc<Shelf> {
        let dated = self.shelf.read().unwrap_or_else(PoisonError::into_inner).clone();
        let changed = self.index.changed();
        if dated.changed == changed {
            return dated.shelf;
        }
        match self.index.shelf() {
            Ok(shelf) => {
                Counters::count(&self.counters.loads);
                let dated = Dated { shelf: Arc::new(shelf), changed };
                *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = dated.clone();
                dated.shelf
            }
            // What was read before still answers.
            Err(error) => {
                tracing::warn!(%error, "the changed knowledge base cannot be read");
                dated.shelf
            }
        }
    }
}

impl Counters {
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn warn(error: &EmbedError) {
    tracing::warn!(%error, "a question is searched by its words alone");
}
