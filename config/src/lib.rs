//! Reads files, environment and flags into the configuration types that each crate owns.
#![forbid(unsafe_code)]

mod engines;
mod server;

pub use engines::{ApologyConfig, DialogueConfig, EnginesOf, VadConfig};
pub use server::{LimitsConfig, RecordingConfig, Secrets, ServerConfig, Tls};

use serde::Deserialize;

/// All configuration of the server.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where and how it listens.
    pub server: ServerConfig,
    /// How much is taken in.
    pub limits: LimitsConfig,
    /// How turns are taken.
    pub turn: ringway_turn::Config,
    /// How calls are run.
    pub call: ringway_actors::Config,
    /// Voice activity detection.
    pub vad: VadConfig,
    /// Recognisers, in order of preference.
    pub stt: EnginesOf,
    /// Language models, in order of preference.
    pub llm: EnginesOf,
    /// Voices, in order of preference.
    pub tts: EnginesOf,
    /// Dialogue scripts.
    pub dialogue: DialogueConfig,
    /// The scripted engines of benchmarks.
    pub scripted: ringway_stages::scripted::Config,
    /// What is said when a stage cannot be restored.
    pub apology: ApologyConfig,
    /// Records of each call's turns.
    pub recording: RecordingConfig,
}

pub(crate) mod humane {
    //! Durations as people write them: `"200ms"`, `"2s"`.
    pub use jiff::fmt::serde::unsigned_duration::friendly::compact::required::*;
}
