//! Cartesia's streaming recogniser that is told where an utterance ends:
//! <https://docs.cartesia.ai/api-reference/stt/websocket>.

mod message;

pub(super) use message::read as read_message;

use super::access::Access;
use super::dictation::{Dictated, Heard, Session};
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::stt_link::{Dialect, KeepAlive};
use super::{ApiKey, Endpoint, KeyHeader, ServiceError, SetupError};
use crate::address::ask;
use crate::humane;
use crate::stt::{SpeechToText, SttCall, SttError, SttSession};
use hyper::header::HeaderValue;
use ringway_frame::Format;
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "cartesia_stt";

/// Which model listens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; what the address asks for behind a `?` is asked for too. Default Cartesia's own.
    pub url: Endpoint,
    /// The model. Default `ink-2`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `CARTESIA_API_KEY`.
    pub key: String,
    /// The language spoken, as ISO 639-1 has it; empty: the model's own. Default `en`.
    pub language: String,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// How long the last words of a turn are waited for before what was guessed of them counts. Default 700 ms.
    #[serde(deserialize_with = "humane::limit")]
    pub finalize: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("wss://api.cartesia.ai/stt/websocket").expect("an address"),
            model: "ink-2".into(),
            key: "CARTESIA_API_KEY".into(),
            language: "en".into(),
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
        Ok(Engine::SpeechToText(Arc::new(CartesiaStt::new(self.clone(), key)?)))
    }
}

/// A recogniser that hears utterances as they are spoken, behind a socket for each call.
#[derive(Clone, Debug)]
pub struct CartesiaStt {
    access: Access,
    config: Arc<Config>,
}

impl CartesiaStt {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let mut headers = KeyHeader::default().of(key, &config.url)?;
        headers.insert("cartesia-version", HeaderValue::from_static(VERSION));
        let access = Access::new(&config.url, headers, config.connect)?;
        Ok(Self { access, config: Arc::new(config) })
    }
}

impl Dialect for CartesiaStt {
    // Pings do not count as a sign of life.
    const KEEP_ALIVE: KeepAlive = KeepAlive::Silence;
    const CLOSE: Option<&'static str> = Some("close");

    fn access(&self) -> &Access {
        &self.access
    }

    fn path(&self, format: Format) -> String {
        let Config { url, model, language, .. } = &*self.config;
        let mut path = url.below("");
        let encoding = match format {
            Format::Mulaw8k => "pcm_mulaw",
            Format::Pcm8k | Format::Pcm16k => "pcm_s16le",
        };
        ask(&mut path, "encoding", encoding);
        ask(&mut path, "sample_rate", &format.rate().hz().to_string());
        ask(&mut path, "model", model);
        ask(&mut path, "language", language);
        path
    }
}

impl Dictated for CartesiaStt {
    const NAME: &'static str = NAME;
    const FLUSH: &'static str = "finalize";
    const FORGET: Option<&'static str> = None;
    const LEAST_FRAMES: usize = 0;

    fn patience(&self) -> Duration {
        self.config.finalize
    }

    fn read(&mut self, text: &str, heard: &mut VecDeque<Heard>) -> Result<(), ServiceError> {
        heard.extend(read_message(text)?);
        Ok(())
    }
}

impl SpeechToText for CartesiaStt {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(Box::new(Session::open(self.clone(), call.format)))
    }
}

/// The version of the interface: <https://docs.cartesia.ai/use-the-api/api-conventions>.
const VERSION: &str = "2026-03-01";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_calls_audio_is_announced_as_it_is() {
        let url = Endpoint::parse("ws://localhost/stt/websocket").unwrap();
        let key = ApiKey::new("sk_car_x");
        let cartesia = CartesiaStt::new(Config { url, ..Config::default() }, Some(&key)).unwrap();
        assert_eq!(
            cartesia.path(Format::Mulaw8k),
            "/stt/websocket?encoding=pcm_mulaw&sample_rate=8000&model=ink-2&language=en"
        );
        assert!(cartesia.path(Format::Pcm16k).contains("?encoding=pcm_s16le&sample_rate=16000&"));
        let headers = &cartesia.access().headers;
        assert_eq!(headers["cartesia-version"], VERSION);
        assert_eq!(headers["authorization"], "Bearer sk_car_x");
    }
}
