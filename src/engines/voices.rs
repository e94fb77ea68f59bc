//! The voices of the configured chain, one by one: by name and at another speed.

use super::EngineError;
use super::chosen::Chosen;
use ringway_config::{Config, Secrets};
use ringway_stages::flite::{Speed, VoiceName};
use ringway_stages::services::registry::SpeechRate;
use ringway_stages::tts::TextToSpeech;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// All voices that the configured engines have.
///
/// `variants` is a lock, since requests share it; it is taken once a request for a few steps in a short list.
#[derive(Debug)]
pub struct Voices {
    config: Config,
    secrets: Secrets,
    chain: Vec<Chosen>,
    variants: Mutex<Vec<Variant>>,
}

/// An engine that speaks otherwise than it is configured.
struct Variant {
    engine: String,
    voice: String,
    speed: f64,
    built: Arc<dyn TextToSpeech>,
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.engine, self.voice, self.speed)
    }
}

/// A voice that may be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct VoiceInfo {
    /// Its name.
    pub name: String,
    /// The engine that has it.
    pub engine: String,
    /// How fast it may speak, as a factor of how it is configured: the least and the most.
    pub speeds: (f64, f64),
}

/// Why nothing can speak so.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// No such voice.
    #[error("no voice is named {name:?}; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No such speed.
    #[error("speed: the voice {voice:?} speaks from {least} to {most} times as fast, not {speed}")]
    Speed {
        /// Whose.
        voice: String,
        /// What was asked for.
        speed: f64,
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
    /// It cannot be set up.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Voices {
    pub(super) fn new(config: &Config, secrets: &Secrets, chain: Vec<Chosen>) -> Self {
        Self { config: config.clone(), secrets: secrets.clone(), chain, variants: Mutex::default() }
    }

    /// All of them, each name once; the first is the default, behind which stands the whole chain.
    pub fn list(&self) -> Vec<VoiceInfo> {
        let mut list: Vec<VoiceInfo> = Vec::new();
        for chosen in &self.chain {
            let speeds = speeds(&self.config, &chosen.name);
            for name in names(&self.config, &chosen.name) {
                if list.iter().all(|known| known.name != name) {
                    list.push(VoiceInfo { name, engine: chosen.name.clone(), speeds });
                }
            }
        }
        list
    }

    /// Whether any of them can speak now.
    pub fn serve(&self) -> bool {
        self.chain.iter().any(|chosen| chosen.voice.slots() != Some(0))
    }

    /// What speaks so, in order of preference. May block for as long as an engine takes to start.
    ///
    /// # Errors
    /// Nothing can.
    pub fn at(&self, name: &str, speed: f64) -> Result<Vec<Arc<dyn TextToSpeech>>, VoiceError> {
        let list = self.list();
        let info = list.iter().find(|info| info.name == name).ok_or_else(|| unknown(name, &list))?;
        let is_default = list.first() == Some(info);
        let mut found = Vec::new();
        for chosen in &self.chain {
            let serves = is_default || chosen.name == info.engine;
            if serves && within(speeds(&self.config, &chosen.name), speed) {
                let own = names(&self.config, &chosen.name);
                let voice = if is_default { own[0].as_str() } else { name };
                found.push(self.variant(chosen, voice, speed)?);
            }
        }
        if found.is_empty() {
            let (least, most) = info.speeds;
            return Err(VoiceError::Speed { voice: name.to_owned(), speed, least, most });
        }
        Ok(found)
    }

    fn variant(&self, chosen: &Chosen, voice: &str, speed: f64) -> Result<Arc<dyn TextToSpeech>, VoiceError> {
        let configured = names(&self.config, &chosen.name)[0] == voice;
        if configured && speed == 1.0 {
            return Ok(chosen.voice.clone());
        }
        if let Some(built) = self.built(&chosen.name, voice, speed) {
            return Ok(built);
        }
        let mut config = self.config.clone();
        change(&mut config, &chosen.name, voice, speed);
        let built = super::one_tts(&config, &self.secrets, &chosen.name)?;
        let (engine, voice) = (chosen.name.clone(), voice.to_owned());
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        // What was not used for the longest goes: the last used is the last in the list.
        if variants.len() == MOST_VARIANTS {
            variants.remove(0);
        }
        variants.push(Variant { engine, voice, speed, built: built.clone() });
        Ok(built)
    }

    fn built(&self, engine: &str, voice: &str, speed: f64) -> Option<Arc<dyn TextToSpeech>> {
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        let is =
            |variant: &Variant| variant.engine == engine && variant.voice == voice && variant.speed == speed;
        let at = variants.iter().position(is)?;
        let variant = variants.remove(at);
        let built = variant.built.clone();
        variants.push(variant);
        Some(built)
    }
}

