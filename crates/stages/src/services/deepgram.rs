//! [Deepgram](https://developers.deepgram.com/reference/speech-to-text/listen-streaming)'s streaming recogniser,
//! version 1; WhisperLiveKit's `/v1/listen` and others speak the same.

mod message;
mod session;
mod whisperlivekit;

pub(super) use message::read as read_message;

use super::access::Access;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::stt_link::{Dialect, KeepAlive, Link};
use super::{ApiKey, Endpoint, KeyHeader, SetupError};
use crate::address::ask;
use crate::humane;
use crate::stt::{SpeechToText, SttCall, SttError, SttSession};
use ringway_frame::Format;
use serde::Deserialize;
use session::Session;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "deepgram";

/// Which model listens, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; what the address asks for behind a `?` is asked for too. Default Deepgram's own.
    pub url: Endpoint,
    /// The model. Default `nova-3`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `DEEPGRAM_API_KEY`.
    pub key: String,
    /// The language spoken, as BCP 47 has it; empty: the model's own. Default `en`.
    pub language: String,
    /// Whose server it is. Default `deepgram`.
    pub server: Server,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// How long the last words of a turn are waited for before what was guessed of them counts. Default 700 ms.
    #[serde(deserialize_with = "humane::limit")]
    pub finalize: Duration,
}

/// Servers that differ in what they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Server {
    /// Deepgram's own, and those that take all that it takes.
    Deepgram,
    /// That of WhisperLiveKit: 16 kHz alone, and no Finalize.
    WhisperLiveKit,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("wss://api.deepgram.com/v1/listen").expect("an address"),
            model: "nova-3".into(),
            key: "DEEPGRAM_API_KEY".into(),
            language: "en".into(),
            server: Server::Deepgram,
            connect: Duration::from_secs(1),
            finalize: Duration::from_millis(700),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { key: Some(&self.key), model: Some(&self.model), ..Entry::new(Stage::SpeechToText, &self.url) }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToText(Arc::new(Deepgram::new(self.clone(), key)?)))
    }
}

/// A recogniser that hears every frame, behind a socket for each call.
#[derive(Clone, Debug)]
pub struct Deepgram {
    access: Access,
    config: Arc<Config>,
}

impl Deepgram {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = KeyHeader::default().behind("Token", key, &config.url)?;
        let access = Access::new(&config.url, headers, config.connect)?;
        Ok(Self { access, config: Arc::new(config) })
    }
}

impl Dialect for Deepgram {
    const KEEP_ALIVE: KeepAlive = KeepAlive::Text(r#"{"type":"KeepAlive"}"#);
    const CLOSE: Option<&'static str> = Some(r#"{"type":"CloseStream"}"#);

    fn access(&self) -> &Access {
        &self.access
    }

    /// When a turn ends is for us to say, by a Finalize: a service that ends it by itself a moment before has nothing left
    /// to answer that with, and its silence would be waited for.
    fn path(&self, format: Format) -> String {
        let Config { url, model, language, .. } = &*self.config;
        let mut path = url.below("");
        let encoding = match format {
            Format::Mulaw8k => "mulaw",
            Format::Pcm8k | Format::Pcm16k => "linear16",
        };
        ask(&mut path, "encoding", encoding);
        ask(&mut path, "sample_rate", &format.rate().hz().to_string());
        path += "&channels=1&interim_results=true&endpointing=false";
        ask(&mut path, "model", model);
        ask(&mut path, "language", language);
        path
    }
}

impl SpeechToText for Deepgram {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(match self.config.server {
            Server::Deepgram => {
                Box::new(Session::new(Link::open(self.clone(), call.format), self.config.finalize))
            }
            Server::WhisperLiveKit => Box::new(whisperlivekit::open(self, call.format)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_calls_audio_is_announced_as_it_is() {
        let deepgram = |url: &str| {
            let config = Config { url: Endpoint::parse(url).unwrap(), ..Config::default() };
            Deepgram::new(Config { language: "en GB".into(), ..config }, None).unwrap()
        };
        assert_eq!(
            deepgram("ws://localhost/v1/listen").path(Format::Mulaw8k),
            "/v1/listen?encoding=mulaw&sample_rate=8000&channels=1&interim_results=true&endpointing=false&model=nova-3&language=en%20GB"
        );
        let with_more = deepgram("ws://localhost/v1/listen?numerals=true").path(Format::Pcm16k);
        assert!(with_more.starts_with("/v1/listen?numerals=true&encoding=linear16&sample_rate=16000&"));
    }
}
