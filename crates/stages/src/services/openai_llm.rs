//! Chat completions as [OpenAI](https://platform.openai.com/docs/api-reference/chat) made them, streamed; vLLM,
//! llama.cpp, LM Studio, Ollama, Groq and many others speak the same.

mod calls;
mod chunk;
mod request;

pub(super) use chunk::read as read_chunk;

use super::chat::{Dialect, Heard, Reader, Service};
use super::http::{Http, Post};
use super::provided::Fields;
use super::records::Due;
use super::section::{Engine, Entry, Problem, Section, Sections, Stage, not_zero, within};
use super::{ApiKey, Endpoint, ExtraBody, KeyHeader, Limits, OwnFields, ServiceError, SetupError};
use crate::humane;
use crate::llm::{LanguageModel, LlmCall, LlmError, LlmRequest, LlmSession, Provided, ToolSpec};
use crate::prompt::Templates;
use calls::Calls;
use chunk::Chunk;
use serde::Deserialize;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// Who serves chat completions, and what a section of theirs says by default.
pub trait Vendor: Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Its name in configuration.
    const NAME: &'static str;
    /// Where it listens.
    const URL: &'static str;
    /// A model that is quick.
    const MODEL: &'static str;
    /// The environment variable of its key.
    const KEY: &'static str;
}

/// OpenAI itself, and all that have no section of their own.
#[derive(Clone, Debug, PartialEq)]
pub enum OpenAi {}

impl Vendor for OpenAi {
    const NAME: &'static str = "openai_llm";
    const URL: &'static str = "https://api.openai.com/v1";
    const MODEL: &'static str = "gpt-4o-mini";
    const KEY: &'static str = "OPENAI_API_KEY";
}

/// OpenAI's section.
pub type Config = Options<OpenAi>;

/// Which model answers, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "V: Vendor")]
pub struct Options<V: Vendor> {
    /// Where it listens; `/chat/completions` lies below. Default the vendor's own.
    pub url: Endpoint,
    /// The model. Default `gpt-4o-mini` of OpenAI's.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default that of the vendor, such as
    /// `OPENAI_API_KEY`.
    pub key: String,
    /// The header that it takes the key in: `authorization` has it as `Bearer KEY`, any other the key alone, as Azure's
    /// `api-key` does. Default `authorization`.
    pub key_header: KeyHeader,
    /// What the model is to be and do, a template (`docs/start/context.md`). Default a short-spoken telephone assistant.
    pub system: String,
    /// What is said to a caller who comes on the line, a template; when it is empty, the model is asked. Default "Hello,
    /// how can I help you?"
    pub greeting: String,
    /// The longest reply. Default 300 tokens, a minute and a half of speech.
    pub max_tokens: u32,
    /// How freely it chooses its words, 0 to 2; the service's own default when absent.
    pub temperature: Option<f32>,
    /// How much a model that reasons does so before it speaks, in the vendor's own word, such as `low`; not sent when absent.
    /// What it thinks counts as part of the longest reply.
    pub reasoning_effort: Option<String>,
    /// Fields of the vendor's own that each request has besides. Default none.
    pub extra_body: ExtraBody<Self>,
    /// Whether the service is asked how many tokens it was given (`stream_options`). Default true; false for one that refuses
    /// the question.
    pub usage: bool,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a request to the head of its answer. Default 3 s.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of an answer. Default 2 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
    /// Whose section it is.
    #[serde(skip)]
    pub vendor: PhantomData<V>,
}

impl<V: Vendor> Default for Options<V> {
    fn default() -> Self {
        Self {
            url: Endpoint::parse(V::URL).expect("an address"),
            model: V::MODEL.into(),
            key: V::KEY.into(),
            key_header: KeyHeader::default(),
            system:
                "You talk with a caller on the telephone. Answer in one to three short sentences of plain \
                     words, without lists, symbols or markup."
                    .into(),
            greeting: "Hello, how can I help you?".into(),
            max_tokens: 300,
            temperature: None,
            reasoning_effort: None,
            extra_body: ExtraBody::default(),
            usage: true,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_secs(3),
            idle: Duration::from_secs(2),
            vendor: PhantomData,
        }
    }
}

