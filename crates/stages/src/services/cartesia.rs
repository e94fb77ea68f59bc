//! [Cartesia](https://docs.cartesia.ai/api-reference/tts/websocket)'s voice over its socket: one socket a call, a context
//! for what is said without a break, in the call's own format.

mod message;

pub(super) use message::read as read_message;

use super::connector::Connector;
use super::section::{Engine, Entry, Problem, Section, Sections, SpeechRate, Stage, faster, within};
use super::voice::{Dialect, Door, Heard, KeepAlive, Said, Since, Streamed, Timeouts};
use super::{ApiKey, Endpoint, KeyHeader, ServiceError, SetupError};
use crate::address::encoded;
use crate::humane;
use crate::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
use hyper::header::{HeaderMap, HeaderName};
use message::Told;
use ringway_frame::{FRAME, Format};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// Its name in configuration.
pub const NAME: &str = "cartesia";

/// Which voice speaks, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/tts/websocket` lies below. Default Cartesia's own.
    pub url: Endpoint,
    /// The environment variable of its key; a service that asks for none needs none. Default `CARTESIA_API_KEY`.
    pub key: String,
    /// The version of its interface that is spoken. Default `2025-04-16`.
    pub version: String,
    /// The voice, by its id. Default one of the library that every account has.
    pub voice: String,
    /// The model. Default `sonic-3`.
    pub model: String,
    /// The language spoken, as ISO 639-1 has it. Default `en`.
    pub language: String,
    /// How fast it speaks, from 0.6 to 1.5; the voice's own pace when absent.
    pub speed: Option<f32>,
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
            url: Endpoint::parse("wss://api.cartesia.ai").expect("an address"),
            key: "CARTESIA_API_KEY".into(),
            version: "2025-04-16".into(),
            voice: "a0e99841-438c-4a64-b679-ae501e7d6091".into(),
            model: "sonic-3".into(),
            language: "en".into(),
            speed: None,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_millis(1_500),
        }
    }
}

/// What it can do.
const SPEEDS: RangeInclusive<f64> = 0.6..=1.5;

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            model: Some(&self.model),
            voice: Some(&self.voice),
            rate: SpeechRate::of(self.speed, SPEEDS),
            ..Entry::new(Stage::TextToSpeech, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::TextToSpeech(Arc::new(Cartesia::new(self.clone(), key)?)))
    }

    fn problems(&self) -> Vec<Problem> {
        within("speed", self.speed, SPEEDS).into_iter().collect()
    }

    fn speed_up(&mut self, factor: f64) {
        self.speed = faster(self.speed, factor);
    }
}

/// A voice behind a socket for each call.
#[derive(Clone, Debug)]
pub struct Cartesia {
    connector: Connector,
    config: Arc<Config>,
    headers: HeaderMap,
}

impl Cartesia {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let headers = KeyHeader::named(KEY).of(key, &config.url)?;
        let connector = Connector::new(&config.url, config.connect)?;
        Ok(Self { connector, config: Arc::new(config), headers })
    }
}

impl TextToSpeech for Cartesia {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        let Config { url, version, connect, first_byte, idle, .. } = &*self.config;
        let door = Door {
            connector: self.connector.clone(),
            path: url.below(&format!("/tts/websocket?cartesia_version={}", encoded(version))),
            headers: self.headers.clone(),
            limit: *connect,
        };
        let contexts = Contexts::new(self.config.clone(), call.format);
        let timeouts = Timeouts { first: *first_byte, idle: *idle };
        Ok(Box::new(Streamed::open(contexts, door, call.format, timeouts)))
    }
}

/// Clauses that follow each other without a break are one context, so that the voice goes on as it began; each is flushed,
/// so that its end is told.
#[derive(Debug)]
struct Contexts {
    config: Arc<Config>,
    format: Format,
    /// The present context; counted.
    context: u64,
    /// Clauses that it still owes, in order.
    owed: VecDeque<u64>,
    /// Bytes of the first of them that came.
    received: usize,
    /// How much audio the context had before it.
    before: Duration,
}

#[derive(Serialize)]
struct Generate<'c> {
    context_id: &'c str,
    model_id: &'c str,
    transcript: &'c str,
    voice: Voice<'c>,
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'c str,
    output_format: Output,
    #[serde(rename = "continue")]
    goes_on: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    flush: bool,
    add_timestamps: bool,
    max_buffer_delay_ms: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<Pace>,
}

#[derive(Serialize)]
struct Voice<'c> {
    mode: &'static str,
    id: &'c str,
}

