//! Chat completions as [OpenAI](https://platform.openai.com/docs/api-reference/chat) made them, streamed; vLLM,
//! llama.cpp, LM Studio, Ollama, Groq and many others speak the same.

mod chunk;
mod request;

pub(super) use chunk::{Chunk, read as read_chunk};

use super::exchange::Exchange;
use super::http::{Http, content_type};
use super::sse::Events;
use super::{ApiKey, Endpoint, Limits, ServiceError, SetupError};
use crate::Expectation;
use crate::humane;
use crate::llm::{Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next};
use bytes::Bytes;
use hyper::HeaderMap;
use serde::Deserialize;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
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
    /// What the model is to be and do. Default a short-spoken telephone assistant.
    pub system: String,
    /// What is said to a caller who comes on the line; when it is empty, the model is asked. Default "Hello, how can
    /// I help you?"
    pub greeting: String,
    /// The longest reply. Default 300 tokens, a minute and a half of speech.
    pub max_tokens: u32,
    /// How freely it chooses its words, 0 to 2; the service's own default when absent.
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
}

impl OpenAiChat {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        Ok(Self { http: Http::new(&config.url, key, limits)?, config: Arc::new(config) })
    }
}

impl LanguageModel for OpenAiChat {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        self.http.warm();
        Ok(Box::new(Session { service: self.clone(), running: None }))
    }
}

#[derive(Debug)]
struct Session {
    service: OpenAiChat,
    running: Option<Running>,
}

/// A reply that has begun.
#[derive(Debug)]
enum Running {
    /// Known words.
    Words { id: u32, text: Option<String> },
    /// The model's.
    Asked(Box<Reply>),
}

#[derive(Debug)]
struct Reply {
    id: u32,
    exchange: Exchange,
    events: Events,
    piece: Bytes,
    /// The model has said why it stopped: what is missing behind it is no loss.
    stopped: bool,
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let LlmRequest { id, cue, .. } = &request;
        let greeting = &self.service.config.greeting;
        if *cue == Cue::Joined && !greeting.is_empty() {
            let rest = greeting.strip_prefix(&request.already).unwrap_or(greeting);
            let text = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
            self.running = Some(Running::Words { id: *id, text });
            return Ok(());
        }
        let post = request::post(&self.service.config, &request);
        let exchange = Exchange::begin(&self.service.http, post, check);
        let reply =
            Reply { id: *id, exchange, events: Events::default(), piece: Bytes::new(), stopped: false };
        self.running = Some(Running::Asked(Box::new(reply)));
        Ok(())
    }

    /// Dropping the answer closes its connection, which tells the service to stop.
    fn cancel(&mut self) {
        if self.running.take().is_some() {
            self.service.http.warm();
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        let (id, said) = match &mut self.running {
            None => return Poll::Pending,
            Some(Running::Words { id, text }) => (*id, Ok(text.take())),
            Some(Running::Asked(reply)) => (reply.id, ready!(reply.poll_text(cx))),
        };
        Poll::Ready(match said {
            Ok(Some(text)) => Ok(LlmEvent::Text { id, text }),
            Ok(None) => Ok(self.done(id)),
            Err(source) => {
                self.running = None;
                Err(LlmError::Service { engine: NAME, source })
            }
        })
    }
}

impl Session {
    fn done(&mut self, id: u32) -> LlmEvent {
        if let Some(Running::Asked(reply)) = self.running.take() {
            reply.exchange.finish();
        }
        LlmEvent::Done { id, next: Next::Listen(Expectation::anything()), memo: String::new() }
    }
}

impl Reply {
    /// The next words; `None` is the end.
    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<String>, ServiceError>> {
        loop {
            while let Some(event) = self.events.next(&mut self.piece)? {
                if let Some(said) = self.take(&event)? {
                    return Poll::Ready(Ok(said));
                }
            }
            match ready!(self.exchange.poll_piece(cx)) {
                Some(piece) => self.piece = piece?,
                None => return Poll::Ready(self.end()),
            }
        }
    }

    /// What an event says: words, the end, or nothing that matters.
    fn take(&mut self, event: &str) -> Result<Option<Option<String>>, ServiceError> {
        match read_chunk(event)? {
            Chunk::Text(text) => Ok(Some(Some(text))),
            Chunk::Last(text) => {
                self.stopped = true;
                Ok(text.map(Some))
            }
            Chunk::End => Ok(Some(None)),
            Chunk::Nothing => Ok(None),
        }
    }

    /// The stream has ended, which some servers do without the word for it.
    fn end(&mut self) -> Result<Option<String>, ServiceError> {
        if let Some(event) = self.events.finish()?
            && let Some(said) = self.take(&event)?
        {
            return Ok(said);
        }
        if self.stopped {
            return Ok(None);
        }
        Err(ServiceError::cut(super::Phase::Answer, "the reply has no end"))
    }
}

/// Streams only: an answer of another kind is an error page, or of a server that cannot stream.
fn check(headers: &HeaderMap) -> Result<(), ServiceError> {
    let found = content_type(headers);
    if found.starts_with("text/event-stream") {
        return Ok(());
    }
    Err(ServiceError::malformed("answer", format!("{found}, where text/event-stream was asked for")))
}
