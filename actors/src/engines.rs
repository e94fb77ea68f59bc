use crate::language::{Language, LanguageIndex};
use crate::phrase::Phrase;
use ringway_frame::SampleRate;
use ringway_stages::llm::LanguageModel;
use ringway_stages::speech_to_speech::SpeechToSpeech;
use ringway_stages::stt::SpeechToText;
use ringway_stages::tts::TextToSpeech;
use ringway_stages::vad::{Vad, VadError, VadState};
use ringway_turn::StageKind;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The engines that serve all calls, each stage's in order of preference.
pub struct Engines {
    /// The voice activity detector.
    pub vad: VadEngine,
    /// Services that hear and speak, in place of the three below as long as one serves.
    pub s2s: Vec<Arc<dyn SpeechToSpeech>>,
    /// Recognisers.
    pub stt: Vec<Arc<dyn SpeechToText>>,
    /// Language models.
    pub llm: Vec<Arc<dyn LanguageModel>>,
    /// Voices.
    pub tts: Vec<Arc<dyn TextToSpeech>>,
    /// The languages that calls can be in: they begin in the first. None: there is one, and all engines serve it.
    pub languages: Vec<Language>,
    /// What is said when a stage cannot be restored.
    pub apology: Phrase,
    /// What is said while an answer takes long.
    pub filler: Phrase,
}

/// Builds voice activity detectors of one shape.
pub struct VadEngine {
    /// Its name in configuration, metrics and logs.
    pub name: String,
    /// The rate it hears at.
    pub rate: SampleRate,
    /// Samples in a window.
    pub window: usize,
    /// The state of a call that begins.
    pub state: VadState,
    /// Builds one; blocks.
    pub build: Box<dyn Fn() -> Result<Box<dyn Vad + Send>, VadError> + Send + Sync>,
}

impl Engines {
    /// How many engines can serve a stage. A detector has no substitute: it is rebuilt within its budget.
    pub fn count(&self, stage: StageKind) -> usize {
        match stage {
            StageKind::Vad => 1,
            StageKind::Stt => self.stt.len(),
            StageKind::Llm => self.llm.len(),
            StageKind::Tts => self.tts.len(),
            StageKind::SpeechToSpeech => self.s2s.len(),
        }
    }

    /// What each engine of a stage that calls begin with can work on at one time now: see [`SpeechToText::slots`].
    /// Detectors are the media cores': [`CoreLoad::hears`](crate::CoreLoad::hears).
    pub fn slots(&self, stage: StageKind) -> Vec<Option<usize>> {
        let first = self.links(stage, LanguageIndex::default());
        match stage {
            StageKind::Vad => Vec::new(),
            StageKind::Stt => self.stt[first].iter().map(|engine| engine.slots()).collect(),
            StageKind::Llm => self.llm.iter().map(|engine| engine.slots()).collect(),
            StageKind::Tts => self.tts[first].iter().map(|engine| engine.slots()).collect(),
            StageKind::SpeechToSpeech => self.s2s.iter().map(|engine| engine.slots()).collect(),
        }
    }
}

impl Engines {
    /// The names of the engines that can serve a stage, in order of preference.
    pub fn names(&self, stage: StageKind) -> Vec<&str> {
        match stage {
            StageKind::Vad => vec![&self.vad.name],
            StageKind::Stt => self.stt.iter().map(|engine| engine.name()).collect(),
            StageKind::Llm => self.llm.iter().map(|engine| engine.name()).collect(),
            StageKind::Tts => self.tts.iter().map(|engine| engine.name()).collect(),
            StageKind::SpeechToSpeech => self.s2s.iter().map(|engine| engine.name()).collect(),
        }
    }
}

/// By language.
impl Engines {
    /// The language of this code, whatever its case; without one, the first.
    pub(crate) fn language_or_first(&self, code: Option<&str>) -> LanguageIndex {
        let is = |code| move |language: &Language| language.code.eq_ignore_ascii_case(code);
        LanguageIndex(code.and_then(|code| self.languages.iter().position(is(code))).unwrap_or(0))
    }

    /// Whether calls can be in the language of this code; where none is configured, in any.
    pub fn speaks(&self, code: &str) -> bool {
        self.languages.is_empty()
            || self.languages.iter().any(|language| language.code.eq_ignore_ascii_case(code))
    }

    pub(crate) fn language(&self, index: LanguageIndex) -> Option<&Language> {
        self.languages.get(index.0)
    }

    /// The chains of a stage: its engines, language by language.
    pub fn chains(&self, stage: StageKind) -> Vec<Range<usize>> {
        let mut chains: Vec<_> =
            (0..self.languages.len().max(1)).map(|index| self.links(stage, LanguageIndex(index))).collect();
        chains.dedup();
        chains
    }

    /// The engines that can serve a stage in this language.
    pub(crate) fn links(&self, stage: StageKind, language: LanguageIndex) -> Range<usize> {
        match (stage, self.language(language)) {
            (StageKind::Stt, Some(language)) => language.stt.clone(),
            (StageKind::Tts, Some(language)) => language.tts.clone(),
            _ => 0..self.count(stage),
        }
    }

    pub(crate) fn apology_in(&self, language: LanguageIndex) -> &Phrase {
        self.language(language).map_or(&self.apology, |language| &language.apology)
    }

    pub(crate) fn filler_in(&self, language: LanguageIndex) -> &Phrase {
        self.language(language).map_or(&self.filler, |language| &language.filler)
    }
}

/// What events and metrics call recogniser, language model and voice where they serve in the place of a service that hears
/// and speaks.
pub const THE_THREE: &str = "three_stages";

/// For people: the names, stage by stage.
impl fmt::Display for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [stt, llm, tts] =
            [StageKind::Stt, StageKind::Llm, StageKind::Tts].map(|stage| self.names(stage).join(", "));
        if !self.s2s.is_empty() {
            write!(f, "S2S {}   ", self.names(StageKind::SpeechToSpeech).join(", "))?;
        }
        write!(f, "VAD {}   STT {stt}   LLM {llm}   TTS {tts}", self.vad.name)
    }
}

impl fmt::Debug for VadEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VadEngine")
            .field("name", &self.name)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
