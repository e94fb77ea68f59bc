//! A speech server of one's own: a socket that takes the caller's audio as s16le at 16 kHz and gives the answer as
//! chunks of WAV, and in JSON the words of both sides. It finds the ends of turns by itself, and answers unasked.

mod message;
mod session;
mod voice;

pub(super) use message::read as read_message;

use super::connector::Connector;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::socket::Plan;
use super::{ApiKey, Endpoint, KeyHeader, SetupError};
use crate::humane;
use crate::speech_to_speech::{SpeechCall, SpeechError, SpeechSession, SpeechToSpeech};
use hyper::HeaderMap;
use serde::Deserialize;
use session::Session;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "speech_server";

/// Where it is, and how it is talked to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens. Default `ws://127.0.0.1:9000`.
    pub url: Endpoint,
    /// The environment variable of its key; empty, or not set: none is sent. Default `SPEECH_SERVER_KEY`.
    pub key: String,
    /// Whether it speaks first. Default false: a caller hears nothing before they have spoken.
    pub greets: bool,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From the end of the caller's turn to the first chunk. Default 1.8 s.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// An answer without a further chunk for so long, once all of it was taken, is over: the server does not say so.
    /// Default 800 ms.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("ws://127.0.0.1:9000").expect("an address"),
            key: "SPEECH_SERVER_KEY".into(),
            greets: false,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_millis(800),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { key: Some(&self.key), ..Entry::new(Stage::SpeechToSpeech, &self.url) }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToSpeech(Arc::new(SpeechServer::new(self.clone(), key)?)))
    }
}

/// A speech server.
#[derive(Clone, Debug)]
pub struct SpeechServer {
    connector: Connector,
    config: Arc<Config>,
    headers: HeaderMap,
}

impl SpeechServer {
    /// A client of the server; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = KeyHeader::default().of(key, &config.url)?;
        let connector = Connector::new(&config.url, config.connect)?;
        Ok(Self { connector, config: Arc::new(config), headers })
    }

    fn plan(&self) -> Plan {
        let (connector, headers) = (self.connector.clone(), self.headers.clone());
        Plan { connector, path: self.config.url.below(""), headers, limit: self.config.connect }
    }
}

impl SpeechToSpeech for SpeechServer {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SpeechCall) -> Result<Box<dyn SpeechSession>, SpeechError> {
        Ok(Box::new(Session::new(self, call.format)))
    }
}
