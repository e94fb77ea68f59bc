use crate::leg::state::LegLimits;
use crate::restart::RestartConfig;
use ringway_stages::humane;
use ringway_turn::StageKind;
use serde::Deserialize;
use std::time::Duration;

/// How calls are run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The language that calls begin in, as BCP 47 writes it.
    pub language: String,
    /// When a stage that dies is rebuilt, and when the call escalates.
    pub restart: RestartConfig,
    /// When a stage counts as stuck.
    pub stall: StallBounds,
    /// Sizes of a call's rings.
    pub rings: RingSizes,
    /// Pacing of the bot's audio.
    pub playout: PlayoutConfig,
    /// How long a leg may be in each state that is no conversation.
    pub leg: LegLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            language: "en".into(),
            restart: RestartConfig::default(),
            stall: StallBounds::default(),
            rings: RingSizes::default(),
            playout: PlayoutConfig::default(),
            leg: LegLimits::default(),
        }
    }
}

/// How long a stage may hold work without progress before it is rebuilt.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StallBounds {
    /// Audio waits in *mic* and nothing is read.
    #[serde(with = "humane")]
    pub vad: Duration,
    /// A flush is not answered.
    #[serde(with = "humane")]
    pub stt: Duration,
    /// A request gives no further token.
    #[serde(with = "humane")]
    pub llm: Duration,
    /// Clauses wait, *voice* has room, and no audio comes.
    #[serde(with = "humane")]
    pub tts: Duration,
    /// An answer is wanted of a stage that hears and speaks by itself, *voice* has room, and nothing comes.
    #[serde(with = "humane")]
    pub s2s: Duration,
}

impl StallBounds {
    /// The bound of one stage.
    pub fn of(&self, stage: StageKind) -> Duration {
        match stage {
            StageKind::Vad => self.vad,
            StageKind::Stt => self.stt,
            StageKind::Llm => self.llm,
            StageKind::Tts => self.tts,
            StageKind::SpeechToSpeech => self.s2s,
        }
    }
}

impl Default for StallBounds {
    fn default() -> Self {
        Self {
            vad: Duration::from_millis(200),
            stt: Duration::from_secs(2),
            llm: Duration::from_secs(4),
            tts: Duration::from_secs(2),
            s2s: Duration::from_secs(4),
        }
    }
}

/// How much audio a call's rings hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RingSizes {
    /// *mic*: bridges the restart of the VAD, and holds what a network held up.
    #[serde(with = "humane")]
    pub mic: Duration,
    /// *speech*: what a restarted recogniser can hear again.
    #[serde(with = "humane")]
    pub replay: Duration,
    /// *voice*: how far synthesis may run ahead of the listener.
    #[serde(with = "humane")]
    pub voice: Duration,
}

impl Default for RingSizes {
    fn default() -> Self {
        Self { mic: Duration::from_secs(2), replay: Duration::from_secs(10), voice: Duration::from_secs(1) }
    }
}

/// Pacing of the bot's audio.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlayoutConfig {
    /// How far sending runs ahead of the listener: it bridges jitter, and delays the effect of a pause.
    #[serde(with = "humane")]
    pub lead: Duration,
}

impl Default for PlayoutConfig {
    fn default() -> Self {
        Self { lead: Duration::from_millis(60) }
    }
}