#[derive(Serialize)]
struct Output {
    container: &'static str,
    encoding: &'static str,
    sample_rate: u32,
}

#[derive(Serialize)]
struct Pace {
    speed: f32,
}

#[derive(Serialize)]
struct Cancel<'c> {
    context_id: &'c str,
    cancel: bool,
}

impl Contexts {
    const fn new(config: Arc<Config>, format: Format) -> Self {
        Self { config, format, context: 0, owed: VecDeque::new(), received: 0, before: Duration::ZERO }
    }

    /// The next context is another one.
    fn leave(&mut self) {
        self.owed.clear();
        self.received = 0;
        self.before = Duration::ZERO;
    }

    /// All fields but these have to be the same throughout a context.
    fn generate(&self, transcript: &str, goes_on: bool, flush: bool) -> String {
        let Config { model, voice, language, speed, .. } = &*self.config;
        let encoding = match self.format {
            Format::Mulaw8k => "pcm_mulaw",
            Format::Pcm8k | Format::Pcm16k => "pcm_s16le",
        };
        let message = Generate {
            context_id: &self.context.to_string(),
            model_id: model,
            transcript,
            voice: Voice { mode: "id", id: voice },
            language,
            output_format: Output { container: "raw", encoding, sample_rate: self.format.rate().hz() },
            goes_on,
            flush,
            add_timestamps: true,
            // A clause is whole: the service need not wait for more of it.
            max_buffer_delay_ms: 0,
            generation_config: speed.map(|speed| Pace { speed }),
        };
        serde_json::to_string(&message).expect("text and numbers are JSON")
    }

    /// The first clause that is owed is complete.
    fn complete(&mut self, heard: &mut Vec<Heard>, out: &mut VecDeque<String>) {
        let Some(number) = self.owed.pop_front() else { return };
        heard.push(Heard::End(number));
        self.before += self.length();
        self.received = 0;
        if self.owed.is_empty() {
            out.push_back(self.generate("", false, false));
        }
    }

    fn length(&self) -> Duration {
        FRAME.mul_f64(self.received as f64 / self.format.bytes() as f64)
    }

    /// Times count from the context's first audio; those that lie before the clause's own count from there.
    fn since_the_clause(&self, mut words: Vec<Said>) -> Vec<Said> {
        let begins_anew = words.first().is_some_and(|word| word.end < self.before);
        if !begins_anew {
            words.iter_mut().for_each(|word| word.end = word.end.saturating_sub(self.before));
        }
        words
    }
}

impl Dialect for Contexts {
    const NAME: &'static str = NAME;
    const TIMED: bool = true;
    const KEEP_ALIVE: Option<KeepAlive> = None;
    const FAREWELL: &'static str = "";

    fn speak(&mut self, number: u64, text: &str, out: &mut VecDeque<String>) {
        if self.owed.is_empty() {
            self.leave();
            self.context += 1;
        }
        // Texts are put together as they are.
        out.push_back(self.generate(&format!("{text} "), true, false));
        out.push_back(self.generate("", true, true));
        self.owed.push_back(number);
    }

    fn cancel(&mut self, _: &[u64], out: &mut VecDeque<String>) {
        let context_id = &self.context.to_string();
        let cancel = Cancel { context_id, cancel: true };
        out.push_back(serde_json::to_string(&cancel).expect("text is JSON"));
        self.leave();
    }

    fn read(
        &mut self,
        message: Message,
        heard: &mut Vec<Heard>,
        out: &mut VecDeque<String>,
    ) -> Result<(), ServiceError> {
        let Message::Text(text) = message else { return Ok(()) };
        let (context, told) = message::read(&text)?;
        let is_ours = context.as_deref().is_none_or(|context| context == self.context.to_string());
        // What was cancelled may still come for a while.
        let Some(number) = self.owed.front().copied().filter(|_| is_ours) else { return Ok(()) };
        match told {
            Told::Audio(audio) => {
                self.received += audio.len();
                heard.push(Heard::Audio(number, audio));
            }
            Told::Words(words) => {
                heard.push(Heard::Words(number, Since::Begin, self.since_the_clause(words)));
            }
            Told::Flushed => self.complete(heard, out),
            Told::Done => {
                heard.extend(self.owed.drain(..).map(Heard::End));
                self.leave();
            }
            Told::Failed(error) => heard.push(Heard::Failed(Some(number), error)),
            Told::Other => {}
        }
        Ok(())
    }

    fn renew(&mut self) {
        self.leave();
    }
}

const KEY: HeaderName = HeaderName::from_static("x-api-key");
