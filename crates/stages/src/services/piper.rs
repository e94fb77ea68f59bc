//! [Piper](https://github.com/OHF-Voice/piper1-gpl) over HTTP: a request a clause, answered by a WAV file.
//!
//! Three servers share the name: the first one reads plain text, `piper1-gpl` reads JSON, until 1.4 at `/` and since 1.5
//! at `/synthesize`. Which of them it is, is found out by what it tells of itself.

mod generation;

use super::http::{Http, Post};
use super::section::{Engine, Entry, Problem, Section, Sections, SpeechRate, Stage, faster, within};
use super::voice::{Coding, Later, Pieces, Requested, Session};
use super::{ApiKey, Endpoint, Limits, ServiceError, SetupError};
use crate::humane;
use crate::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
pub use generation::Generation;
use generation::{Known, Speaks};
use hyper::header::HeaderValue;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "piper";

/// Which voice speaks, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens, with or without `/synthesize`. Default port 5000 of this machine.
    pub url: Endpoint,
    /// Which of Piper's servers it is. By default that is found out.
    pub generation: Generation,
    /// The voice, for a server that has several; its own default when absent.
    pub voice: Option<String>,
    /// The speaker, for a voice that has several.
    pub speaker: Option<String>,
    /// How slowly it speaks, as a factor of the voice's own duration of sounds.
    pub length_scale: Option<f32>,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a clause to the head of its audio: Piper makes all of it first. Default 1.8 s: below what counts as a
    /// stalled voice.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of audio. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("http://127.0.0.1:5000").expect("an address"),
            generation: Generation::Auto,
            voice: None,
            speaker: None,
            length_scale: None,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_secs(1),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            voice: self.voice.as_deref(),
            rate: Some(self.rate()),
            ..Entry::new(Stage::TextToSpeech, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, _: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::TextToSpeech(Arc::new(Piper::new(self.clone())?)))
    }

    fn problems(&self) -> Vec<Problem> {
        within("length_scale", self.length_scale, 0.1..=10.0).into_iter().collect()
    }

    fn speed_up(&mut self, factor: f64) {
        self.length_scale = faster(self.length_scale, 1.0 / factor);
    }
}

impl Config {
    /// Ten times as long is a tenth of the speed.
    fn rate(&self) -> SpeechRate {
        SpeechRate { now: 1.0 / f64::from(self.length_scale.unwrap_or(1.0)), range: 0.1..=10.0 }
    }
}

/// A voice behind HTTP.
#[derive(Clone, Debug)]
pub struct Piper {
    http: Http,
    config: Arc<Config>,
    known: Arc<Known>,
}

impl Piper {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        let http = Http::new(&config.url, None, limits)?;
        let known = Arc::new(Known::new(config.generation));
        Ok(Self { http, config: Arc::new(config), known })
    }

    /// The audio of a text; a server that refuses it may have become another one.
    async fn speak(self, text: String) -> Result<Box<dyn Pieces>, ServiceError> {
        let speaks = self.known.ask(&self.http).await?;
        let refused = match self.http.clone().post(self.post(speaks, &text)).await {
            Ok(accepted) => return Ok(Box::new(accepted.answer)),
            Err(error @ ServiceError::Status { .. }) => error,
            Err(error) => return Err(error),
        };
        match self.known.ask_again(&self.http).await {
            Ok(other) if other != speaks => {
                let accepted = self.http.clone().post(self.post(other, &text)).await?;
                Ok(Box::new(accepted.answer))
            }
            _ => Err(refused),
        }
    }

    fn post(&self, speaks: Speaks, text: &str) -> Post {
        let Config { voice, speaker, length_scale, .. } = &*self.config;
        let json = Body { text, voice, speaker, length_scale: *length_scale };
        let (content_type, body) = match speaks {
            Speaks::Text => ("text/plain; charset=utf-8", text.as_bytes().to_vec()),
            Speaks::JsonAtRoot | Speaks::Json => {
                ("application/json", serde_json::to_vec(&json).expect("text and numbers are JSON"))
            }
        };
        Post {
            path: speaks.path(self.http.endpoint()),
            content_type: HeaderValue::from_static(content_type),
            accept: HeaderValue::from_static("*/*"),
            body: body.into(),
            answer_limit: LARGEST_ANSWER,
        }
    }
}

#[derive(Serialize)]
struct Body<'c> {
    text: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: &'c Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speaker: &'c Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length_scale: Option<f32>,
}

impl TextToSpeech for Piper {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(Session::new(self.clone(), call.format)))
    }
}

impl Requested for Piper {
    const NAME: &'static str = NAME;

    fn ask(&self, text: &str) -> Box<dyn Pieces> {
        Box::new(Later::new(self.clone().speak(text.to_owned())))
    }

    fn coding(&self) -> Coding {
        Coding::Wav
    }

    fn warm(&self) {
        self.http.warm();
        if !self.known.is_known() {
            let (known, http) = (self.known.clone(), self.http.clone());
            // Whoever speaks first will be told.
            tokio::spawn(async move { known.ask(&http).await });
        }
    }
}

/// Bytes of one clause's audio that are taken in: three minutes at 48 kHz.
const LARGEST_ANSWER: usize = 16 * 1_024 * 1_024;
