//! [WhisperLive](https://github.com/collabora/WhisperLive) of collabora.

mod message;
mod reader;

pub(super) use reader::check as check_message;

use super::access::Access;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::stt_link::{Dialect, KeepAlive};
use super::whisper::{Session, Timing};
use super::{ApiKey, Endpoint, KeyHeader, SetupError};
use crate::humane;
use crate::stt::{SpeechToText, SttCall, SttError, SttSession};
use bytes::Bytes;
use reader::Messages;
use ringway_frame::Format;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// Its name in configuration.
pub const NAME: &str = "whisperlive";

/// How a server of WhisperLive is spoken to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens. Default `ws://127.0.0.1:9090`.
    pub url: Endpoint,
    /// The model that it is asked for. Default `small`.
    pub model: String,
    /// The environment variable of its key; a server that asks for none needs none. Default `WHISPERLIVE_API_KEY`.
    pub key: String,
    /// The language spoken, as ISO 639-1 has it; empty: the server finds out. Default `en`.
    pub language: String,
    /// How samples are sent. Default `float32`, which every server takes.
    pub samples: Samples,
    /// The server looks for speech itself before it looks for words. Default true.
    pub vad: bool,
    /// How often the server has to understand the same before it takes its words for good. Default 5.
    pub same_output: u32,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// How long the last words of a turn are waited for before what was understood of them counts. Default 1.5 s.
    #[serde(deserialize_with = "humane::limit")]
    pub finalize: Duration,
    /// How long the last words must not have changed to count. Default 200 ms.
    #[serde(deserialize_with = "humane::limit")]
    pub settle: Duration,
    /// Silence that is sent ahead at the end of a turn: the server looks at no less than a second. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub padding: Duration,
    /// How old a connection may get; it is renewed in a pause, before the server's own time limit (300 s) ends it in a
    /// word. Default 240 s.
    #[serde(deserialize_with = "humane::limit")]
    pub renew: Duration,
}

/// How samples are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Samples {
    /// Four bytes each.
    Float32,
    /// Two bytes each; servers before version 0.9 take them for something else, unless they were started with
    /// `--raw_pcm_input`.
    Int16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("ws://127.0.0.1:9090").expect("an address"),
            model: "small".into(),
            key: "WHISPERLIVE_API_KEY".into(),
            language: "en".into(),
            samples: Samples::Float32,
            vad: true,
            same_output: 5,
            connect: Duration::from_secs(1),
            finalize: Duration::from_millis(1_500),
            settle: Duration::from_millis(200),
            padding: Duration::from_secs(1),
            renew: Duration::from_secs(240),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { key: Some(&self.key), model: Some(&self.model), ..Entry::new(Stage::SpeechToText, &self.url) }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToText(Arc::new(WhisperLive::new(self.clone(), key)?)))
    }
}

/// A recogniser that hears every frame, behind a socket for each call.
#[derive(Clone, Debug)]
pub struct WhisperLive {
    access: Access,
    config: Arc<Config>,
    /// Connections so far: the server wants them numbered.
    connections: Arc<AtomicU64>,
}

impl WhisperLive {
    /// A client of the server; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = KeyHeader::default().of(key, &config.url)?;
        let access = Access::new(&config.url, headers, config.connect)?;
        Ok(Self { access, config: Arc::new(config), connections: Arc::default() })
    }
}

impl Dialect for WhisperLive {
    const KEEP_ALIVE: KeepAlive = KeepAlive::Ping;
    const CLOSE: Option<&'static str> = None;

    fn access(&self) -> &Access {
        &self.access
    }

    fn path(&self, _: Format) -> String {
        self.config.url.below("")
    }

    fn begin(&mut self, _: Format) -> Option<String> {
        let Config { model, language, samples, vad, same_output, .. } = &*self.config;
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let options = json!({
            "uid": format!("ringway-{}-{number}", std::process::id()),
            "language": (!language.is_empty()).then_some(language),
            "task": "transcribe",
            "model": model,
            "use_vad": vad,
            "send_last_n_segments": LAST_SEGMENTS,
            "same_output_threshold": same_output,
            "audio_format": match samples {
                Samples::Float32 => "float32",
                Samples::Int16 => "int16",
            },
        });
        Some(options.to_string())
    }

    fn audio(&mut self, frames: Bytes) -> Message {
        match self.config.samples {
            Samples::Int16 => Message::Binary(frames),
            Samples::Float32 => Message::Binary(floats(&frames).into()),
        }
    }
}

fn floats(samples: &[u8]) -> Vec<u8> {
    let float = |bytes: &[u8]| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 32_768.0;
    samples.chunks_exact(2).flat_map(|bytes| float(bytes).to_le_bytes()).collect()
}

impl SpeechToText for WhisperLive {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        let Config { finalize, settle, padding, renew, .. } = *self.config;
        let timing = Timing { finalize, settle, padding, renew: Some(renew) };
        Ok(Box::new(Session::new(NAME, self.clone(), Messages::default(), call.format, timing)))
    }
}

/// More than a server completes between two messages.
const LAST_SEGMENTS: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_sent_as_floats() {
        let floats = floats(&[0, 0, 0, 0x40, 0, 0x80]);
        let floats: Vec<_> =
            floats.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
        assert_eq!(floats, [0.0, 0.5, -1.0]);
    }
}
