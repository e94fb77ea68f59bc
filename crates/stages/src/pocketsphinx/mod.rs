//! Speech to text by [PocketSphinx](https://github.com/cmusphinx/pocketsphinx), on threads of its own.
//!
//! Small and always there rather than good: it hears an expected word well and free speech half
//! (docs/internals/recogniser.md has the figures). So it decodes whole utterances, with a grammar of what the dialogue expects.
//!
//! ```text
//! segment ─► trimmed, 16 kHz, levelled ─► cepstra less the call's mean ─► grammar ─► text
//!                                                                      └─ no fit ─► free speech ─► text
//! ```

mod cepstra;
mod decoder;
mod dictionary;
mod engine;
mod grammar;
mod language;
mod model;
mod preparation;
mod recording;
mod session;
mod sys;
mod transcript;

pub use dictionary::Dictionary;
pub use model::{Model, ModelError};

use crate::pool::{self, Counters, EnginePool};
use crate::stt::{SpeechToText, SttCall, SttError, SttSession};
use engine::Engine;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How PocketSphinx is to listen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The model.
    pub model: Model,
    /// Threads, each with an engine of its own: 140 MB. Default 2.
    pub threads: NonZeroUsize,
    /// Segments of each urgency that may wait for a thread, of all calls; beyond it new ones are refused. Default 32.
    pub queue: usize,
    /// Grammars that each engine keeps compiled; the one that was not used for the longest time goes. Default 16.
    pub grammars: NonZeroUsize,
    /// Of free speech, the states of words that are followed at a time (`-maxhmmpf`): fewer is faster and hears worse.
    /// Default 3,000.
    pub max_hmms: u32,
    /// Of free speech, the words that may end at a time (`-maxwpf`). Default 10.
    pub max_words: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: Model::default(),
            threads: NonZeroUsize::new(2).expect("two is not zero"),
            queue: 32,
            grammars: NonZeroUsize::new(16).expect("sixteen is not zero"),
            max_hmms: 3_000,
            max_words: 10,
        }
    }
}

/// Of the commonest words of the language: as many as have the days and the months among them.
const OTHER_WORDS: usize = 2_500;

/// Speech to text by PocketSphinx.
#[derive(Debug)]
pub struct Pocketsphinx {
    pool: Arc<EnginePool<Engine>>,
    dropped: Arc<AtomicU64>,
}

/// It cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file of the model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An engine cannot be built.
    #[error(transparent)]
    Pool(#[from] pool::StartError),
}

impl From<ModelError> for SttError {
    fn from(ModelError { path, reason }: ModelError) -> Self {
        Self::Model { path, reason }
    }
}

impl Pocketsphinx {
    /// Checks the model's files and starts the threads, each with its engine.
    ///
    /// # Errors
    /// A file of the model is missing or another one than it should be, or the system gives no thread.
    pub fn start(config: Config) -> Result<Self, StartError> {
        config.model.check()?;
        let pool = pool::Config { threads: config.threads, queue: config.queue, ..pool::Config::default() };
        let others = language::commonest_words(&config.model.language, OTHER_WORDS)?;
        let engine = move || Engine::open(&config, &others).map_err(Into::into);
        let pool = Arc::new(EnginePool::start("pocketsphinx", pool, engine)?);
        Ok(Self { pool, dropped: Arc::default() })
    }

    /// What its threads do, for metrics.
    pub fn counters(&self) -> Counters {
        self.pool.counters()
    }

    /// Frames that were dropped since segments were too long.
    pub fn dropped_frames(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Ends its threads, within `bound`; whether they have ended.
    pub fn shut_down(&self, bound: Duration) -> bool {
        self.pool.shut_down(bound)
    }
}

impl SpeechToText for Pocketsphinx {
    fn name(&self) -> &str {
        "pocketsphinx"
    }

    fn slots(&self) -> Option<usize> {
        Some(self.pool.engines())
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(Box::new(session::Session::new(self.pool.clone(), self.dropped.clone(), call.format)))
    }
}
