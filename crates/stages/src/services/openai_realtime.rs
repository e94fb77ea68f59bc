//! [OpenAI Realtime](https://developers.openai.com/api/docs/guides/realtime-conversations) in its final form: a model
//! that hears and speaks, behind one socket a call.

mod audio;
mod message;
mod session;

pub(super) use message::read as read_message;

use super::connector::Connector;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::socket::Plan;
use super::{ApiKey, Endpoint, KeyHeader, SetupError};
use crate::address::ask;
use crate::humane;
use crate::speech_to_speech::{SpeechCall, SpeechError, SpeechSession, SpeechToSpeech};
use hyper::HeaderMap;
use serde::{Deserialize, Deserializer};
use session::Session;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "openai_realtime";

/// Who decides that the caller's turn is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TurnDetection {
    /// We do, as for all services: nothing but utterances is sent.
    #[default]
    Own,
    /// The service, by silence. All audio is sent, and paid for.
    Server,
    /// The service, by what was said. All audio is sent, and paid for.
    Semantic,
}

/// Which model talks, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; what the address asks for behind a `?` is asked for too. Default OpenAI's own.
    pub url: Endpoint,
    /// The model. Default `gpt-realtime`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `OPENAI_API_KEY`.
    pub key: String,
    /// The header that it takes the key in: `authorization` has it as `Bearer KEY`, any other the key alone, as Azure's
    /// `api-key` does. Default `authorization`.
    pub key_header: KeyHeader,
    /// The voice. Default `marin`.
    pub voice: String,
    /// What the model is to be and do.
    pub system: String,
    /// What is said to a caller who comes on the line; when it is empty, that is left to the model.
    pub greeting: String,
    /// The model that writes down what the caller says; empty: nobody does, and the caller's words are not known.
    /// Default `gpt-4o-mini-transcribe`.
    pub transcription: String,
    /// The language spoken, as ISO 639-1 has it, for the transcription; empty: it finds out. Default `en`.
    pub language: String,
    /// Who decides that a turn is over.
    pub turn_detection: TurnDetection,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a request for an answer to its first audio. Default 1.8 s.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of an answer. Default 2 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
    /// Age at which a session gives way to a new one, when nobody speaks: the service ends it at an hour. Default
    /// 55 min.
    #[serde(deserialize_with = "age")]
    pub renew_after: Duration,
}

/// Sessions that are renewed all the time would never serve.
fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    humane::within(deserializer, Duration::from_secs(60))
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("wss://api.openai.com/v1/realtime").expect("an address"),
            model: "gpt-realtime".into(),
            key: "OPENAI_API_KEY".into(),
            key_header: KeyHeader::default(),
            voice: "marin".into(),
            system: "You talk with a caller on the telephone. Answer in one to three short sentences.".into(),
            greeting: "Hello, how can I help you?".into(),
            transcription: "gpt-4o-mini-transcribe".into(),
            language: "en".into(),
            turn_detection: TurnDetection::Own,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_secs(2),
            renew_after: Duration::from_secs(55 * 60),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            model: Some(&self.model),
            voice: Some(&self.voice),
            ..Entry::new(Stage::SpeechToSpeech, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToSpeech(Arc::new(OpenAiRealtime::new(self.clone(), key)?)))
    }
}

/// A model that hears and speaks.
#[derive(Clone, Debug)]
pub struct OpenAiRealtime {
    connector: Connector,
    config: Arc<Config>,
    headers: HeaderMap,
}

impl OpenAiRealtime {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = config.key_header.of(key, &config.url)?;
        let connector = Connector::new(&config.url, config.connect)?;
        Ok(Self { connector, config: Arc::new(config), headers })
    }

    fn plan(&self) -> Plan {
        let mut path = self.config.url.below("");
        ask(&mut path, "model", &self.config.model);
        let (connector, headers) = (self.connector.clone(), self.headers.clone());
        Plan { connector, path, headers, limit: self.config.connect }
    }
}

impl SpeechToSpeech for OpenAiRealtime {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SpeechCall) -> Result<Box<dyn SpeechSession>, SpeechError> {
        Ok(Box::new(Session::new(self.clone(), call)))
    }
}
