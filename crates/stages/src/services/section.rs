//! What services have in common for whoever has to know of them all.

use super::{ApiKey, Endpoint, SetupError};
use crate::llm::LanguageModel;
use crate::speech_to_speech::SpeechToSpeech;
use crate::stt::SpeechToText;
use crate::tts::TextToSpeech;
use std::any::Any;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The section of a service in the configuration, which sets it up.
pub trait Section: fmt::Debug + Any {
    /// What others have to know of the service.
    fn entry(&self) -> Entry<'_>;

    /// A client of the service. Connections are set up on the present runtime. `services`: all sections, for a service that looks
    /// into those of others.
    ///
    /// # Errors
    /// Connections cannot even be tried, or the key or a template has a mistake.
    fn build(&self, services: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError>;

    /// What makes no sense in the section.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Has a voice speak so many times as fast.
    fn speed_up(&mut self, factor: f64) {
        let _ = factor;
    }
}

/// All sections, of which a service may look into those of others.
pub trait Sections {
    /// The one of this name.
    fn section(&self, name: &str) -> Option<&dyn Section>;
}

impl dyn Sections + '_ {
    /// The section of another service.
    pub(super) fn of<C: Section + Clone + Default>(&self, name: &str) -> C {
        let section = self.section(name).and_then(|section| (section as &dyn Any).downcast_ref::<C>());
        section.cloned().unwrap_or_default()
    }
}

/// What the rest of the server has to know of a service.
#[derive(Clone, Debug)]
pub struct Entry<'c> {
    /// What it does in a call.
    pub stage: Stage,
    /// Where it listens.
    pub url: &'c Endpoint,
    /// The environment variable of its key; `None`: it takes none.
    pub key: Option<&'c str>,
    /// The model that it is asked for.
    pub model: Option<&'c str>,
    /// The voice that it is asked for.
    pub voice: Option<&'c str>,
    /// How fast a voice speaks, where that can be said.
    pub rate: Option<SpeechRate>,
    /// Templates, by their keys.
    pub templates: Vec<(&'static str, &'c str)>,
    /// Paths that it puts behind its address by itself and that people give with the address, the longest first.
    pub paths: &'static [&'static str],
}

/// What a service does in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It hears and speaks by itself.
    SpeechToSpeech,
    /// It hears.
    SpeechToText,
    /// It thinks.
    LanguageModel,
    /// It speaks.
    TextToSpeech,
}

/// A service that calls can use.
#[derive(Clone)]
pub enum Engine {
    /// It hears and speaks by itself.
    SpeechToSpeech(Arc<dyn SpeechToSpeech>),
    /// It hears.
    SpeechToText(Arc<dyn SpeechToText>),
    /// It thinks.
    LanguageModel(Arc<dyn LanguageModel>),
    /// It speaks.
    TextToSpeech(Arc<dyn TextToSpeech>),
}

/// How fast a voice speaks.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeechRate {
    /// As it is configured, 1 is the voice's own.
    pub now: f64,
    /// What it can do.
    pub range: RangeInclusive<f64>,
}

/// A value that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key within the section.
    pub key: &'static str,
    /// What it must be.
    pub message: String,
}

impl<'c> Entry<'c> {
    /// Of a service that takes no key and tells nothing else.
    pub(super) const fn new(stage: Stage, url: &'c Endpoint) -> Self {
        let (key, model, voice, rate) = (None, None, None, None);
        Self { stage, url, key, model, voice, rate, templates: Vec::new(), paths: &[] }
    }
}

impl Stage {
    /// All of them, in the order in which a call looks for its engines.
    pub const ALL: [Self; 4] =
        [Self::SpeechToSpeech, Self::SpeechToText, Self::LanguageModel, Self::TextToSpeech];

    /// Its name for people, in metrics and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SpeechToSpeech => "s2s",
            Self::SpeechToText => "stt",
            Self::LanguageModel => "llm",
            Self::TextToSpeech => "tts",
        }
    }

    /// The key of the configuration that chooses its engines.
    pub const fn key(self) -> &'static str {
        match self {
            Self::SpeechToSpeech => "speech_to_speech.engines",
            Self::SpeechToText => "stt.engines",
            Self::LanguageModel => "llm.engines",
            Self::TextToSpeech => "tts.engines",
        }
    }
}

impl Engine {
    /// What it does in a call, and its own name.
    pub fn about(&self) -> (Stage, &str) {
        match self {
            Self::SpeechToSpeech(engine) => (Stage::SpeechToSpeech, engine.name()),
            Self::SpeechToText(engine) => (Stage::SpeechToText, engine.name()),
            Self::LanguageModel(engine) => (Stage::LanguageModel, engine.name()),
            Self::TextToSpeech(engine) => (Stage::TextToSpeech, engine.name()),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.about().fmt(f)
    }
}

impl SpeechRate {
    /// Of a voice that is told a factor; absent, it speaks as it likes.
    pub(super) fn of(speed: Option<f32>, range: RangeInclusive<f64>) -> Option<Self> {
        Some(Self { now: speed.map_or(1.0, f64::from), range })
    }
}

/// A factor so many times as great.
pub(super) fn faster(speed: Option<f32>, factor: f64) -> Option<f32> {
    Some((speed.map_or(1.0, f64::from) * factor) as f32)
}

/// A number that must lie within these bounds, if it is there.
pub(super) fn within(key: &'static str, value: Option<f32>, range: RangeInclusive<f64>) -> Option<Problem> {
    let (least, most) = range.into_inner();
    let wrong = value.is_some_and(|value| !(least as f32..=most as f32).contains(&value));
    wrong.then(|| Problem { key, message: format!("must be from {least} to {most}") })
}

/// A number that must be at least one.
pub(super) fn not_zero(key: &'static str, value: u32) -> Option<Problem> {
    (value == 0).then(|| Problem { key, message: "must not be zero".to_owned() })
}
