//! The configured engines, built.

mod apology;
mod caching;
mod chosen;
#[cfg_attr(not(feature = "knowledge"), path = "engines/no_knowledge.rs")]
mod knowledge;
mod languages;
mod named;
mod pools;
#[cfg(test)]
mod scripted_only;
mod vad;
#[cfg(feature = "tts_api")]
mod voices;

pub use caching::Caching;
pub use knowledge::{KnowledgeError, Librarian};
pub use languages::names as languages;
pub use named::{Named, first_of_each};
pub use pools::Pools;
#[cfg(test)]
pub use scripted_only::scripted_with;
#[cfg(feature = "tts_api")]
pub use voices::{VoiceError, Voices};

use chosen::Chosen;
use languages::Spoken;
use ringway_actors::{Engines, VadEngine};
use ringway_config::{Config, Secrets};
use ringway_speech_cache::{DirError, Tiers};
use ringway_stages::dialogue::{Diagnostic, Dialogues};
use ringway_stages::flite::Flite;
use ringway_stages::llm::{LanguageModel, LlmError};
use ringway_stages::normalize::Normalized;
use ringway_stages::pocketsphinx::{self, Pocketsphinx};
use ringway_stages::pool::StartError;
use ringway_stages::scripted;
use ringway_stages::services::SetupError;
use ringway_stages::services::registry::{Engine, Stage};
use ringway_stages::silero::Instructions;
use ringway_stages::speech_to_speech::SpeechToSpeech;
use ringway_stages::stt::SpeechToText;
use ringway_stages::transfer::Transfers;
use ringway_stages::tts::{TextToSpeech, TtsError};
use ringway_stages::vad::VadError;
use ringway_tools::{Mistake, SpeechToolbox, Toolbox, Tools, ToolsError, ToolsFile};
use std::collections::BTreeSet;
use std::sync::Arc;

/// All that a server's calls share.
#[derive(Debug)]
pub struct Built {
    /// The engines.
    pub engines: Engines,
    /// The dialogues that callers may ask for; none when no dialogue is served.
    pub dialogues: Vec<String>,
    /// The threads of blocking engines.
    pub pools: Pools,
    /// The speech that is kept.
    pub caching: Caching,
    /// The voices one by one.
    #[cfg(feature = "tts_api")]
    pub voices: Voices,
    /// Whom calls may be handed to.
    pub transfers: Arc<Transfers>,
}

