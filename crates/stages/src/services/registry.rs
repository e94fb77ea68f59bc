//! Which services there are. Each is a file of its own; whoever has to know of them all, from the configuration to the
//! page, asks here.
//!
//! A new one takes a file named after its engine, with a `Config` that implements [`Section`], and a line in the list
//! below. Its section in `config/default.toml` and its row in `docs/start/services.md` are asked for by tests.

use super::{ApiKey, Endpoint, SetupError};
use crate::llm::LanguageModel;
use crate::speech_to_speech::SpeechToSpeech;
use crate::stt::SpeechToText;
use crate::tts::TextToSpeech;
use serde::Deserialize;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The section of a service in the configuration, which sets it up.
pub trait Section: fmt::Debug {
    /// What others have to know of the service.
    fn entry(&self) -> Entry<'_>;

    /// A client of the service. Connections are set up on the present runtime. `services`: all sections, for a service that looks
    /// into those of others.
    ///
    /// # Errors
    /// Connections cannot even be tried, or the key or a template has a mistake.
    fn build(&self, services: &Services, key: Option<&ApiKey>) -> Result<Engine, SetupError>;

    /// What makes no sense in the section.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Has a voice speak so many times as fast.
    fn speed_up(&mut self, factor: f64) {
        let _ = factor;
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

macro_rules! services {
    ($($(#[$about:meta])* $section:ident,)*) => {
        /// The sections of all services, each named like the engine that it sets up.
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Services {
            $($(#[$about])* pub $section: super::$section::Config,)*
        }

        impl Services {
            /// All of them by name.
            pub fn all(&self) -> impl Iterator<Item = (&'static str, &dyn Section)> {
                [$((stringify!($section), &self.$section as &dyn Section)),*].into_iter()
            }

            /// The one of this name, to be changed.
            pub fn get_mut(&mut self, name: &str) -> Option<&mut dyn Section> {
                match name {
                    $(stringify!($section) => Some(&mut self.$section),)*
                    _ => None,
                }
            }
        }
    };
}

services! {
    /// A model that hears and speaks, behind a socket.
    openai_realtime,
    /// A speech server of one's own.
    speech_server,
    /// A recogniser of whole utterances behind HTTP.
    openai_stt,
    /// A streaming recogniser behind a socket.
    deepgram,
    /// A server of WhisperLiveKit or WhisperLive, whichever it is.
    whisper_auto,
    /// A streaming recogniser behind WhisperLiveKit's own socket.
    whisperlivekit,
    /// A streaming recogniser behind WhisperLive's socket.
    whisperlive,
    /// A recogniser of whole utterances that speaks Wyoming.
    wyoming_stt,
    /// A streaming recogniser behind a socket that judges when the caller has finished.
    deepgram_flux,
    /// A transcription session behind a socket.
    openai_realtime_stt,
    /// A streaming recogniser behind a socket that is told where utterances end.
    cartesia_stt,
    /// A language model behind HTTP.
    openai_llm,
    /// A language model at Groq.
    groq,
    /// A language model that Ollama runs.
    ollama,
    /// A language model of Anthropic's.
    anthropic,
    /// A voice behind HTTP.
    piper,
    /// A voice in OpenAI's form.
    openai_tts,
    /// ElevenLabs' voice.
    elevenlabs,
    /// Cartesia's voice.
    cartesia,
    /// Deepgram's voice.
    deepgram_tts,
    /// A voice that speaks Wyoming.
    wyoming_tts,
    /// A telephone system's voice.
    phone_tts,
}

impl Services {
    /// Those of a stage, by name.
    pub fn of(&self, stage: Stage) -> impl Iterator<Item = (&'static str, &dyn Section)> {
        self.all().filter(move |(_, service)| service.entry().stage == stage)
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&dyn Section> {
        self.all().find(|(known, _)| *known == name).map(|(_, service)| service)
    }

    /// Whether this is where a vendor listens, who serves nobody without a key: the default of a service across the
    /// Internet.
    pub fn is_vendor(url: &Endpoint) -> bool {
        Self::default().all().any(|(_, service)| {
            let usual = service.entry().url;
            usual.is_secure() && usual.host() == url.host()
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_service_builds_an_engine_of_its_stage_under_the_name_of_its_section() {
        let services = Services::default();
        for (name, service) in services.all() {
            let engine = service.build(&services, None).expect("its defaults make sense");
            assert_eq!(engine.about(), (service.entry().stage, name));
        }
    }

    #[test]
    fn vendors_are_those_whose_defaults_lie_across_the_internet() {
        let is_vendor = |url: &str| Services::is_vendor(&Endpoint::parse(url).expect("an address"));
        assert!(is_vendor("https://api.openai.com/v1") && is_vendor("wss://api.deepgram.com/v2/listen"));
        assert!(!is_vendor("http://127.0.0.1:5000") && !is_vendor("https://llm.example/v1"));
    }

    #[test]
    fn bounds_take_their_ends_and_name_them() {
        assert_eq!(within("speed", Some(0.7), 0.7..=1.2), None);
        assert_eq!(within("speed", None, 0.7..=1.2), None);
        let told = within("speed", Some(1.3), 0.7..=1.2).map(|problem| problem.message);
        assert_eq!(told.as_deref(), Some("must be from 0.7 to 1.2"));
        assert!(within("speed", Some(f32::NAN), 0.7..=1.2).is_some());
    }
}
