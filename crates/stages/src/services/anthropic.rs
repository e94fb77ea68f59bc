//! [Anthropic's Messages](https://docs.anthropic.com/en/api/messages-streaming), streamed.

mod event;
mod request;

pub(super) use event::read as read_event;

use super::chat::{Dialect, Reader, Saying, Session};
use super::http::{Http, Post};
use super::openai_chat::event_stream;
use super::sse::Events;
use super::{ApiKey, Endpoint, Limits, ServiceError, SetupError};
use crate::humane;
use crate::llm::{LanguageModel, LlmCall, LlmError, LlmRequest, LlmSession, ToolCall, ToolSpec};
use crate::prompt::Templates;
use bytes::Bytes;
use event::Event;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "anthropic";

/// Which model answers, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/v1/messages` lies below. Default Anthropic's own.
    pub url: Endpoint,
    /// The model. Default Claude Haiku, the fastest.
    pub model: String,
    /// The environment variable of its key. Default `ANTHROPIC_API_KEY`.
    pub key: String,
    /// What the model is to be and do, a template (`docs/start/context.md`). Default a short-spoken telephone assistant.
    pub system: String,
    /// What is said to a caller who comes on the line, a template; when it is empty, the model is asked. Default "Hello,
    /// how can I help you?"
    pub greeting: String,
    /// The longest reply. Default 300 tokens, a minute and a half of speech.
    pub max_tokens: u32,
    /// How freely it chooses its words, 0 to 1; the service's own default when absent.
    pub temperature: Option<f32>,
    /// Until a connection stands. Default 1 s.
    #[serde(with = "humane")]
    pub connect: Duration,
    /// From a request to the head of its answer. Default 3 s.
    #[serde(with = "humane")]
    pub first_byte: Duration,
    /// Between two pieces of an answer. Default 2 s.
    #[serde(with = "humane")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let usual = super::openai_chat::Config::default();
        Self {
            url: Endpoint::parse("https://api.anthropic.com").expect("an address"),
            model: "claude-haiku-4-5".into(),
            key: "ANTHROPIC_API_KEY".into(),
            system: usual.system,
            greeting: usual.greeting,
            max_tokens: usual.max_tokens,
            temperature: None,
            connect: usual.connect,
            first_byte: usual.first_byte,
            idle: usual.idle,
        }
    }
}

/// A language model behind Anthropic's Messages.
#[derive(Clone, Debug)]
pub struct Anthropic {
    http: Http,
    config: Arc<Config>,
    templates: Arc<Templates>,
}

impl Anthropic {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried, or a template has a mistake.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let templates = Templates::parse(&config.system, &config.greeting)?;
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        let mut http = Http::new(&config.url, None, limits)?.with(VERSION, HeaderValue::from_static(SPOKEN));
        if let Some(key) = key {
            let host = || config.url.host().to_owned();
            http = http.with(KEY, key.header().ok_or_else(|| SetupError::Key { host: host() })?);
        }
        Ok(Self { http, templates, config: Arc::new(config) })
    }
}

impl LanguageModel for Anthropic {
    fn name(&self) -> &str {
        NAME
    }

    fn summarises(&self) -> bool {
        true
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Session::open(&self.http, (&self.config, &self.templates), call))
    }
}

impl Dialect for Config {
    const NAME: &'static str = NAME;
    type Reader = Stream;

    fn post(&self, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Post {
        request::post(self, system, tools, request)
    }

    fn check(headers: &HeaderMap) -> Result<(), ServiceError> {
        event_stream(headers)
    }

    fn explain(&self, error: ServiceError) -> ServiceError {
        match error {
            ServiceError::Status { status: 404, message } if message.contains("model") => {
                ServiceError::NoModel { model: self.model.clone(), message }
            }
            error => error,
        }
    }
}

/// Reads a stream of events.
#[derive(Debug, Default)]
pub(super) struct Stream {
    events: Events,
    /// The call whose arguments are coming.
    call: Option<ToolCall>,
    ended: bool,
    tokens: Option<u32>,
}

impl Reader for Stream {
    fn next(&mut self, piece: &mut Bytes) -> Result<Option<Saying>, ServiceError> {
        while !self.ended {
            let Some(event) = self.events.next(piece)? else { return Ok(None) };
            if let Some(saying) = self.take(&event)? {
                return Ok(Some(saying));
            }
        }
        Ok(Some(Saying::End))
    }

    fn tokens(&self) -> Option<u32> {
        self.tokens
    }

    fn finish(&mut self) -> Result<Option<Saying>, ServiceError> {
        let Some(event) = self.events.finish()? else { return Ok(None) };
        self.take(&event)
    }
}

impl Stream {
    fn take(&mut self, event: &str) -> Result<Option<Saying>, ServiceError> {
        Ok(match read_event(event)? {
            Event::Text(text) => Some(Saying::Text(text)),
            Event::Call(call) => {
                self.call = Some(call);
                None
            }
            Event::Arguments(piece) => {
                if let Some(call) = &mut self.call {
                    call.arguments += &piece;
                }
                None
            }
            Event::BlockEnd => self.call.take().map(Saying::Call),
            Event::End => {
                self.ended = true;
                Some(Saying::End)
            }
            Event::Begin(tokens) => {
                self.tokens = Some(tokens);
                None
            }
            Event::Nothing => None,
        })
    }
}

const KEY: HeaderName = HeaderName::from_static("x-api-key");
const VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// The version of the API, the only one that streams so.
const SPOKEN: &str = "2023-06-01";