impl<V: Vendor> OwnFields for Options<V> {
    const OWN: &'static [(&'static str, &'static str)] = &[
        ("model", "model"),
        ("messages", ""),
        ("stream", ""),
        ("tools", ""),
        ("stream_options", "usage"),
        ("temperature", "temperature"),
        ("max_tokens", "max_tokens"),
        ("reasoning_effort", "reasoning_effort"),
    ];
}

impl<V: Vendor> Section for Options<V> {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            model: Some(&self.model),
            templates: vec![("system", &self.system), ("greeting", &self.greeting)],
            paths: &["/chat/completions"],
            ..Entry::new(Stage::LanguageModel, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::LanguageModel(Arc::new(OpenAiLlm::new(self.clone(), key)?)))
    }

    fn problems(&self) -> Vec<Problem> {
        let temperature = within("temperature", self.temperature, 0.0..=2.0);
        not_zero("max_tokens", self.max_tokens).into_iter().chain(temperature).collect()
    }
}

/// A language model behind chat completions.
#[derive(Clone, Debug)]
pub struct OpenAiLlm<V: Vendor = OpenAi>(Service<Options<V>>);

impl<V: Vendor> OpenAiLlm<V> {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried, or a template has a mistake.
    pub fn new(config: Options<V>, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        let templates = Templates::parse(&config.system, &config.greeting)?;
        Ok(Self(Service::new(Http::keyed(&config.url, key, &config.key_header, limits)?, config, templates)))
    }
}

impl<V: Vendor> LanguageModel for OpenAiLlm<V> {
    fn name(&self) -> &str {
        V::NAME
    }

    fn summarises(&self) -> bool {
        true
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(self.0.open(call))
    }
}

impl<V: Vendor> Dialect for Options<V> {
    const NAME: &'static str = V::NAME;
    type Reader = Stream<V>;

    fn post(&self, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Post {
        request::post(self, system, tools, request)
    }
}

/// Reads a stream of chunks.
#[derive(Debug)]
pub(super) struct Stream<V = OpenAi> {
    calls: Calls,
    /// Of the message.
    own: Fields,
    vendor: PhantomData<V>,
}

impl<V> Default for Stream<V> {
    fn default() -> Self {
        Self { calls: Calls::default(), own: Fields::default(), vendor: PhantomData }
    }
}

impl<V: Vendor> Reader for Stream<V> {
    const DUE: Due = Due::Events;

    fn read(&mut self, record: &str, heard: &mut Heard) -> Result<(), ServiceError> {
        read_chunk(record)?.into_iter().try_for_each(|chunk| self.take(chunk, heard))
    }

    /// The calls, of which the first has what belongs to all of them.
    fn close(&mut self, heard: &mut Heard) {
        let mut own = std::mem::take(&mut self.own).into_inner();
        while let Some(mut call) = self.calls.next(V::NAME) {
            if !own.is_empty() {
                let provided = call.provided.get_or_insert_default();
                let Provided { service, message, .. } = provided.as_mut();
                (*service, *message) = (V::NAME.into(), std::mem::take(&mut own));
            }
            heard.call(call);
        }
    }
}

impl<V> Stream<V> {
    fn take(&mut self, chunk: Chunk, heard: &mut Heard) -> Result<(), ServiceError> {
        heard.pieces += chunk.calls.len() as u64;
        chunk.calls.into_iter().try_for_each(|piece| self.calls.push(piece))?;
        self.own.add(chunk.own);
        heard.text(chunk.text);
        heard.thought |= chunk.thought;
        heard.refused |= chunk.refused;
        if chunk.tokens.is_some() {
            (heard.tokens, heard.cached) = (chunk.tokens, chunk.cached);
        }
        heard.finish = heard.finish.take().or(chunk.finish);
        // What is about the whole stream comes at its end, if the model has stopped.
        heard.ended |= chunk.end || (chunk.about && heard.finish.is_some());
        Ok(())
    }
}
