//! The configured engines, built.

use ringway_actors::{Apology, Engines, VadEngine};
use ringway_config::Config;
use ringway_frame::SampleRate;
use ringway_stages::llm::LanguageModel;
use ringway_stages::scripted;
use ringway_stages::silero::{Silero, SileroConfig};
use ringway_stages::stt::SpeechToText;
use ringway_stages::tts::TextToSpeech;
use ringway_stages::vad::{Vad, VadError};
use std::sync::Arc;

/// Why an engine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The voice activity detector.
    #[error(transparent)]
    Vad(#[from] VadError),
    /// No engine of this name.
    #[error("{stage}.engines: no engine is named {name:?}; there are: {known}")]
    Unknown {
        /// The stage.
        stage: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: &'static str,
    },
}

/// Builds all engines; with them the names of the dialogues that callers may ask for.
///
/// # Errors
/// One cannot be used.
pub fn build(config: &Config) -> Result<(Engines, Vec<String>), EngineError> {
    let engines = Engines {
        vad: vad(config)?,
        stt: config.stt.engines.iter().map(|name| stt(name, config)).collect::<Result<_, _>>()?,
        llm: config.llm.engines.iter().map(|name| llm(name, config)).collect::<Result<_, _>>()?,
        tts: config.tts.engines.iter().map(|name| tts(name, config)).collect::<Result<_, _>>()?,
        apology: Apology::default(),
    };
    Ok((engines, Vec::new()))
}

/// Loads the model once, so that a missing file is said at start.
fn vad(config: &Config) -> Result<VadEngine, EngineError> {
    let rate = SampleRate::new(config.vad.rate).unwrap_or(SampleRate::HZ_16000);
    let silero =
        SileroConfig { library: config.vad.library.clone(), model: config.vad.model.clone(), rate };
    let first = Silero::load(&silero)?;
    Ok(VadEngine {
        name: "silero".into(),
        rate: first.rate(),
        window: first.window(),
        state: first.state(),
        build: Box::new(move || Ok(Box::new(Silero::load(&silero)?))),
    })
}

fn stt(name: &str, config: &Config) -> Result<Arc<dyn SpeechToText>, EngineError> {
    match name {
        "scripted" => Ok(Arc::new(scripted::ScriptedStt::new(&config.scripted))),
        _ => Err(EngineError::Unknown { stage: "stt", name: name.into(), known: "pocketsphinx, scripted" }),
    }
}

fn llm(name: &str, config: &Config) -> Result<Arc<dyn LanguageModel>, EngineError> {
    match name {
        "scripted" => Ok(Arc::new(scripted::ScriptedLlm::new(&config.scripted))),
        _ => Err(EngineError::Unknown { stage: "llm", name: name.into(), known: "dialogue, scripted" }),
    }
}

fn tts(name: &str, config: &Config) -> Result<Arc<dyn TextToSpeech>, EngineError> {
    match name {
        "scripted" => Ok(Arc::new(scripted::ScriptedTts::new(&config.scripted))),
        _ => Err(EngineError::Unknown { stage: "tts", name: name.into(), known: "flite, scripted" }),
    }
}
