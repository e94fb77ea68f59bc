//! A server of WhisperLiveKit or of WhisperLive: which one it is is found out.
//!
//! Both are known by the name WHISPERLIVE and take a socket at any path, but only WhisperLiveKit is a web server besides,
//! which tells of its health.

mod probe;
mod session;

use super::connector::Connector;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::whisperlive::{self, WhisperLive};
use super::whisperlivekit::{self, WhisperLiveKit};
use super::{ApiKey, Endpoint, ServiceError, SetupError};
use crate::humane;
use crate::stt::{SpeechToText, SttCall, SttError, SttSession};
use serde::Deserialize;
use session::Session;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "whisper_auto";

/// A server of either kind; all else is as `whisperlivekit` and `whisperlive` have it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; for WhisperLiveKit without a path `/asr` is meant. Default `ws://127.0.0.1:9090`.
    pub url: Endpoint,
    /// What it speaks. Default `auto`.
    pub protocol: Protocol,
    /// The environment variable of its key; a server that asks for none needs none. Default `WHISPERLIVE_API_KEY`.
    pub key: String,
    /// The language spoken, as ISO 639-1 has it; empty: the server finds out. Default `en`.
    pub language: String,
    /// Until a connection stands, and until the server has told what it is. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// It is found out.
    Auto,
    /// WhisperLiveKit's own socket.
    WhisperLiveKit,
    /// That of collabora's WhisperLive.
    WhisperLive,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("ws://127.0.0.1:9090").expect("an address"),
            protocol: Protocol::Auto,
            key: "WHISPERLIVE_API_KEY".into(),
            language: "en".into(),
            connect: Duration::from_secs(1),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { key: Some(&self.key), ..Entry::new(Stage::SpeechToText, &self.url) }
    }

    fn build(&self, services: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        let (livekit, live) = (services.of(whisperlivekit::NAME), services.of(whisperlive::NAME));
        Ok(Engine::SpeechToText(Arc::new(WhisperAuto::new(self.clone(), livekit, live, key)?)))
    }
}

/// A recogniser that hears every frame, behind a socket for each call.
#[derive(Clone, Debug)]
pub struct WhisperAuto {
    connector: Connector,
    livekit: WhisperLiveKit,
    live: WhisperLive,
    chosen: Protocol,
    found: Arc<Mutex<Option<Kind>>>,
    limit: Duration,
}

/// What a server has turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    WhisperLiveKit,
    WhisperLive,
}

impl WhisperAuto {
    /// A client of the server, with the other options of both kinds; connections are set up on the present runtime, and
    /// the server is asked at once what it is.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(
        config: Config,
        livekit: whisperlivekit::Config,
        live: whisperlive::Config,
        key: Option<&ApiKey>,
    ) -> Result<Self, SetupError> {
        let Config { url, protocol, language, connect, .. } = config;
        let connector = Connector::new(&url, connect)?;
        let livekit =
            whisperlivekit::Config { url: url.clone(), language: language.clone(), connect, ..livekit };
        let live = whisperlive::Config { url, language, connect, ..live };
        let service = Self {
            connector,
            livekit: WhisperLiveKit::new(livekit, key)?,
            live: WhisperLive::new(live, key)?,
            chosen: protocol,
            found: Arc::default(),
            limit: connect,
        };
        if protocol == Protocol::Auto {
            let asked = service.clone();
            tokio::spawn(async move {
                if let Err(error) = asked.find().await {
                    tracing::info!(engine = NAME, %error, "the server does not tell what it is yet");
                }
            });
        }
        Ok(service)
    }

    fn known(&self) -> Option<Kind> {
        match self.chosen {
            Protocol::WhisperLiveKit => Some(Kind::WhisperLiveKit),
            Protocol::WhisperLive => Some(Kind::WhisperLive),
            Protocol::Auto => *self.found.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Asks the server.
    async fn find(&self) -> Result<Kind, ServiceError> {
        let kind = probe::ask(&self.connector, self.limit).await?;
        tracing::info!(engine = NAME, ?kind, "the server has told what it is");
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
        Ok(kind)
    }

    /// Another server may have taken its place.
    fn doubt(&self) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn open_as(&self, kind: Kind, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        match kind {
            Kind::WhisperLiveKit => self.livekit.open(call),
            Kind::WhisperLive => self.live.open(call),
        }
    }
}

impl SpeechToText for WhisperAuto {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Session::open(self.clone(), call).map(|session| Box::new(session) as Box<dyn SttSession>)
    }
}