/// Why an engine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The voice activity detector.
    #[error(transparent)]
    Vad(#[from] VadError),
    /// No engine of this name.
    #[error("{key}: no engine is named {name:?}")]
    Unknown {
        /// Where it was asked for.
        key: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The embedded recogniser.
    #[error(transparent)]
    Pocketsphinx(#[from] pocketsphinx::StartError),
    /// Threads of an engine.
    #[error(transparent)]
    Pool(#[from] StartError),
    /// The dialogues have mistakes.
    #[error("{}", lines(.0))]
    Dialogues(Vec<Diagnostic>),
    /// No dialogue of the default's name.
    #[error("dialogue.default: {0}")]
    Default(LlmError),
    /// Connections to a service cannot even be tried.
    #[error(transparent)]
    Service(#[from] SetupError),
    /// The file of tools has mistakes.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    ToolsFile(Vec<Mistake>),
    /// A tool cannot be used.
    #[error(transparent)]
    Tools(#[from] ToolsError),
    /// The knowledge base cannot be used.
    #[error("knowledge: {0}")]
    Knowledge(#[from] KnowledgeError),
    /// The folder of speech cannot be used.
    #[error(transparent)]
    Cache(#[from] DirError),
    /// The apology cannot be spoken.
    #[error("apology.text, turn.filler: {0}")]
    Apology(TtsError),
}

/// Builds all engines and speaks the apology; takes seconds, so it is no work for a media core. Services are connected to
/// on the present runtime.
///
/// # Errors
/// One cannot be used.
pub fn build(config: &Config, secrets: &Secrets) -> Result<Built, EngineError> {
    let librarian = knowledge::open(config, secrets)?;
    let transfers = transfers(config);
    let tools = tools(config, &transfers, librarian.as_ref())?;
    let tiers = Tiers::open(&config.tts_cache)?;
    let mut builder = Builder::new(config, secrets, tools, librarian);
    builder.transfers = transfers.clone();
    let s2s = builder.all(&config.speech_to_speech.engines, Builder::s2s)?;
    let stt = builder.all(&config.stt.engines, Builder::stt)?;
    let llm = builder.all(&config.llm.engines, Builder::llm)?;
    let chain = builder.all(&config.tts.engines, Builder::chosen_voice)?;
    let (tts, mut caching) = Caching::of(config, &chain, tiers, &builder.texts);
    #[cfg(feature = "tts_api")]
    let voices = Voices::new(config, secrets, chain);
    builder.pools.tiers = Some(caching.tiers.clone());
    let mut spoken = Spoken::first(config, stt, tts).map_err(EngineError::Apology)?;
    for (code, language) in &config.languages {
        spoken.add(code, language, secrets, &mut builder, &mut caching)?;
    }
    let vad = vad::build(config, Instructions::best())?;
    let engines = spoken.into_engines(vad, s2s, llm);
    Ok(Built {
        engines,
        dialogues: builder.dialogues,
        pools: builder.pools,
        caching,
        #[cfg(feature = "tts_api")]
        voices,
        transfers,
    })
}

/// Builds the recogniser of this name alone; services are connected to on the present runtime.
///
/// # Errors
/// It cannot be used.
pub fn one_stt(config: &Config, secrets: &Secrets, name: &str) -> Result<Arc<dyn SpeechToText>, EngineError> {
    Builder::new(config, secrets, None, None).stt(name)
}

/// The same for a language model, which has no tools.
///
/// # Errors
/// It cannot be used.
pub fn one_llm(
    config: &Config,
    secrets: &Secrets,
    name: &str,
) -> Result<Arc<dyn LanguageModel>, EngineError> {
    Builder::new(config, secrets, None, None).llm(name)
}

/// The same for a voice, which remembers nothing.
///
/// # Errors
/// It cannot be used.
pub fn one_tts(config: &Config, secrets: &Secrets, name: &str) -> Result<Arc<dyn TextToSpeech>, EngineError> {
    Builder::new(config, secrets, None, None).tts(name)
}

/// The same for a service that hears and speaks.
///
/// # Errors
/// It cannot be used.
pub fn one_s2s(
    config: &Config,
    secrets: &Secrets,
    name: &str,
) -> Result<Arc<dyn SpeechToSpeech>, EngineError> {
    Builder::new(config, secrets, None, None).s2s(name)
}

/// The knowledge base alone, where there is one.
///
/// # Errors
/// It cannot be used.
#[cfg(feature = "knowledge")]
pub fn one_librarian(config: &Config, secrets: &Secrets) -> Result<Option<Librarian>, EngineError> {
    Ok(knowledge::open(config, secrets)?)
}

/// The same for a voice activity detector.
///
/// # Errors
/// It cannot be used.
pub fn one_vad(config: &Config) -> Result<VadEngine, EngineError> {
    vad::build(config, Instructions::best())
}

/// The names of the configuration to engines.
struct Builder<'a> {
    config: &'a Config,
    secrets: &'a Secrets,
    tools: Option<Tools>,
    transfers: Arc<Transfers>,
    librarian: Option<Librarian>,
    dialogues: Vec<String>,
    /// What dialogues may say.
    texts: BTreeSet<String>,
    pools: Pools,
}

impl<'a> Builder<'a> {
    fn new(
        config: &'a Config,
        secrets: &'a Secrets,
        tools: Option<Tools>,
        librarian: Option<Librarian>,
    ) -> Self {
        let (dialogues, texts) = (Vec::new(), BTreeSet::new());
        let pools = Pools::beside(librarian.clone());
        let transfers = transfers(config);
        Self { config, secrets, tools, transfers, librarian, dialogues, texts, pools }
    }

    fn chosen_voice(&mut self, name: &str) -> Result<Chosen, EngineError> {
        self.tts(name).map(|voice| Chosen { name: name.to_owned(), voice })
    }

    fn all<T>(
        &mut self,
        names: &[String],
        build: fn(&mut Self, &str) -> Result<T, EngineError>,
    ) -> Result<Vec<T>, EngineError> {
        names.iter().map(|name| build(self, name)).collect()
    }

    /// A service of this stage; one of another stage is none.
    fn service(&self, stage: Stage, name: &str) -> Result<Engine, EngineError> {
        let services = &self.config.services;
        let found = services.of(stage).find(|(known, _)| *known == name);
        let (_, section) = found.ok_or_else(|| unknown(stage, name))?;
        let key = section.entry().key.and_then(|variable| self.secrets.api_key(variable));
        Ok(section.build(services, key.as_ref())?)
    }

    fn s2s(&mut self, name: &str) -> Result<Arc<dyn SpeechToSpeech>, EngineError> {
        match self.service(Stage::SpeechToSpeech, name)? {
            Engine::SpeechToSpeech(service) => Ok(self.with_speech_tools(service)),
            _ => Err(unknown(Stage::SpeechToSpeech, name)),
        }
    }

    fn stt(&mut self, name: &str) -> Result<Arc<dyn SpeechToText>, EngineError> {
        match name {
            "pocketsphinx" => {
                let pocketsphinx = Arc::new(Pocketsphinx::start(self.config.pocketsphinx.clone())?);
                let counted = pocketsphinx.clone();
                self.pools.add("pocketsphinx", move || counted.counters());
                Ok(pocketsphinx)
            }
            "scripted" => Ok(Arc::new(scripted::ScriptedStt::new(&self.config.scripted))),
            _ => match self.service(Stage::SpeechToText, name)? {
                Engine::SpeechToText(recogniser) => Ok(recogniser),
                _ => Err(unknown(Stage::SpeechToText, name)),
            },
        }
    }

    fn llm(&mut self, name: &str) -> Result<Arc<dyn LanguageModel>, EngineError> {
        match name {
            "dialogue" => self.dialogues(),
            "scripted" => Ok(Arc::new(scripted::ScriptedLlm::new(&self.config.scripted))),
            _ => match self.service(Stage::LanguageModel, name)? {
                Engine::LanguageModel(model) => Ok(self.with_tools(model)),
                _ => Err(unknown(Stage::LanguageModel, name)),
            },
        }
    }

    fn dialogues(&mut self) -> Result<Arc<dyn LanguageModel>, EngineError> {
        let config = &self.config.dialogue;
        let words = self.config.dictionary();
        let pronounceable = |word: &str| words.as_ref().is_none_or(|words| words.pronounceable(word));
        let dialogues = Dialogues::load(&config.dir, &pronounceable).map_err(EngineError::Dialogues)?;
        let transfers = self.transfers.clone();
        let dialogues = dialogues.with_transfers(transfers).map_err(EngineError::Dialogues)?;
        let dialogues = dialogues.with_default(&config.default).map_err(EngineError::Default)?;
        self.dialogues = dialogues.names().map(str::to_owned).collect();
        self.texts = dialogues.texts();
        Ok(Arc::new(dialogues))
    }

    fn with_tools(&self, model: Arc<dyn LanguageModel>) -> Arc<dyn LanguageModel> {
        let model = self.informed(model);
        match &self.tools {
            Some(tools) => Arc::new(Toolbox::new(model, tools.clone(), self.config.tools.clone())),
            None => model,
        }
    }

    fn with_speech_tools(&self, service: Arc<dyn SpeechToSpeech>) -> Arc<dyn SpeechToSpeech> {
        match &self.tools {
            Some(tools) => Arc::new(SpeechToolbox::new(service, tools.clone(), self.config.tools.clone())),
            None => service,
        }
    }

    /// Inside of the tools, which find a place in the conversation by the caller's own words.
    fn informed(&self, model: Arc<dyn LanguageModel>) -> Arc<dyn LanguageModel> {
        knowledge::around(model, self.librarian.as_ref(), self.config)
    }

    /// A voice that is given figures in words, where that is configured.
    fn tts(&mut self, name: &str) -> Result<Arc<dyn TextToSpeech>, EngineError> {
        let voice = self.bare_tts(name)?;
        Ok(match normalized(self.config, name) {
            Some(language) => Normalized::around(voice, language),
            None => voice,
        })
    }

    fn bare_tts(&mut self, name: &str) -> Result<Arc<dyn TextToSpeech>, EngineError> {
        match name {
            "flite" => {
                let config = self.config.flite;
                let flite = Arc::new(Flite::start(config)?);
                let counted = flite.clone();
                self.pools.add("flite", move || counted.counters());
                Ok(flite)
            }
            "scripted" => Ok(Arc::new(scripted::ScriptedTts::new(&self.config.scripted))),
            _ => match self.service(Stage::TextToSpeech, name)? {
                Engine::TextToSpeech(voice) => Ok(voice),
                _ => Err(unknown(Stage::TextToSpeech, name)),
            },
        }
    }
}

fn unknown(stage: Stage, name: &str) -> EngineError {
    EngineError::Unknown { key: stage.key(), name: name.to_owned() }
}

/// Whom calls may be handed to: what makes no sense in it is told where the configuration is read.
fn transfers(config: &Config) -> Arc<Transfers> {
    Arc::new(Transfers::new(&config.transfer).unwrap_or_default())
}

/// The tools of the configuration, whose secrets only the environment has.
fn tools(
    config: &Config,
    transfers: &Arc<Transfers>,
    librarian: Option<&Librarian>,
) -> Result<Option<Tools>, EngineError> {
    let Some(path) = &config.tools.file else { return Ok(None) };
    let file = ToolsFile::load(path, &variable).map_err(EngineError::ToolsFile)?;
    let knowledge = librarian.map(knowledge::behind_a_tool);
    let file = file.transferring(transfers.clone());
    let file =
        file.speaking(languages::names(config)).map_err(|mistake| EngineError::ToolsFile(vec![mistake]))?;
    Ok(Some(Tools::start(file, knowledge)?))
}

/// What the environment holds.
pub fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|text| text.to_string_lossy().into_owned())
}

/// Services that cannot even be tried, each with the reason; they are set up on the present runtime. A prompt or a key
/// that is wrong is the configuration's to tell.
pub fn unusable_services(config: &Config, secrets: &Secrets) -> Vec<(String, String)> {
    let languages = config.languages.values().map(|language| &language.config);
    let mut unusable = Vec::new();
    for config in std::iter::once(config).chain(languages) {
        let builder = Builder::new(config, secrets, None, None);
        let mut note = |name: &String, setup: Option<EngineError>| match setup {
            Some(EngineError::Service(SetupError::Template(_) | SetupError::Key { .. })) => {}
            Some(EngineError::Service(error)) => unusable.push((name.clone(), error.to_string())),
            _ => {}
        };
        for stage in Stage::ALL {
            let services = config.engines(stage).iter().filter(|name| config.services.get(name).is_some());
            for name in services {
                note(name, builder.service(stage, name).err());
            }
        }
    }
    unusable.sort();
    unusable.dedup();
    unusable
}

/// The language in whose words this voice is given figures, if it is.
fn normalized<'c>(config: &'c Config, name: &str) -> Option<&'c str> {
    let wanted = config.tts.normalize.iter().any(|engine| engine == name);
    config.turn.language.as_deref().filter(|_| wanted)
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
