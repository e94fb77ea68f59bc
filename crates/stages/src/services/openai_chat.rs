//! Chat completions as [OpenAI](https://platform.openai.com/docs/api-reference/chat) made them, streamed; vLLM,
//! llama.cpp, LM Studio, Ollama, Groq and many others speak the same.

mod calls;
mod chunk;
mod request;

pub(super) use chunk::read as read_chunk;

use super::chat::{Dialect, Reader, Saying, Session};
use super::http::{Http, Post, content_type};
use super::sse::Events;
use super::{ApiKey, Endpoint, Limits, ServiceError, SetupError};
use crate::humane;
use crate::llm::{LanguageModel, LlmCall, LlmError, LlmRequest, LlmSession, ToolSpec};
use crate::prompt::Templates;
use bytes::Bytes;
use calls::Calls;
use hyper::HeaderMap;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "openai_llm";

/// Which model answers, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/chat/completions` lies below. Default OpenAI's own.
    pub url: Endpoint,
    /// The model. Default `gpt-4o-mini`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `OPENAI_API_KEY`.
    pub key: String,
    /// What the model is to be and do, a template (`docs/start/context.md`). Default a short-spoken telephone assistant.
    pub system: String,
    /// What is said to a caller who comes on the line, a template; when it is empty, the model is asked. Default "Hello,
    /// how can I help you?"
    pub greeting: String,
    /// The longest reply. Default 300 tokens, a minute and a half of speech.
    pub max_tokens: u32,
    /// How freely it chooses its words, 0 to 2; the service's own default when absent.
    pub temperature: Option<f32>,
    /// Whether the service is asked how many tokens it was given (`stream_options`). Default true; false for one that refuses
    /// the question.
    pub usage: bool,
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
        Self {
            url: Endpoint::parse("https://api.openai.com/v1").expect("an address"),
            model: "gpt-4o-mini".into(),
            key: "OPENAI_API_KEY".into(),
            system:
                "You talk with a caller on the telephone. Answer in one to three short sentences of plain \
                     words, without lists, symbols or markup."
                    .into(),
            greeting: "Hello, how can I help you?".into(),
            max_tokens: 300,
            temperature: None,
            usage: true,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_secs(3),
            idle: Duration::from_secs(2),
        }
    }
}

/// A language model behind chat completions.
#[derive(Clone, Debug)]
pub struct OpenAiChat {
    http: Http,
    config: Arc<Config>,
    templates: Arc<Templates>,
}

impl OpenAiChat {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried, or a template has a mistake.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        let templates = Templates::parse(&config.system, &config.greeting)?;
        Ok(Self { http: Http::new(&config.url, key, limits)?, config: Arc::new(config), templates })
    }
}

impl LanguageModel for OpenAiChat {
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
}

/// Reads a stream of chunks.
#[derive(Debug, Default)]
pub(super) struct Stream {
    events: Events,
    calls: Calls,
    /// The model has said why it stopped: what is missing behind it is no loss.
    stopped: bool,
    ended: bool,
    tokens: Option<u32>,
}

impl Reader for Stream {
    fn next(&mut self, piece: &mut Bytes) -> Result<Option<Saying>, ServiceError> {
        while !self.ended {
            let Some(event) = self.events.next(piece)? else { return Ok(None) };
            if let Some(text) = self.take(&event)? {
                return Ok(Some(Saying::Text(text)));
            }
        }
        Ok(Some(self.closing()))
    }

    fn tokens(&self) -> Option<u32> {
        self.tokens
    }

    /// Some servers end without the word for it.
    fn finish(&mut self) -> Result<Option<Saying>, ServiceError> {
        if let Some(event) = self.events.finish()?
            && let Some(text) = self.take(&event)?
        {
            return Ok(Some(Saying::Text(text)));
        }
        Ok((self.stopped || self.ended).then(|| self.closing()))
    }
}

impl Stream {
    /// What an event says, in words.
    fn take(&mut self, event: &str) -> Result<Option<String>, ServiceError> {
        let chunk = read_chunk(event)?;
        chunk.calls.into_iter().try_for_each(|piece| self.calls.push(piece))?;
        self.stopped |= chunk.last;
        self.ended |= chunk.end;
        self.tokens = chunk.tokens.or(self.tokens);
        Ok(chunk.text)
    }

    /// The calls, and then the end.
    fn closing(&mut self) -> Saying {
        self.ended = true;
        self.calls.next().map_or(Saying::End, Saying::Call)
    }
}

/// Streams only: an answer of another kind is an error page, or of a server that cannot stream.
pub(super) fn event_stream(headers: &HeaderMap) -> Result<(), ServiceError> {
    let found = content_type(headers);
    if found.starts_with("text/event-stream") {
        return Ok(());
    }
    Err(ServiceError::malformed("answer", format!("{found}, where text/event-stream was asked for")))
}
