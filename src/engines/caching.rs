//! Voices that remember what they have said.

use super::chosen::Chosen;
use ringway_config::Config;
use ringway_frame::Format;
use ringway_speech_cache::{SpeechCache, Tiers};
use ringway_stages::dialogue::GAP;
use ringway_stages::tts::TextToSpeech;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// The speech that is kept, and what is to be made ahead of the first call.
#[derive(Debug)]
pub struct Caching {
    /// What is kept.
    pub tiers: Arc<Tiers>,
    /// Of each language: what remembers, and what is to be made ahead by it.
    made_ahead: Vec<(Vec<Arc<SpeechCache>>, Vec<String>)>,
}

impl Caching {
    /// The voices as calls use them. `texts`: what dialogues may say.
    pub(super) fn of(
        config: &Config,
        chain: &[Chosen],
        tiers: Arc<Tiers>,
        texts: &BTreeSet<String>,
    ) -> (Vec<Arc<dyn TextToSpeech>>, Self) {
        let mut caching = Self { tiers, made_ahead: Vec::new() };
        let voices = caching.remember_all(config, chain, phrases(config, texts));
        (voices, caching)
    }

    /// The voices of another language.
    pub(super) fn language(
        &mut self,
        config: &Config,
        chain: &[Chosen],
        texts: [&str; 2],
    ) -> Vec<Arc<dyn TextToSpeech>> {
        let clauses = texts.into_iter().flat_map(|text| ringway_turn::clauses(&config.turn, text));
        let phrases = clauses.collect();
        self.remember_all(config, chain, phrases)
    }

    fn remember_all(
        &mut self,
        config: &Config,
        chain: &[Chosen],
        phrases: Vec<String>,
    ) -> Vec<Arc<dyn TextToSpeech>> {
        let mut caches = Vec::new();
        let voices = chain.iter().map(|chosen| self.remember(config, chosen, &mut caches)).collect();
        self.made_ahead.push((caches, phrases));
        voices
    }

    fn remember(
        &self,
        config: &Config,
        chosen: &Chosen,
        caches: &mut Vec<Arc<SpeechCache>>,
    ) -> Arc<dyn TextToSpeech> {
        let Some(identity) = identity(config, &chosen.name) else { return chosen.voice.clone() };
        let cache = SpeechCache::new(chosen.voice.clone(), &identity.of, identity.speed, self.tiers.clone());
        let cache = Arc::new(cache);
        caches.push(cache.clone());
        cache
    }

    /// Has the phrases made by the preferred voice and by the embedded one, on a thread apart: nobody waits for it, and a
    /// call that asks for one meanwhile has it made.
    pub fn fill(&self) {
        let filling: Vec<_> =
            self.made_ahead.iter().flat_map(|(caches, phrases)| filling(caches, phrases)).collect();
        if filling.is_empty() {
            return;
        }
        let thread = std::thread::Builder::new().name("phrases".into());
        let filled = thread.spawn(move || filling.iter().for_each(|(cache, phrases)| fill(cache, phrases)));
        if let Err(error) = filled {
            tracing::warn!(%error, "no phrases are made ahead");
        }
    }
}

fn filling<'c>(
    caches: &'c [Arc<SpeechCache>],
    phrases: &'c [String],
) -> impl Iterator<Item = (Arc<SpeechCache>, Vec<String>)> + 'c {
    let first = caches.iter().take(1);
    let embedded = caches.iter().skip(1).filter(|cache| cache.name() == FLITE);
    first.chain(embedded).map(|cache| (cache.clone(), phrases.to_vec()))
}

fn fill(cache: &SpeechCache, phrases: &[String]) {
    let (began, mut made) = (Instant::now(), 0);
    for format in [Format::Mulaw8k, Format::Pcm16k] {
        match cache.prefill(format, phrases.iter().map(String::as_str)) {
            Ok(new) => made += new,
            Err(error) => {
                tracing::warn!(%error, voice = cache.name(), "phrases are not made ahead");
                return;
            }
        }
    }
    let millis = began.elapsed().as_millis() as u64;
    tracing::info!(voice = cache.name(), phrases = phrases.len(), made, millis, "phrases are ready");
}

/// The clauses of what is said again and again, each once.
fn phrases(config: &Config, texts: &BTreeSet<String>) -> Vec<String> {
    let ours = [&config.turn.filler, &config.apology.text];
    let all = texts.iter().chain(ours).chain(&config.tts_cache.phrases);
    let clauses = all.flat_map(|text| ringway_turn::clauses(&config.turn, text));
    let known: BTreeSet<String> = clauses.filter(|clause| !clause.contains(GAP)).collect();
    known.into_iter().collect()
}

/// All that shapes a voice's audio beside the text; only its digest is kept.
struct Identity {
    of: String,
    speed: f32,
}

/// `None`: nothing of this voice is kept.
fn identity(config: &Config, name: &str) -> Option<Identity> {
    // What is kept of a voice as it is keeps its name.
    let words = super::normalized(config, name)
        .map(|language| format!(" in words of {language}"))
        .unwrap_or_default();
    if name == FLITE {
        let of = format!("flite {:?}{words}", config.flite.voice);
        return Some(Identity { of, speed: config.flite.speed.into() });
    }
    let options = config.services.get(name)?;
    config.tts_cache.services.then(|| Identity { of: format!("{name} {options:?}{words}"), speed: 1.0 })
}

/// The embedded voice.
const FLITE: &str = "flite";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_the_clauses_that_a_voice_is_asked_for() {
        let mut config = Config::default();
        config.tts_cache.phrases = vec!["Good day. How are you?".into()];
        let texts = [format!("Booked for {GAP}. Anything else?"), "Good day.".to_owned()];
        let phrases = phrases(&config, &texts.into_iter().collect());
        for wanted in ["Good day.", "How are you?", "Anything else?", "One moment."] {
            assert!(phrases.iter().any(|phrase| phrase == wanted), "{wanted}: {phrases:?}");
        }
        assert!(phrases.iter().all(|phrase| !phrase.contains("Booked")), "{phrases:?}");
    }

    #[test]
    fn another_voice_is_another_identity_and_a_tone_has_none() {
        let mut config = Config::default();
        let of = |config: &Config| identity(config, "piper").map(|identity| identity.of);
        let one = of(&config);
        config.services.piper.voice = Some("amy".into());
        assert!(one.is_some() && of(&config) != one);
        assert!(identity(&config, "scripted").is_none());
        config.tts_cache.services = false;
        assert!(of(&config).is_none() && identity(&config, FLITE).is_some());
    }
}
