//! [Piper](https://github.com/OHF-Voice/piper1-gpl) over HTTP: a request a clause, answered by a WAV file.

mod speech;
mod spoken;

use super::http::{Http, Post};
use super::{Endpoint, Limits, SetupError};
use crate::humane;
use crate::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use hyper::header::HeaderValue;
use ringway_frame::{Format, Frame};
use serde::{Deserialize, Serialize};
use speech::Spares;
use spoken::Spoken;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "piper";

/// Which voice speaks, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where clauses are sent: since Piper 1.5 that is `/synthesize`, in 1.3 and 1.4 `/`. Default port 5000 of this
    /// machine.
    pub url: Endpoint,
    /// The voice, for a server that has several; its own default when absent.
    pub voice: Option<String>,
    /// The speaker, for a voice that has several.
    pub speaker: Option<String>,
    /// How slowly it speaks, as a factor of the voice's own duration of sounds.
    pub length_scale: Option<f32>,
    /// Until a connection stands. Default 1 s.
    #[serde(with = "humane")]
    pub connect: Duration,
    /// From a clause to the head of its audio: Piper makes all of it first. Default 1.8 s: below what counts as a
    /// stalled voice.
    #[serde(with = "humane")]
    pub first_byte: Duration,
    /// Between two pieces of audio. Default 1 s.
    #[serde(with = "humane")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("http://127.0.0.1:5000/synthesize").expect("an address"),
            voice: None,
            speaker: None,
            length_scale: None,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_secs(1),
        }
    }
}

/// A voice behind HTTP.
#[derive(Clone, Debug)]
pub struct Piper {
    http: Http,
    config: Arc<Config>,
    spares: Spares,
}

impl Piper {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        let http = Http::new(&config.url, None, limits)?;
        Ok(Self { http, config: Arc::new(config), spares: Spares::default() })
    }

    fn post(&self, text: &str) -> Post {
        let Config { voice, speaker, length_scale, .. } = &*self.config;
        let body = Body { text: text.trim(), voice, speaker, length_scale: *length_scale };
        Post {
            path: self.http.endpoint().below(""),
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("*/*"),
            body: serde_json::to_vec(&body).expect("text and numbers are JSON").into(),
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
        self.http.warm();
        let format = call.format;
        Ok(Box::new(Session {
            service: self.clone(),
            format,
            waiting: VecDeque::new(),
            spoken: VecDeque::new(),
        }))
    }
}

/// One call's voice: the first clause sounds while the next one is made.
#[derive(Debug)]
struct Session {
    service: Piper,
    format: Format,
    /// Not asked for yet.
    waiting: VecDeque<Clause>,
    /// Asked for, in order.
    spoken: VecDeque<Spoken>,
}

impl Session {
    fn ask(&mut self) {
        while self.spoken.len() < MOST_ASKED
            && let Some(clause) = self.waiting.pop_front()
        {
            self.spoken.push_back(Spoken::begin(&self.service, clause, self.format));
        }
    }
}

impl TtsSession for Session {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        let queued = self.waiting.len() + self.spoken.len();
        if queued == MOST_CLAUSES {
            return Err(TtsError::Overloaded { queued });
        }
        self.waiting.push_back(clause);
        self.ask();
        Ok(())
    }

    /// Dropping an unfinished answer closes its connection; Piper itself goes on to the end.
    fn cancel(&mut self) {
        self.waiting.clear();
        if !self.spoken.is_empty() {
            self.spoken.clear();
            self.service.http.warm();
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let Some(spoken) = self.spoken.front_mut() else { return Poll::Pending };
        let event = spoken.poll_next(cx, frame);
        for behind in self.spoken.iter_mut().skip(1) {
            behind.prepare(cx);
        }
        let event = ready!(event);
        if !matches!(event, Ok(TtsEvent::Audio | TtsEvent::Word { .. })) {
            self.spoken.pop_front();
            self.ask();
        }
        Poll::Ready(event.map_err(|source| TtsError::Service { engine: NAME, source }))
    }
}

/// Clauses of one call that wait or are being spoken; beyond it the newest is refused.
const MOST_CLAUSES: usize = 64;

/// Clauses of one call that are asked for at one time.
const MOST_ASKED: usize = 2;

/// Bytes of one clause's audio that are taken in: three minutes at 48 kHz.
const LARGEST_ANSWER: usize = 16 * 1_024 * 1_024;
