//! The voice service of a telephone system: `POST /tts` makes a WAV file and tells where it lies.

use super::error::message_in;
use super::http::{Http, Post};
use super::section::{Engine, Entry, Problem, Section, Sections, SpeechRate, Stage, within};
use super::voice::{Coding, Later, Pieces, Requested, Session, Whole};
use super::{ApiKey, Endpoint, Limits, ServiceError, SetupError};
use crate::humane;
use crate::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
use bytes::Bytes;
use hyper::header::HeaderValue;
use serde::{Deserialize, Serialize};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "phone_tts";

/// Which voice speaks, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/tts` lies below. Default port 8000 of this machine.
    pub url: Endpoint,
    /// The environment variable of its key; a service that asks for none needs none. Default `PHONE_TTS_KEY`.
    pub key: String,
    /// The voice; the service's own default when absent.
    pub voice: Option<String>,
    /// How fast it speaks. Default 1.
    pub speed: f64,
    /// Whether it may keep what it made, and give it again. Default yes.
    pub cache: bool,
    /// Where the service's host serves its files, by their names, for when they cannot be read here. Without it a file
    /// is asked for at the path that the service tells.
    pub files: Option<String>,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a clause to the head of its answer: the service makes all of it first. Default 1.8 s: below what counts as a
    /// stalled voice.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of an answer. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("http://127.0.0.1:8000").expect("an address"),
            key: "PHONE_TTS_KEY".into(),
            voice: None,
            speed: 1.0,
            cache: true,
            files: None,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_secs(1),
        }
    }
}

/// What it can do.
const SPEEDS: RangeInclusive<f64> = 0.1..=10.0;

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            voice: self.voice.as_deref(),
            rate: Some(SpeechRate { now: self.speed, range: SPEEDS }),
            ..Entry::new(Stage::TextToSpeech, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::TextToSpeech(Arc::new(PhoneTts::new(self.clone(), key)?)))
    }

    fn problems(&self) -> Vec<Problem> {
        within("speed", Some(self.speed as f32), SPEEDS).into_iter().collect()
    }

    fn speed_up(&mut self, factor: f64) {
        self.speed *= factor;
    }
}

/// A voice behind HTTP that answers with files.
#[derive(Clone, Debug)]
pub struct PhoneTts {
    http: Http,
    config: Arc<Config>,
}

impl PhoneTts {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        let http = Http::new(&config.url, key, limits)?;
        Ok(Self { http, config: Arc::new(config) })
    }

    async fn speak(self, text: String) -> Result<Box<dyn Pieces>, ServiceError> {
        let accepted = self.http.clone().post(self.post(&text)).await?;
        let path = read_answer(&accepted.answer.whole().await?)?;
        if let Ok(file) = read_file(PathBuf::from(&path)).await {
            return Ok(Box::new(Whole::new(file)));
        }
        let path = self.address(&path)?;
        let accepted = self.http.clone().get(path, LARGEST_FILE).await?;
        Ok(Box::new(accepted.answer))
    }

    fn post(&self, text: &str) -> Post {
        let Config { voice, speed, cache, .. } = &*self.config;
        let body = Body { text, voice, speed: *speed, cache: *cache };
        Post {
            path: self.http.endpoint().below("/tts"),
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("application/json"),
            body: serde_json::to_vec(&body).expect("text and numbers are JSON").into(),
            answer_limit: LARGEST_ANSWER,
        }
    }

    /// Where a file is fetched.
    fn address(&self, file: &str) -> Result<String, ServiceError> {
        let path = match &self.config.files {
            None => format!("/{}", file.trim_start_matches('/')),
            Some(files) => {
                let name = Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or_default();
                format!("/{}/{name}", files.trim_matches('/'))
            }
        };
        // What stands in a line of HTTP must not end it.
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
        if !plain || path.contains("/../") {
            return Err(ServiceError::malformed("file_path", format_args!("{file:?} is no path of a file")));
        }
        Ok(path)
    }
}

#[derive(Serialize)]
struct Body<'c> {
    text: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: &'c Option<String>,
    speed: f64,
    cache: bool,
}

#[derive(Deserialize)]
struct Made {
    #[serde(default)]
    success: bool,
    #[serde(default)]
    file_path: Option<String>,
}

/// Where the file lies.
pub(super) fn read_answer(body: &[u8]) -> Result<String, ServiceError> {
    let malformed = |error| ServiceError::malformed("answer", error);
    let made: Made = serde_json::from_slice(body).map_err(malformed)?;
    match made {
        Made { success: true, file_path: Some(path) } if !path.is_empty() => Ok(path),
        Made { success: true, .. } => Err(ServiceError::malformed("answer", "it names no file")),
        Made { success: false, .. } => {
            let said = serde_json::from_slice(body).ok().and_then(|json| message_in(&json));
            let message = super::error::own_words(said.unwrap_or_default().as_bytes());
            Err(ServiceError::Failed { message })
        }
    }
}

/// A file of this machine, read beside the media core.
async fn read_file(path: PathBuf) -> io::Result<Bytes> {
    let read = move || {
        let about = std::fs::metadata(&path)?;
        // Others never end, or wait for whoever writes them.
        if !about.is_file() || about.len() > LARGEST_FILE as u64 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        std::fs::read(&path).map(Bytes::from)
    };
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|end| Err(io::Error::other(end)))
}

impl TextToSpeech for PhoneTts {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(Session::new(self.clone(), call.format)))
    }
}

impl Requested for PhoneTts {
    const NAME: &'static str = NAME;

    fn ask(&self, text: &str) -> Box<dyn Pieces> {
        Box::new(Later::new(self.clone().speak(text.to_owned())))
    }

    fn coding(&self) -> Coding {
        Coding::Wav
    }

    fn warm(&self) {
        self.http.warm();
    }
}

/// Bytes of the answer that names a file.
const LARGEST_ANSWER: usize = 64 * 1_024;

/// Bytes of one clause's file that are taken in: three minutes at 48 kHz.
const LARGEST_FILE: usize = 16 * 1_024 * 1_024;
