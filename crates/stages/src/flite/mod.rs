//! The voices of [Flite](http://www.festvox.org/flite/), on threads of their own.
//!
//! Small and fast rather than beautiful: a clause takes a hundredth of the time that it lasts, and its first audio
//! comes after about 20 ms.

mod framer;
mod session;
mod speaking;
mod spelling;
mod sys;
mod voice;

pub use voice::VoiceName;

use crate::pool::{self, Counters, EnginePool, StartError};
use crate::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use voice::Voice;

/// How Flite is to speak.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The voice. Default `slt`, a clear female one.
    pub voice: VoiceName,
    /// How fast it speaks, 0.5 to 2. Default 1.
    pub speed: Speed,
    /// Threads, each with a voice of its own (a few hundred KB). Default 1: it keeps up with a hundred calls.
    pub threads: NonZeroUsize,
    /// Clauses that may wait for a thread, of all calls; beyond it new ones are refused. Default 64.
    pub queue: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { voice: VoiceName::Slt, speed: Speed(1.0), threads: NonZeroUsize::MIN, queue: 64 }
    }
}

/// A factor of the usual speed, between a half and two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Speed(f32);

/// Not a speed that can be understood.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a speed is between 0.5 and 2, not {0}")]
pub struct SpeedError(pub f32);

impl TryFrom<f32> for Speed {
    type Error = SpeedError;
    fn try_from(factor: f32) -> Result<Self, SpeedError> {
        if (0.5..=2.0).contains(&factor) { Ok(Self(factor)) } else { Err(SpeedError(factor)) }
    }
}

impl From<Speed> for f32 {
    fn from(speed: Speed) -> Self {
        speed.0
    }
}

/// Text to speech by Flite.
#[derive(Debug)]
pub struct Flite {
    pool: Arc<EnginePool<Voice>>,
}

impl Flite {
    /// Starts its threads, each with its voice.
    ///
    /// # Errors
    /// The system gives no thread or no memory.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let pool = pool::Config { threads: config.threads, queue: config.queue, ..pool::Config::default() };
        let voice = move || Voice::open(config.voice, config.speed).map_err(Into::into);
        Ok(Self { pool: Arc::new(EnginePool::start("flite", pool, voice)?) })
    }

    /// What its threads do, for metrics.
    pub fn counters(&self) -> Counters {
        self.pool.counters()
    }

    /// Ends its threads, within `bound`; whether they have ended.
    pub fn shut_down(&self, bound: Duration) -> bool {
        self.pool.shut_down(bound)
    }
}

impl TextToSpeech for Flite {
    fn name(&self) -> &str {
        "flite"
    }

    fn slots(&self) -> Option<usize> {
        Some(self.pool.engines())
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(session::Session::new(self.pool.clone(), call.format)))
    }
}
