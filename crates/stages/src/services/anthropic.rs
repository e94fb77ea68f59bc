//! [Anthropic's Messages](https://docs.anthropic.com/en/api/messages-streaming), streamed.

mod event;
mod request;

pub(super) use event::read as read_event;

use super::arguments;
use super::chat::{Dialect, Heard, Reader, Service};
use super::http::{Http, Post};
use super::provided::Fields;
use super::records::Due;
use super::section::{Engine, Entry, Problem, Section, Sections, Stage, not_zero, within};
use super::{ApiKey, Endpoint, ExtraBody, Limits, OwnFields, ServiceError, SetupError};
use crate::humane;
use crate::llm::{LanguageModel, LlmCall, LlmError, LlmRequest, LlmSession, Provided, ToolCall, ToolSpec};
use crate::prompt::Templates;
use event::{Block, Event};
use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
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
    /// Whether the service is asked to remember tools and prompt between requests, which it reads again for a tenth of the
    /// price; what is too short to be remembered costs nothing. Default true.
    pub prompt_caching: bool,
    /// Fields that each request has besides. Default none.
    pub extra_body: ExtraBody<Self>,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a request to the head of its answer. Default 3 s.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of an answer. Default 2 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let usual = super::openai_llm::Config::default();
        Self {
            url: Endpoint::parse("https://api.anthropic.com").expect("an address"),
            model: "claude-haiku-4-5".into(),
            key: "ANTHROPIC_API_KEY".into(),
            system: usual.system,
            greeting: usual.greeting,
            max_tokens: usual.max_tokens,
            temperature: None,
            prompt_caching: true,
            extra_body: ExtraBody::default(),
            connect: usual.connect,
            first_byte: usual.first_byte,
            idle: usual.idle,
        }
    }
}

impl OwnFields for Config {
    const OWN: &'static [(&'static str, &'static str)] = &[
        ("model", "model"),
        ("messages", ""),
        ("stream", ""),
        ("tools", ""),
        ("system", "system"),
        ("max_tokens", "max_tokens"),
        ("temperature", "temperature"),
    ];
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            model: Some(&self.model),
            templates: vec![("system", &self.system), ("greeting", &self.greeting)],
            paths: &["/v1/messages", "/v1"],
            ..Entry::new(Stage::LanguageModel, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::LanguageModel(Arc::new(Anthropic::new(self.clone(), key)?)))
    }

    fn problems(&self) -> Vec<Problem> {
        let temperature = within("temperature", self.temperature, 0.0..=1.0);
        not_zero("max_tokens", self.max_tokens).into_iter().chain(temperature).collect()
    }
}

/// A language model behind Anthropic's Messages.
#[derive(Clone, Debug)]
pub struct Anthropic(Service<Config>);

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
        Ok(Self(Service::new(http, config, templates)))
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
        Ok(self.0.open(call))
    }
}

impl Dialect for Config {
    const NAME: &'static str = NAME;
    type Reader = Stream;

    fn post(&self, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Post {
        request::post(self, system, tools, request)
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
    /// Calls whose arguments are coming.
    calls: Vec<Making>,
    /// What was thought before the next call, as it is given back: the blocks by their numbers.
    thoughts: Fields,
    blocks: u64,
}

/// A call in the making.
#[derive(Debug)]
struct Making {
    index: Option<u32>,
    id: String,
    name: String,
    /// Those that its block began with.
    whole: String,
    /// Those that came in pieces, which count when there are any.
    pieces: String,
}

impl Reader for Stream {
    const DUE: Due = Due::Events;

    fn read(&mut self, record: &str, heard: &mut Heard) -> Result<(), ServiceError> {
        read_event(record)?.into_iter().try_for_each(|event| self.take(event, heard))
    }

    /// Calls whose blocks have no end.
    fn close(&mut self, heard: &mut Heard) {
        for call in std::mem::take(&mut self.calls) {
            self.call(call, heard);
        }
    }
}

impl Stream {
    fn take(&mut self, event: Event, heard: &mut Heard) -> Result<(), ServiceError> {
        match event {
            Event::Begin(index, block) => {
                self.blocks += u64::from(matches!(block, Block::Thought(_)));
                self.more(index, block, heard)?;
            }
            Event::More(index, block) => self.more(index, block, heard)?,
            Event::BlockEnd(index) => {
                if let Some(at) = self.place(index) {
                    let call = self.calls.remove(at);
                    self.call(call, heard);
                }
            }
            Event::Stop(word) => heard.stopped(Some(&word)),
            Event::End => heard.ended = true,
            Event::Tokens(tokens, cached) => (heard.tokens, heard.cached) = (Some(tokens), cached),
        }
        Ok(())
    }

    fn more(&mut self, index: Option<u32>, block: Block, heard: &mut Heard) -> Result<(), ServiceError> {
        match block {
            Block::Text(text) => heard.text(text),
            Block::Call { id, name, arguments } => {
                heard.pieces += 1;
                if self.calls.len() < MOST_CALLS {
                    self.calls.push(Making { index, id, name, whole: arguments, pieces: String::new() });
                }
            }
            Block::Arguments(piece) => {
                heard.pieces += 1;
                if let Some(at) = self.place(index) {
                    self.calls[at].more(&piece)?;
                }
            }
            Block::Thought(block) => {
                heard.thought = true;
                self.think(block);
            }
            Block::Other => {}
        }
        Ok(())
    }

    /// The call of a block; without a number, the last one.
    fn place(&self, index: Option<u32>) -> Option<usize> {
        match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index),
            None => self.calls.len().checked_sub(1),
        }
    }

    /// Pieces of one block are put together by its number.
    fn think(&mut self, mut block: Map<String, Value>) {
        block.insert(NUMBER.into(), self.blocks.into());
        let blocks = json!({"content": [block]});
        self.thoughts.add(blocks.as_object().cloned().unwrap_or_default());
    }

    /// The first call has what was thought before it.
    fn call(&mut self, making: Making, heard: &mut Heard) {
        let Making { id, name, whole, pieces, .. } = making;
        if name.trim().is_empty() {
            return;
        }
        let arguments = arguments::text(if pieces.trim().is_empty() { &whole } else { &pieces });
        let mut message = std::mem::take(&mut self.thoughts).into_inner();
        let blocks = message.get_mut("content").and_then(Value::as_array_mut).into_iter().flatten();
        blocks.filter_map(Value::as_object_mut).for_each(|block| drop(block.remove(NUMBER)));
        let provided = (!message.is_empty())
            .then(|| Box::new(Provided { service: NAME.into(), message, ..Provided::default() }));
        heard.call(ToolCall { id, name: name.trim().to_owned(), arguments, provided });
    }
}

impl Making {
    fn more(&mut self, piece: &str) -> Result<(), ServiceError> {
        if self.pieces.len() + piece.len() > LARGEST_ARGUMENTS {
            return Err(ServiceError::TooLarge { place: "arguments", limit: LARGEST_ARGUMENTS });
        }
        self.pieces += piece;
        Ok(())
    }
}

/// Where the pieces of a block of thoughts have its number until they are put together.
const NUMBER: &str = "index";

/// Calls of one reply that are taken in, and bytes of the arguments of each.
const MOST_CALLS: usize = 32;
const LARGEST_ARGUMENTS: usize = 64 * 1_024;

const KEY: HeaderName = HeaderName::from_static("x-api-key");
const VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// The version of the API, the only one that streams so.
const SPOKEN: &str = "2023-06-01";
