//! [WhisperLiveKit](https://github.com/QuentinFuxa/WhisperLiveKit)'s own socket, `/asr`.

mod message;
mod reader;

pub(super) use reader::check as check_message;

use super::access::Access;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::stt_link::{Dialect, KeepAlive};
use super::whisper::{Session, Timing};
use super::{ApiKey, Endpoint, KeyHeader, SetupError};
use crate::address::ask;
use crate::humane;
use crate::stt::{SpeechToText, SttCall, SttError, SttSession};
use reader::Messages;
use ringway_frame::Format;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "whisperlivekit";

/// How a server of WhisperLiveKit is spoken to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; without a path `/asr` is meant. Default `ws://127.0.0.1:8000/asr`.
    pub url: Endpoint,
    /// How it tells what it understood. Default `diff`.
    pub mode: Mode,
    /// The environment variable of its token; a server that asks for none needs none. Default `WLK_API_TOKEN`.
    pub key: String,
    /// The language spoken, as ISO 639-1 has it, or `auto`; empty: what the server was started with. Default `en`.
    pub language: String,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// How long the last words of a turn are waited for; a server that has not looked at them then is given up.
    /// Default 1.5 s.
    #[serde(deserialize_with = "humane::limit")]
    pub finalize: Duration,
    /// How long the last words must not have changed to count. Default 200 ms.
    #[serde(deserialize_with = "humane::limit")]
    pub settle: Duration,
    /// Silence that is sent ahead at the end of a turn, so that the server looks at its words at once. Default 400 ms.
    #[serde(deserialize_with = "humane::limit")]
    pub padding: Duration,
}

/// How the server tells what it understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All of the call each time.
    Full,
    /// What has changed.
    Diff,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("ws://127.0.0.1:8000/asr").expect("an address"),
            mode: Mode::Diff,
            key: "WLK_API_TOKEN".into(),
            language: "en".into(),
            connect: Duration::from_secs(1),
            finalize: Duration::from_millis(1_500),
            settle: Duration::from_millis(200),
            padding: Duration::from_millis(400),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { key: Some(&self.key), ..Entry::new(Stage::SpeechToText, &self.url) }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToText(Arc::new(WhisperLiveKit::new(self.clone(), key)?)))
    }
}

/// A recogniser that hears every frame, behind a socket for each call.
#[derive(Clone, Debug)]
pub struct WhisperLiveKit {
    access: Access,
    config: Arc<Config>,
}

impl WhisperLiveKit {
    /// A client of the server; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = KeyHeader::default().of(key, &config.url)?;
        let access = Access::new(&config.url, headers, config.connect)?;
        Ok(Self { access, config: Arc::new(config) })
    }
}

impl Dialect for WhisperLiveKit {
    const KEEP_ALIVE: KeepAlive = KeepAlive::Ping;
    const CLOSE: Option<&'static str> = None;

    fn access(&self) -> &Access {
        &self.access
    }

    fn path(&self, _: Format) -> String {
        let Config { url, mode, language, .. } = &*self.config;
        let path = url.below("");
        let mut path = if path == "/" { "/asr".to_owned() } else { path };
        let mode = match mode {
            Mode::Full => "full",
            Mode::Diff => "diff",
        };
        ask(&mut path, "mode", mode);
        ask(&mut path, "language", language);
        path
    }
}

impl SpeechToText for WhisperLiveKit {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        let Config { finalize, settle, padding, .. } = *self.config;
        let timing = Timing { finalize, settle, padding, renew: None };
        Ok(Box::new(Session::new(NAME, self.clone(), Messages::default(), call.format, timing)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_asked_for_with_its_options() {
        let path = |url: &str, mode, language: &str| {
            let config = Config {
                url: Endpoint::parse(url).unwrap(),
                mode,
                language: language.into(),
                ..Config::default()
            };
            WhisperLiveKit::new(config, None).unwrap().path(Format::Pcm16k)
        };
        assert_eq!(path("ws://localhost:8000", Mode::Diff, "en"), "/asr?mode=diff&language=en");
        assert_eq!(path("ws://localhost/stt/asr?x=1", Mode::Full, ""), "/stt/asr?x=1&mode=full");
    }
}
