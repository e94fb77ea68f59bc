//! [ElevenLabs](https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input)'
//! voice over its socket of several contexts: one socket a call, a context a clause, in the call's own format.

mod message;

pub(super) use message::read as read_message;

use super::connector::Connector;
use super::section::{Engine, Entry, Problem, Section, Sections, SpeechRate, Stage, faster, within};
use super::voice::{Dialect, Door, Heard, KeepAlive, Since, Streamed, Timeouts};
use super::{ApiKey, Endpoint, KeyHeader, ServiceError, SetupError};
use crate::address::{ask, encoded};
use crate::humane;
use crate::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
use hyper::header::{HeaderMap, HeaderName};
use ringway_frame::Format;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// Its name in configuration.
pub const NAME: &str = "elevenlabs";

/// Which voice speaks, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/text-to-speech/VOICE/multi-stream-input` lies below. Default ElevenLabs' own.
    pub url: Endpoint,
    /// The environment variable of its key; a service that asks for none needs none. Default `ELEVENLABS_API_KEY`.
    pub key: String,
    /// The voice, by its id. Default one that every account has.
    pub voice: String,
    /// The model. Default `eleven_flash_v2_5`.
    pub model: String,
    /// The language spoken, as ISO 639-1 has it, for models that heed it; empty: they hear it from the text.
    pub language: String,
    /// How even the voice is, from 0 to 1; the voice's own when absent.
    pub stability: Option<f32>,
    /// How like itself the voice is, from 0 to 1; the voice's own when absent.
    pub similarity: Option<f32>,
    /// How fast it speaks, from 0.7 to 1.2; the voice's own pace when absent.
    pub speed: Option<f32>,
    /// Until a socket stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a clause to its first audio. Default 1.8 s: below what counts as a stalled voice.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of audio. Default 1.5 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("wss://api.elevenlabs.io/v1").expect("an address"),
            key: "ELEVENLABS_API_KEY".into(),
            voice: "21m00Tcm4TlvDq8ikWAM".into(),
            model: "eleven_flash_v2_5".into(),
            language: String::new(),
            stability: None,
            similarity: None,
            speed: None,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_millis(1_500),
        }
    }
}

/// What it can do.
const SPEEDS: RangeInclusive<f64> = 0.7..=1.2;

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            model: Some(&self.model),
            voice: Some(&self.voice),
            rate: SpeechRate::of(self.speed, SPEEDS),
            ..Entry::new(Stage::TextToSpeech, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::TextToSpeech(Arc::new(ElevenLabs::new(self.clone(), key)?)))
    }

    fn problems(&self) -> Vec<Problem> {
        let stability = within("stability", self.stability, 0.0..=1.0);
        let similarity = within("similarity", self.similarity, 0.0..=1.0);
        [stability, similarity, within("speed", self.speed, SPEEDS)].into_iter().flatten().collect()
    }

    fn speed_up(&mut self, factor: f64) {
        self.speed = faster(self.speed, factor);
    }
}

/// A voice behind a socket for each call.
#[derive(Clone, Debug)]
pub struct ElevenLabs {
    connector: Connector,
    config: Arc<Config>,
    headers: HeaderMap,
}

impl ElevenLabs {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = KeyHeader::named(KEY).of(key, &config.url)?;
        let connector = Connector::new(&config.url, config.connect)?;
        Ok(Self { connector, config: Arc::new(config), headers })
    }

    fn path(&self, format: Format) -> String {
        let Config { url, voice, model, language, .. } = &*self.config;
        let mut path = url.below(&format!("/text-to-speech/{}/multi-stream-input", encoded(voice)));
        let audio = match format {
            Format::Mulaw8k => "ulaw_8000",
            Format::Pcm8k => "pcm_8000",
            Format::Pcm16k => "pcm_16000",
        };
        ask(&mut path, "output_format", audio);
        // A clause is whole when it is sent: the service need not wait for more of it.
        path += "&auto_mode=true&sync_alignment=true";
        ask(&mut path, "inactivity_timeout", &INACTIVITY_S.to_string());
        ask(&mut path, "model_id", model);
        ask(&mut path, "language_code", language);
        path
    }
}

impl TextToSpeech for ElevenLabs {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        let Config { connect, first_byte, idle, .. } = *self.config;
        let door = Door {
            connector: self.connector.clone(),
            path: self.path(call.format),
            headers: self.headers.clone(),
            limit: connect,
        };
        let contexts = Contexts { config: self.config.clone(), begun: Vec::new() };
        Ok(Box::new(Streamed::open(contexts, door, call.format, Timeouts { first: first_byte, idle })))
    }
}