fn unknown(name: &str, list: &[VoiceInfo]) -> VoiceError {
    let known = list.iter().map(|info| info.name.as_str()).collect::<Vec<_>>().join(", ");
    VoiceError::Unknown { name: name.to_owned(), known }
}

fn within((least, most): (f64, f64), speed: f64) -> bool {
    (least..=most).contains(&speed)
}

/// An engine's voices, the configured one first. Of one that does not know its own name, the engine's counts.
fn names(config: &Config, engine: &str) -> Vec<String> {
    let one = match engine {
        "flite" => {
            let first = config.flite.voice;
            let others = FLITES.into_iter().filter(|voice| *voice != first);
            return std::iter::once(first).chain(others).map(|voice| voice.to_string()).collect();
        }
        _ => config.services.get(engine).and_then(|service| service.entry().voice).map(str::to_owned),
    };
    vec![one.filter(|name| !name.is_empty()).unwrap_or_else(|| engine.to_owned())]
}

/// How much slower and faster an engine may speak than it is configured: the bounds of `ringway check`.
fn speeds(config: &Config, engine: &str) -> (f64, f64) {
    if engine == "flite" {
        let now = f64::from(f32::from(config.flite.speed));
        return (0.5 / now, 2.0 / now);
    }
    match config.services.get(engine).and_then(|service| service.entry().rate) {
        Some(SpeechRate { now, range }) => (range.start() / now, range.end() / now),
        None => (1.0, 1.0),
    }
}

/// Has the engine speak with this voice, so many times as fast as it is configured.
fn change(config: &mut Config, engine: &str, voice: &str, speed: f64) {
    if engine != "flite" {
        if let Some(service) = config.services.get_mut(engine) {
            service.speed_up(speed);
        }
        return;
    }
    let now = f64::from(f32::from(config.flite.speed));
    if let Some(named) = FLITES.into_iter().find(|named| named.to_string() == voice) {
        config.flite.voice = named;
    }
    if let Ok(speed) = Speed::try_from((now * speed) as f32) {
        config.flite.speed = speed;
    }
}

const FLITES: [VoiceName; 5] =
    [VoiceName::Slt, VoiceName::Awb, VoiceName::Rms, VoiceName::Kal, VoiceName::Kal16];

/// Engines besides the configured ones that are kept: each may have threads and connections.
const MOST_VARIANTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_stages::scripted::ScriptedTts;

    fn voices(config: &Config) -> Voices {
        let scripted = |name: &String| Chosen {
            name: name.clone(),
            voice: Arc::new(ScriptedTts::new(&config.scripted)),
        };
        let chain = config.tts.engines.iter().map(scripted).collect();
        Voices::new(config, &Secrets::default(), chain)
    }

    fn chain(names: &[&str]) -> Config {
        let mut config = Config::default();
        config.tts.engines = names.iter().map(|name| (*name).to_owned()).collect();
        config
    }

    #[test]
    fn the_default_is_the_first_voice_and_every_name_is_listed_once() {
        let mut config = chain(&["openai_tts", "flite"]);
        config.services.openai_tts.voice = "rms".into();
        let list = voices(&config).list();
        let names: Vec<_> = list.iter().map(|info| (info.name.as_str(), info.engine.as_str())).collect();
        let expected =
            [("rms", "openai_tts"), ("slt", "flite"), ("awb", "flite"), ("kal", "flite"), ("kal16", "flite")];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_no_voice_can_do_is_told() {
        let voices = voices(&chain(&["scripted"]));
        assert_eq!(voices.at("scripted", 1.0).map(|found| found.len()).ok(), Some(1));
        let told = |name, speed| voices.at(name, speed).map(drop).expect_err("it cannot").to_string();
        assert_eq!(told("amy", 1.0), "no voice is named \"amy\"; there are: scripted");
        assert!(told("scripted", 1.5).starts_with("speed: the voice \"scripted\" speaks from 1 to 1 "));
    }

    #[test]
    fn of_the_default_the_whole_chain_speaks_that_can_at_this_speed() {
        let voices = voices(&chain(&["scripted", "flite"]));
        let count = |name, speed| voices.at(name, speed).expect("it can").len();
        assert_eq!((count("scripted", 1.0), count("scripted", 1.5), count("slt", 1.0)), (2, 1, 1));
    }

    #[test]
    fn a_variant_is_built_once() {
        let voices = voices(&chain(&["flite"]));
        let one = voices.at("rms", 1.25).expect("it can");
        let again = voices.at("rms", 1.25).expect("it can");
        assert!(Arc::ptr_eq(&one[0], &again[0]));
    }
}
