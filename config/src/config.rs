use crate::carrier::CarrierConfig;
use crate::engines::{ApologyConfig, DialogueConfig, EnginesOf, VadConfig, VoicesConfig};
use crate::neighbours::{LiveKitConfig, RedisConfig};
use crate::resume::ResumeConfig;
use crate::schema::Schema;
use crate::server::{LimitsConfig, MetricsConfig, RecordingConfig, ServerConfig, TtsApiConfig};
use crate::webhook::WebhookConfig;
use ringway_stages::pocketsphinx::Dictionary;
use ringway_stages::services::Services;
use ringway_stages::services::registry::Stage;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use toml::Table;

/// The shipped file: every key with its default, explained.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// All configuration of the server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where and how it listens.
    pub server: ServerConfig,
    /// How much is taken in.
    pub limits: LimitsConfig,
    /// What callers of carriers hear when they cannot be taken.
    pub carrier: CarrierConfig,
    /// Whom calls may be handed to.
    pub transfer: ringway_stages::transfer::Config,
    /// What is shown at `/metrics`.
    pub metrics: MetricsConfig,
    /// How turns are taken.
    pub turn: ringway_turn::Config,
    /// How calls are run.
    pub call: ringway_actors::Config,
    /// How long a call waits for a caller whose network has failed.
    pub resume: ResumeConfig,
    /// When a service's circuit opens.
    pub circuit: ringway_stages::health::Config,
    /// Voice activity detection.
    pub vad: VadConfig,
    /// Services that hear and speak, in order of preference; with any, the three below serve when all of them fail.
    pub speech_to_speech: EnginesOf,
    /// Recognisers, in order of preference.
    pub stt: EnginesOf,
    /// Language models, in order of preference.
    pub llm: EnginesOf,
    /// Voices, in order of preference.
    pub tts: VoicesConfig,
    /// Dialogue scripts.
    pub dialogue: DialogueConfig,
    /// The embedded recogniser.
    pub pocketsphinx: ringway_stages::pocketsphinx::Config,
    /// The embedded voice.
    pub flite: ringway_stages::flite::Config,
    /// Speech that is kept once it was made.
    pub tts_cache: ringway_speech_cache::Config,
    /// The voice as a service.
    pub tts_api: TtsApiConfig,
    /// What prompts are filled with.
    pub prompt: ringway_stages::prompt::Config,
    /// What language models may call.
    pub tools: ringway_tools::Config,
    /// What is known.
    pub knowledge: ringway_knowledge::Config,
    /// Where state is shared.
    pub redis: RedisConfig,
    /// Where conferences are held.
    pub livekit: LiveKitConfig,
    /// The scripted engines of benchmarks.
    pub scripted: ringway_stages::scripted::Config,
    /// What is said when a stage cannot be restored.
    pub apology: ApologyConfig,
    /// Records of each call's turns.
    pub recording: RecordingConfig,
    /// Who is told of calls that ended.
    pub webhook: WebhookConfig,
    /// Services behind sockets, each in a section of its own.
    #[serde(skip)]
    pub services: Services,
    /// Languages that calls can switch to, by code.
    #[serde(skip)]
    pub languages: BTreeMap<String, LanguageConfig>,
}

/// A language besides the one that calls begin in.
#[derive(Clone, Debug, PartialEq)]
pub struct LanguageConfig {
    /// What people call it, and a model is told.
    pub name: String,
    /// What is said in it while an answer takes long.
    pub filler: String,
    /// What is said in it when a stage cannot be restored.
    pub apology: String,
    /// All configuration, with the language's own over it.
    pub config: Config,
    /// It has recognisers of its own.
    pub own_stt: bool,
    /// It has voices of its own.
    pub own_tts: bool,
}

/// The keys of [`Config`], those of services last.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::of::<Config>().and(Schema::of::<Services>()));

impl Default for Config {
    /// The embedded engines.
    fn default() -> Self {
        Self {
            server: ServerConfig::default(),
            limits: LimitsConfig::default(),
            carrier: CarrierConfig::default(),
            transfer: ringway_stages::transfer::Config::default(),
            metrics: MetricsConfig::default(),
            turn: ringway_turn::Config { language: Some("en".into()), ..ringway_turn::Config::default() },
            call: ringway_actors::Config::default(),
            resume: ResumeConfig::default(),
            circuit: ringway_stages::health::Config::default(),
            vad: VadConfig::default(),
            speech_to_speech: EnginesOf { engines: Vec::new() },
            stt: EnginesOf::one("pocketsphinx"),
            llm: EnginesOf::one("dialogue"),
            tts: VoicesConfig::default(),
            dialogue: DialogueConfig::default(),
            pocketsphinx: ringway_stages::pocketsphinx::Config::default(),
            flite: ringway_stages::flite::Config::default(),
            tts_cache: ringway_speech_cache::Config::default(),
            tts_api: TtsApiConfig::default(),
            prompt: ringway_stages::prompt::Config::default(),
            tools: ringway_tools::Config::default(),
            knowledge: ringway_knowledge::Config::default(),
            redis: RedisConfig::default(),
            livekit: LiveKitConfig::default(),
            scripted: ringway_stages::scripted::Config::default(),
            apology: ApologyConfig::default(),
            recording: RecordingConfig::default(),
            webhook: WebhookConfig::default(),
            services: Services::default(),
            languages: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Reads a document without languages, as it is written: the sections of services lie beside those of the server.
    ///
    /// # Errors
    /// A key is unknown, or its type does not take the value.
    pub fn read(mut document: Table) -> Result<Self, toml::de::Error> {
        let sections: Vec<&str> = Services::default().all().map(|(name, _)| name).collect();
        let services: Table = sections.iter().filter_map(|name| document.remove_entry(*name)).collect();
        Ok(Self { services: Services::deserialize(services)?, ..Self::deserialize(document)? })
    }

    /// The engines that serve this stage, in order of preference.
    pub fn engines(&self, stage: Stage) -> &[String] {
        match stage {
            Stage::SpeechToSpeech => &self.speech_to_speech.engines,
            Stage::SpeechToText => &self.stt.engines,
            Stage::LanguageModel => &self.llm.engines,
            Stage::TextToSpeech => &self.tts.engines,
        }
    }

    /// The words that the embedded recogniser can pronounce, if it is used and its dictionary can be read.
    pub fn dictionary(&self) -> Option<Dictionary> {
        let used = self.stt.engines.iter().any(|name| name == "pocketsphinx");
        let open = || Dictionary::open(&self.pocketsphinx.model.dictionary).ok();
        used.then(open).flatten()
    }
}