/// A context for each clause. It is closed when its first audio has come, since what is to be said was flushed then; the
/// service goes on to the end of it and says so.
#[derive(Debug)]
struct Contexts {
    config: Arc<Config>,
    /// Those that are not closed.
    begun: Vec<u64>,
}

#[derive(Serialize)]
struct Begin<'c> {
    text: &'static str,
    context_id: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_settings: Option<Settings>,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    stability: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity_boost: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f32>,
}

#[derive(Serialize)]
struct Text<'c> {
    text: String,
    context_id: &'c str,
    flush: bool,
}

#[derive(Serialize)]
struct Close {
    context_id: String,
    close_context: bool,
}

impl Contexts {
    fn settings(&self) -> Option<Settings> {
        let Config { stability, similarity, speed, .. } = *self.config;
        let settings = Settings { stability, similarity_boost: similarity, speed };
        let said = stability.is_some() || similarity.is_some() || speed.is_some();
        said.then_some(settings)
    }

    fn close(&mut self, number: u64, out: &mut VecDeque<String>) {
        if let Some(at) = self.begun.iter().position(|begun| *begun == number) {
            self.begun.swap_remove(at);
            out.push_back(json(&Close { context_id: name_of(number), close_context: true }));
        }
    }
}

impl Dialect for Contexts {
    const NAME: &'static str = NAME;
    const TIMED: bool = true;
    const KEEP_ALIVE: Option<KeepAlive> =
        Some(KeepAlive { every: Duration::from_secs(INACTIVITY_S / 3), message: r#"{"text":""}"# });
    const FAREWELL: &'static str = r#"{"close_socket":true}"#;

    fn speak(&mut self, number: u64, text: &str, out: &mut VecDeque<String>) {
        let context_id = &name_of(number);
        out.push_back(json(&Begin { text: " ", context_id, voice_settings: self.settings() }));
        out.push_back(json(&Text { text: format!("{text} "), context_id, flush: true }));
        self.begun.push(number);
    }

    fn cancel(&mut self, numbers: &[u64], out: &mut VecDeque<String>) {
        numbers.iter().for_each(|number| self.close(*number, out));
    }

    fn read(
        &mut self,
        message: Message,
        heard: &mut Vec<Heard>,
        out: &mut VecDeque<String>,
    ) -> Result<(), ServiceError> {
        let Message::Text(text) = message else { return Ok(()) };
        let told = message::read(&text)?;
        let number = told.context.as_deref().map(number_of);
        if let Some(error) = told.error {
            heard.push(Heard::Failed(number, error));
            return Ok(());
        }
        let Some(number) = number else { return Ok(()) };
        if !told.characters.is_empty() {
            heard.push(Heard::Words(number, Since::Now, told.characters));
        }
        if let Some(audio) = told.audio {
            heard.push(Heard::Audio(number, audio));
            self.close(number, out);
        }
        if told.is_final {
            heard.push(Heard::End(number));
        }
        Ok(())
    }

    fn renew(&mut self) {
        self.begun.clear();
    }
}

fn json(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("text and numbers are JSON")
}

fn name_of(number: u64) -> String {
    format!("c{number}")
}

/// 0, which no clause has, for a context of somebody else's.
fn number_of(name: &str) -> u64 {
    name.strip_prefix('c').and_then(|number| number.parse().ok()).unwrap_or(0)
}

const KEY: HeaderName = HeaderName::from_static("xi-api-key");

/// Seconds after which the service gives up a silent socket: the most that it grants.
const INACTIVITY_S: u64 = 180;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn audio_is_asked_for_in_the_calls_own_format() {
        let config = Config { url: Endpoint::parse("ws://localhost/v1").unwrap(), ..Config::default() };
        let config = Config { voice: "a b".into(), language: "de".into(), ..config };
        let voice = ElevenLabs::new(config, None).unwrap();
        assert_eq!(
            voice.path(Format::Mulaw8k),
            "/v1/text-to-speech/a%20b/multi-stream-input?output_format=ulaw_8000&auto_mode=true\
             &sync_alignment=true&inactivity_timeout=180&model_id=eleven_flash_v2_5&language_code=de"
        );
        assert!(voice.path(Format::Pcm16k).contains("output_format=pcm_16000&"));
    }
}
