//! The recognisers and voices of languages that calls can switch to, behind those that calls begin with.

use super::caching::Caching;
use super::{Builder, EngineError, apology};
use ringway_actors::{Engines, Language, Phrase, VadEngine};
use ringway_config::{Config, LanguageConfig, Secrets, name_of};
use ringway_stages::llm::LanguageModel;
use ringway_stages::speech_to_speech::SpeechToSpeech;
use ringway_stages::stt::{SpeechToText, SttCall, SttError, SttSession};
use ringway_stages::tool_use;
use ringway_stages::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
use std::ops::Range;
use std::sync::Arc;

/// The engines of all languages, and what is said in each without one.
pub(super) struct Spoken {
    pub(super) languages: Vec<Language>,
    pub(super) stt: Vec<Arc<dyn SpeechToText>>,
    pub(super) tts: Vec<Arc<dyn TextToSpeech>>,
}

/// All that calls can be in, the first one first; none where there is but one.
pub fn names(config: &Config) -> Vec<tool_use::Language> {
    let code = config.call.language.clone();
    let first = tool_use::Language { name: name_of(&code), code };
    let others = config.languages.iter();
    let others =
        others.map(|(code, language)| tool_use::Language { code: code.clone(), name: language.name.clone() });
    if config.languages.is_empty() { Vec::new() } else { std::iter::once(first).chain(others).collect() }
}

impl Spoken {
    /// The language that calls begin in.
    pub(super) fn first(
        config: &Config,
        stt: Vec<Arc<dyn SpeechToText>>,
        tts: Vec<Arc<dyn TextToSpeech>>,
    ) -> Result<Self, TtsError> {
        let code = config.call.language.clone();
        let language = Language {
            name: name_of(&code),
            code,
            stt: 0..stt.len(),
            tts: 0..tts.len(),
            apology: apology::speak(&config.apology.text, &tts)?,
            filler: apology::speak(&config.turn.filler, &tts)?,
        };
        Ok(Self { languages: vec![language], stt, tts })
    }

    /// With these beside them. The filler and the apology of the first are those of the whole.
    pub(super) fn into_engines(
        mut self,
        vad: VadEngine,
        s2s: Vec<Arc<dyn SpeechToSpeech>>,
        llm: Vec<Arc<dyn LanguageModel>>,
    ) -> Engines {
        let Language { apology, filler, .. } = self.languages[0].clone();
        if self.languages.len() == 1 {
            self.languages.clear();
        }
        let Self { languages, stt, tts } = self;
        Engines { vad, s2s, stt, llm, tts, languages, apology, filler }
    }

    /// One more: with engines of its own, or with those of the first.
    pub(super) fn add(
        &mut self,
        code: &str,
        config: &LanguageConfig,
        secrets: &Secrets,
        builder: &mut Builder<'_>,
        caching: &mut Caching,
    ) -> Result<(), EngineError> {
        let first = &self.languages[0];
        let (mut stt, mut tts) = (first.stt.clone(), first.tts.clone());
        let mut own = Builder::new(&config.config, secrets, None, None);
        if config.own_stt {
            let built = own.all(&config.config.stt.engines, Builder::stt)?;
            stt = put(&mut self.stt, built.into_iter().map(|engine| hears_in(code, engine)));
        }
        if config.own_tts {
            let chain = own.all(&config.config.tts.engines, Builder::chosen_voice)?;
            let built = caching.language(&config.config, &chain, [&config.filler, &config.apology]);
            tts = put(&mut self.tts, built.into_iter().map(|voice| speaks_in(code, voice)));
        }
        builder.pools.join(own.pools, code);
        let said = |text: &str| -> Result<Phrase, EngineError> {
            apology::speak(text, &self.tts[tts.clone()]).map_err(EngineError::Apology)
        };
        let (apology, filler) = (said(&config.apology)?, said(&config.filler)?);
        let (code, name) = (code.to_owned(), config.name.clone());
        self.languages.push(Language { code, name, stt, tts, apology, filler });
        Ok(())
    }
}

/// Where they are now.
fn put<E>(engines: &mut Vec<E>, more: impl Iterator<Item = E>) -> Range<usize> {
    let begin = engines.len();
    engines.extend(more);
    begin..engines.len()
}

/// An engine under a name that tells its language: what it fails in one says nothing of it in another.
struct OfLanguage<E: ?Sized> {
    engine: Arc<E>,
    name: String,
}

fn hears_in(code: &str, engine: Arc<dyn SpeechToText>) -> Arc<dyn SpeechToText> {
    let name = format!("{}/{code}", engine.name());
    Arc::new(OfLanguage { engine, name })
}

fn speaks_in(code: &str, engine: Arc<dyn TextToSpeech>) -> Arc<dyn TextToSpeech> {
    let name = format!("{}/{code}", engine.name());
    Arc::new(OfLanguage { engine, name })
}

impl SpeechToText for OfLanguage<dyn SpeechToText> {
    fn name(&self) -> &str {
        &self.name
    }

    fn slots(&self) -> Option<usize> {
        self.engine.slots()
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        self.engine.open(call)
    }
}

impl TextToSpeech for OfLanguage<dyn TextToSpeech> {
    fn name(&self) -> &str {
        &self.name
    }

    fn slots(&self) -> Option<usize> {
        self.engine.slots()
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        self.engine.open(call)
    }
}
