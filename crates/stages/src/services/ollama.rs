//! [Ollama](https://github.com/ollama/ollama/blob/main/docs/api.md)'s own API: `POST /api/chat`, answered line by line.
//!
//! The model is loaded when the server starts, by a request without messages, and stays as long as `keep_alive` says:
//! otherwise the first caller would wait for it.

mod line;
mod request;
mod think;

pub(super) use line::read as read_line;
pub use think::{Think, ThinkError};

use super::arguments;
use super::chat::{Dialect, Heard, Reader, Service};
use super::http::{Http, Post};
use super::lenient::Object;
use super::provided::Fields;
use super::records::Due;
use super::section::{Engine, Entry, Problem, Section, Sections, Stage, not_zero, within};
use super::{ApiKey, Endpoint, ExtraBody, Limits, OwnFields, ServiceError, SetupError};
use crate::humane;
use crate::llm::{LanguageModel, LlmCall, LlmError, LlmRequest, LlmSession, Provided, ToolCall, ToolSpec};
use crate::prompt::Templates;
use line::{Call, Function, Line};
use serde::Deserialize;
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
    /// Whether a model that can think does so before it speaks, or how much: `low`, `medium` or `high`. Default false: the
    /// caller would wait for it.
    pub think: Think,
    /// Fields that each request has besides; those of `options` stand beside ours. Default none.
    pub extra_body: ExtraBody<Self>,
    /// Whether the model is loaded when the server starts. Default true.
    pub warm_up: bool,
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
            url: Endpoint::parse("http://127.0.0.1:11434").expect("an address"),
            model: "llama3.2".into(),
            key: "OLLAMA_API_KEY".into(),
            system: usual.system,
            greeting: usual.greeting,
            max_tokens: usual.max_tokens,
            temperature: None,
            context_tokens: None,
            keep_alive: "-1".into(),
            think: Think::default(),
            extra_body: ExtraBody::default(),
            warm_up: true,
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
        ("think", "think"),
        ("keep_alive", "keep_alive"),
    ];
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            model: Some(&self.model),
            templates: vec![("system", &self.system), ("greeting", &self.greeting)],
            paths: &["/v1/chat/completions", "/api/chat", "/api/generate", "/api", "/v1"],
            ..Entry::new(Stage::LanguageModel, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::LanguageModel(Arc::new(Ollama::new(self.clone(), key)?)))
    }

    fn problems(&self) -> Vec<Problem> {
        let temperature = within("temperature", self.temperature, 0.0..=2.0);
        not_zero("max_tokens", self.max_tokens).into_iter().chain(temperature).collect()
    }
}

/// A language model that Ollama runs.
#[derive(Clone, Debug)]
pub struct Ollama(Service<Config>);

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
        Ok(Self(Service::new(http, config, templates)))
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
        Ok(self.0.open(call))
    }
}

impl Dialect for Config {
    const NAME: &'static str = NAME;
    type Reader = Stream;

    fn post(&self, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Post {
        request::chat(self, system, tools, request)
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
    calls: Vec<ToolCall>,
    thinking: Fields,
}

impl Reader for Stream {
    const DUE: Due = Due::Values;

    fn read(&mut self, record: &str, heard: &mut Heard) -> Result<(), ServiceError> {
        read_line(record)?.into_iter().for_each(|line| self.take(line, heard));
        Ok(())
    }

    /// The calls, of which the first has what was thought before them.
    fn close(&mut self, heard: &mut Heard) {
        let mut message = std::mem::take(&mut self.thinking).into_inner();
        for mut call in self.calls.drain(..) {
            if !message.is_empty() {
                let provided = call.provided.get_or_insert_default();
                (provided.service, provided.message) = (NAME.into(), std::mem::take(&mut message));
            }
            heard.call(call);
        }
    }
}

impl Stream {
    fn take(&mut self, line: Line, heard: &mut Heard) {
        let Line { text, thinking, calls, reason, done, tokens } = line;
        heard.thought |= !thinking.is_empty();
        if !thinking.is_empty() {
            self.thinking.add([("thinking".to_owned(), thinking.into())].into_iter().collect());
        }
        let room = MOST_CALLS.saturating_sub(self.calls.len());
        self.calls.extend(calls.into_iter().filter_map(whole).take(room));
        heard.text(text);
        heard.tokens = tokens.or(heard.tokens);
        heard.stopped(reason.as_deref());
        heard.ended |= done;
    }
}

/// A call; one without a name is none.
fn whole(Call { id, function: Object(Function { name, arguments }), own, .. }: Call) -> Option<ToolCall> {
    let name = name.0.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())?;
    let own: serde_json::Map<_, _> = own.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let provided = (!own.is_empty())
        .then(|| Box::new(Provided { service: NAME.into(), call: own, ..Provided::default() }));
    Some(ToolCall { id: id.0.unwrap_or_default(), name, arguments: arguments::text(&arguments.0), provided })
}

/// Calls of one reply that are taken in.
const MOST_CALLS: usize = 32;

/// A model of tens of gigabytes from a slow disk.
const LONGEST_LOADING: Duration = Duration::from_secs(10 * 60);
