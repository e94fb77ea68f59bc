//! [Deepgram](https://developers.deepgram.com/docs/streaming-text-to-speech)'s voice over its socket, version 1: one
//! socket a call, in the call's own format.

use super::connector::Connector;
use super::error::{failure_told, words_told};
use super::lenient::Text;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::voice::{Dialect, Door, Heard, KeepAlive, Streamed, Timeouts};
use super::{ApiKey, Endpoint, KeyHeader, ServiceError, SetupError};
use crate::address::ask;
use crate::humane;
use crate::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
use hyper::HeaderMap;
use ringway_frame::Format;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// Its name in configuration.
pub const NAME: &str = "deepgram_tts";

/// Which voice speaks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; what the address asks for behind a `?` is asked for too. Default Deepgram's own.
    pub url: Endpoint,
    /// The environment variable of its key; a service that asks for none needs none. Default `DEEPGRAM_API_KEY`.
    pub key: String,
    /// The voice, which is a model and has a language. Default `aura-2-thalia-en`.
    pub model: String,
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
            url: Endpoint::parse("wss://api.deepgram.com/v1/speak").expect("an address"),
            key: "DEEPGRAM_API_KEY".into(),
            model: "aura-2-thalia-en".into(),
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_millis(1_500),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { key: Some(&self.key), model: Some(&self.model), ..Entry::new(Stage::TextToSpeech, &self.url) }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::TextToSpeech(Arc::new(DeepgramTts::new(self.clone(), key)?)))
    }
}

/// A voice behind a socket for each call.
#[derive(Clone, Debug)]
pub struct DeepgramTts {
    connector: Connector,
    config: Arc<Config>,
    headers: HeaderMap,
}

impl DeepgramTts {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = KeyHeader::default().behind("Token", key, &config.url)?;
        let connector = Connector::new(&config.url, config.connect)?;
        Ok(Self { connector, config: Arc::new(config), headers })
    }

    fn path(&self, format: Format) -> String {
        let Config { url, model, .. } = &*self.config;
        let encoding = match format {
            Format::Mulaw8k => "mulaw",
            Format::Pcm8k | Format::Pcm16k => "linear16",
        };
        let mut path = url.below("");
        ask(&mut path, "model", model);
        ask(&mut path, "encoding", encoding);
        ask(&mut path, "sample_rate", &format.rate().hz().to_string());
        path
    }
}

impl TextToSpeech for DeepgramTts {
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
        let stream = Stream::default();
        Ok(Box::new(Streamed::open(stream, door, call.format, Timeouts { first: first_byte, idle })))
    }
}

/// Audio of one clause behind the other, with a word at the end of each.
#[derive(Debug, Default)]
struct Stream {
    /// Clauses whose end was not told, in order.
    owed: VecDeque<u64>,
    /// Clears that were not answered: what comes before that is of no use.
    clearing: u32,
    /// When clauses were flushed, of this socket.
    flushes: VecDeque<Instant>,
}

impl Dialect for Stream {
    const NAME: &'static str = NAME;
    const TIMED: bool = false;
    const KEEP_ALIVE: Option<KeepAlive> = None;
    const FAREWELL: &'static str = r#"{"type":"Close"}"#;

    fn speak(&mut self, number: u64, text: &str, out: &mut VecDeque<String>) {
        out.push_back(json!({"type": "Speak", "text": text}).to_string());
        out.push_back(FLUSH.to_owned());
        self.owed.push_back(number);
        self.flushes.push_back(Instant::now());
    }

    fn cancel(&mut self, _: &[u64], out: &mut VecDeque<String>) {
        out.push_back(CLEAR.to_owned());
        self.owed.clear();
        self.clearing += 1;
    }

    fn read(
        &mut self,
        message: Message,
        heard: &mut Vec<Heard>,
        _: &mut VecDeque<String>,
    ) -> Result<(), ServiceError> {
        let told = match message {
            Message::Binary(audio) => Told::Audio(audio),
            Message::Text(text) => read_message(&text)?,
            _ => Told::Other,
        };
        match told {
            Told::Failed(error) => heard.push(Heard::Failed(None, error)),
            Told::Cleared => self.clearing = self.clearing.saturating_sub(1),
            _ if self.clearing > 0 => {}
            Told::Audio(audio) => heard.extend(self.owed.front().map(|number| Heard::Audio(*number, audio))),
            Told::Flushed => heard.extend(self.owed.pop_front().map(Heard::End)),
            Told::Warning(warning) => tracing::warn!(voice = NAME, %warning, "the service warns"),
            Told::Other => {}
        }
        Ok(())
    }

    /// A socket takes twenty flushes a minute.
    fn is_spent(&mut self) -> bool {
        while self.flushes.pop_front_if(|flush| flush.elapsed() > FLUSH_WINDOW).is_some() {}
        self.flushes.len() >= MOST_FLUSHES
    }

    fn renew(&mut self) {
        *self = Self::default();
    }
}

/// What the service says.
#[derive(Debug)]
pub(super) enum Told {
    Audio(bytes::Bytes),
    /// All that was to be said before a flush has come.
    Flushed,
    Cleared,
    Warning(String),
    Failed(ServiceError),
    /// Notes about the request, and what is not known here.
    Other,
}

/// Reads a message of text.
pub(super) fn read_message(text: &str) -> Result<Told, ServiceError> {
    let Raw { kind } =
        serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    Ok(match kind.0.as_deref() {
        Some("Flushed") => Told::Flushed,
        Some("Cleared") => Told::Cleared,
        Some("Warning") => Told::Warning(words_told(text)),
        Some("Error") => Told::Failed(failure_told(text)),
        _ => Told::Other,
    })
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type", default)]
    kind: Text,
}

const FLUSH: &str = r#"{"type":"Flush"}"#;
const CLEAR: &str = r#"{"type":"Clear"}"#;

const FLUSH_WINDOW: Duration = Duration::from_secs(60);

/// Two less than the service permits: two clauses may be asked for at a time.
const MOST_FLUSHES: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn audio_is_asked_for_in_the_calls_own_format() {
        let voice = |url: &str| {
            let config = Config { url: Endpoint::parse(url).unwrap(), ..Config::default() };
            DeepgramTts::new(config, None).unwrap()
        };
        assert_eq!(
            voice("ws://localhost/v1/speak").path(Format::Mulaw8k),
            "/v1/speak?model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000"
        );
        assert_eq!(
            voice("ws://localhost/v1/speak?mip_opt_out=true").path(Format::Pcm16k),
            "/v1/speak?mip_opt_out=true&model=aura-2-thalia-en&encoding=linear16&sample_rate=16000"
        );
    }

    #[test]
    fn messages_are_read() {
        let read = |text| format!("{:?}", read_message(text).unwrap());
        assert_eq!(read(r#"{"type":"Flushed","sequence_id":0}"#), "Flushed");
        assert_eq!(read(r#"{"type":"Cleared","sequence_id":1}"#), "Cleared");
        assert_eq!(read(r#"{"type":"Metadata","request_id":"x"}"#), "Other");
        let warning = r#"{"type":"Warning","description":"too many flushes","code":"X"}"#;
        assert_eq!(read(warning), r#"Warning("too many flushes")"#);
        let error = r#"{"type":"Error","description":"no such model"}"#;
        assert_eq!(read(error), r#"Failed(Failed { message: "no such model" })"#);
        assert!(read_message("oops").unwrap_err().to_string().starts_with("malformed message: "));
    }
}
