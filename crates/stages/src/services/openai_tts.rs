//! Speech as [OpenAI](https://platform.openai.com/docs/api-reference/audio/createSpeech) made it, a request a clause
//! whose audio comes as it is made; Kokoro-FastAPI, speaches, LocalAI and others speak the same.

use super::exchange::Exchange;
use super::http::{Http, Post, content_type};
use super::section::{Engine, Entry, Problem, Section, Sections, SpeechRate, Stage, faster, within};
use super::voice::{Coding, Pieces, Requested, Session};
use super::{ApiKey, Endpoint, KeyHeader, Limits, ServiceError, SetupError};
use crate::humane;
use crate::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use ringway_frame::SampleRate;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "openai_tts";

/// Which voice speaks, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/audio/speech` lies below. Default OpenAI's own.
    pub url: Endpoint,
    /// The model. Default `gpt-4o-mini-tts`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `OPENAI_API_KEY`.
    pub key: String,
    /// The header that it takes the key in: `authorization` has it as `Bearer KEY`, any other the key alone, as Azure's
    /// `api-key` does. Default `authorization`.
    pub key_header: KeyHeader,
    /// The voice. Default `alloy`.
    pub voice: String,
    /// How it is to speak, in words, for models that heed that; none when empty.
    pub instructions: String,
    /// How fast it speaks, from 0.25 to 4; the service's own pace when absent.
    pub speed: Option<f32>,
    /// What is asked for: bare samples, or a WAV file for services that do not know them. Default `pcm`.
    pub audio: Audio,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a clause to the head of its audio. Default 1.8 s: below what counts as a stalled voice.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of audio. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

/// What audio is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Audio {
    /// Samples of 16 bits at 24 kHz.
    #[default]
    Pcm,
    /// A WAV file at any rate.
    Wav,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("https://api.openai.com/v1").expect("an address"),
            model: "gpt-4o-mini-tts".into(),
            key: "OPENAI_API_KEY".into(),
            key_header: KeyHeader::default(),
            voice: "alloy".into(),
            instructions: String::new(),
            speed: None,
            audio: Audio::Pcm,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_secs(1),
        }
    }
}

/// What it can do.
const SPEEDS: RangeInclusive<f64> = 0.25..=4.0;

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            model: Some(&self.model),
            voice: Some(&self.voice),
            rate: SpeechRate::of(self.speed, SPEEDS),
            paths: &["/audio/speech"],
            ..Entry::new(Stage::TextToSpeech, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::TextToSpeech(Arc::new(OpenAiTts::new(self.clone(), key)?)))
    }

    fn problems(&self) -> Vec<Problem> {
        within("speed", self.speed, SPEEDS).into_iter().collect()
    }

    fn speed_up(&mut self, factor: f64) {
        self.speed = faster(self.speed, factor);
    }
}

/// A voice behind HTTP.
#[derive(Clone, Debug)]
pub struct OpenAiTts {
    http: Http,
    config: Arc<Config>,
}

impl OpenAiTts {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        let http = Http::keyed(&config.url, key, &config.key_header, limits)?;
        Ok(Self { http, config: Arc::new(config) })
    }
}

impl TextToSpeech for OpenAiTts {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(Session::new(self.clone(), call.format)))
    }
}

#[derive(Serialize)]
struct Body<'c> {
    model: &'c str,
    input: &'c str,
    voice: &'c str,
    response_format: Audio,
    #[serde(skip_serializing_if = "str::is_empty")]
    instructions: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f32>,
}

impl Requested for OpenAiTts {
    const NAME: &'static str = NAME;

    fn ask(&self, text: &str) -> Box<dyn Pieces> {
        let Config { model, voice, instructions, speed, audio, .. } = &*self.config;
        let body = Body { model, input: text, voice, response_format: *audio, instructions, speed: *speed };
        let post = Post {
            path: self.http.endpoint().below("/audio/speech"),
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("*/*"),
            body: serde_json::to_vec(&body).expect("text and numbers are JSON").into(),
            answer_limit: LARGEST_ANSWER,
        };
        Box::new(Exchange::begin(&self.http, post, check))
    }

    fn coding(&self) -> Coding {
        match self.config.audio {
            Audio::Pcm => Coding::Pcm(SampleRate::HZ_24000),
            Audio::Wav => Coding::Wav,
        }
    }

    fn warm(&self) {
        self.http.warm();
    }
}

/// Bare samples look like anything: a page or a compressed file must not be played.
fn check(headers: &HeaderMap) -> Result<(), ServiceError> {
    let kind = content_type(headers).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let compressed = ["mpeg", "mp3", "opus", "ogg", "aac", "flac"].iter().any(|name| kind.ends_with(name));
    if compressed || kind.starts_with("text/") || kind.ends_with("json") {
        return Err(ServiceError::malformed("content type", format_args!("{kind}; audio was expected")));
    }
    Ok(())
}

/// Bytes of one clause's audio that are taken in: three minutes at 48 kHz.
const LARGEST_ANSWER: usize = 16 * 1_024 * 1_024;
