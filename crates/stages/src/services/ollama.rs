//! [Ollama](https://github.com/ollama/ollama/blob/main/docs/api.md)'s own API: `POST /api/chat`, answered line by line.
//!
//! The model is loaded when the server starts, by a request without messages, and stays as long as `keep_alive` says:
//! otherwise the first caller would wait for it.

mod line;
mod request;

pub(super) use line::read as read_line;

use super::chat::{Dialect, Reader, Saying, Session};
use super::http::{Http, Post, content_type};
use super::lines::Lines;
use super::{ApiKey, Endpoint, Limits, ServiceError, SetupError};
use crate::humane;
use crate::llm::{LanguageModel, LlmCall, LlmError, LlmRequest, LlmSession, ToolCall, ToolSpec};
use crate::prompt::Templates;
use bytes::Bytes;
use hyper::HeaderMap;
use line::Line;
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "ollama";

/// Which model answers, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/api/chat` lies below. Default Ollama's own port on this machine.
    pub url: Endpoint,
    /// The model. Default `llama3.2`.
    pub model: String,
    /// The environment variable of a key, for an Ollama behind something that asks for one. Default `OLLAMA_API_KEY`.
    pub key: String,
    /// What the model is to be and do, a template (`docs/start/context.md`). Default a short-spoken telephone assistant.
    pub system: String,
    /// What is said to a caller who comes on the line, a template; when it is empty, the model is asked. Default "Hello,
    /// how can I help you?"
    pub greeting: String,
    /// The longest reply. Default 300 tokens, a minute and a half of speech.
    pub max_tokens: u32,
    /// How freely it chooses its words, 0 to 2; the model's own default when absent.
    pub temperature: Option<f32>,
    /// Tokens of the conversation that the model sees; Ollama's own default when absent. Each costs memory for each
    /// request that Ollama serves at a time.
    pub context_tokens: Option<u32>,
    /// How long the model stays in memory without requests: seconds, or as Go writes durations ("30m"); "-1" for
    /// ever. Default "-1".
    pub keep_alive: String,
    /// Whether a model that can think does so before it speaks. Default false: the caller would wait for it.
    pub think: bool,
    /// Whether the model is loaded when the server starts. Default true.
    pub warm_up: bool,
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
            url: Endpoint::parse("http://127.0.0.1:11434").expect("an address"),
            model: "llama3.2".into(),
            key: "OLLAMA_API_KEY".into(),
            system: usual.system,
            greeting: usual.greeting,
            max_tokens: usual.max_tokens,
            temperature: None,
            context_tokens: None,
            keep_alive: "-1".into(),
            think: false,
            warm_up: true,
            connect: usual.connect,
            first_byte: usual.first_byte,
            idle: usual.idle,
        }
    }
}

/// A language model that Ollama runs.
#[derive(Clone, Debug)]
pub struct Ollama {
    http: Http,
    config: Arc<Config>,
    templates: Arc<Templates>,
}

impl Ollama {
    /// A client of the service; connections are set up on the present runtime, where the model's loading is also
    /// waited for.
    ///
    /// # Errors
    /// Connections cannot even be tried, or a template has a mistake.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let templates = Templates::parse(&config.system, &config.greeting)?;
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        let http = Http::new(&config.url, key, limits)?;
        if config.warm_up {
            let loading = Limits { first_byte: LONGEST_LOADING, ..limits };
            tokio::spawn(load(Http::new(&config.url, key, loading)?, config.clone()));
        }
        Ok(Self { http, templates, config: Arc::new(config) })
    }
}

/// Has the model loaded. Whoever asks it for a reply would be told of errors, but callers would pay for it.
async fn load(http: Http, config: Config) {
    let begun = tokio::time::Instant::now();
    let loaded = async { http.post(request::load(&config)).await?.answer.whole().await };
    match loaded.await.map_err(|error| config.explain(error)) {
        Ok(_) => tracing::info!(model = config.model, took = ?begun.elapsed(), "Ollama has loaded the model"),
        Err(error) => tracing::warn!(model = config.model, %error, "Ollama cannot load the model"),
    }
}

impl LanguageModel for Ollama {
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
        request::chat(self, system, tools, request)
    }

    fn check(headers: &HeaderMap) -> Result<(), ServiceError> {
        let found = content_type(headers);
        if found.starts_with("application/x-ndjson") {
            return Ok(());
        }
        Err(ServiceError::malformed("answer", format!("{found}, where application/x-ndjson was asked for")))
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

/// Reads a stream of lines.
#[derive(Debug, Default)]
pub(super) struct Stream {
    lines: Lines,
    calls: VecDeque<ToolCall>,
    ended: bool,
    tokens: Option<u32>,
}

impl Reader for Stream {
    fn next(&mut self, piece: &mut Bytes) -> Result<Option<Saying>, ServiceError> {
        while !self.ended {
            let Some(line) = self.lines.next(piece)? else { return Ok(None) };
            if let Some(text) = self.take(&line)? {
                return Ok(Some(Saying::Text(text)));
            }
        }
        Ok(Some(self.closing()))
    }

    fn tokens(&self) -> Option<u32> {
        self.tokens
    }

    fn finish(&mut self) -> Result<Option<Saying>, ServiceError> {
        if let Some(line) = self.lines.finish()?
            && let Some(text) = self.take(&line)?
        {
            return Ok(Some(Saying::Text(text)));
        }
        Ok(self.ended.then(|| self.closing()))
    }
}

impl Stream {
    /// What a line says, in words.
    fn take(&mut self, line: &str) -> Result<Option<String>, ServiceError> {
        let Line { text, calls, done, tokens } = read_line(line)?;
        for call in calls {
            let id = if call.id.is_empty() { format!("call_{}", self.calls.len()) } else { call.id };
            self.calls.push_back(ToolCall { id, ..call });
        }
        self.ended = done;
        self.tokens = tokens.or(self.tokens);
        Ok(text)
    }

    /// The calls, and then the end.
    fn closing(&mut self) -> Saying {
        self.calls.pop_front().map_or(Saying::End, Saying::Call)
    }
}

/// A model of tens of gigabytes from a slow disk.
const LONGEST_LOADING: Duration = Duration::from_secs(10 * 60);
