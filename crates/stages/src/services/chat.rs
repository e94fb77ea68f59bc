//! One call's session with a language model over HTTP, whatever form the service speaks.

mod filter;
mod finish;
mod reading;

pub(super) use filter::Filter;
pub(super) use finish::FinishReason;
pub(super) use reading::{Heard, Reader, Reading, Saying};

use super::exchange::Exchange;
use super::http::{Http, Post, content_type};
use super::records::Due;
use super::{Phase, ServiceError};
use super::{conversation, digest};
use crate::Expectation;
use crate::alarm::Alarm;
use crate::llm::{
    Emptiness, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, Task, ToolSpec, Weigh,
};
use crate::prompt::{Prompt, Templates};
use bytes::Bytes;
use filter::Habit;
use hyper::HeaderMap;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// What a service's own form is.
pub(super) trait Dialect: Send + Sync + std::fmt::Debug + 'static {
    /// Its name in configuration.
    const NAME: &'static str;
    /// Reads its answers.
    type Reader: Reader;

    /// The request for a reply of a model that is to be and do what `system` says.
    fn post(&self, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Post;
    /// An error of the exchange, in words that help whoever configured it.
    fn explain(&self, error: ServiceError) -> ServiceError {
        error
    }
}

/// A language model behind HTTP, shared by all calls.
#[derive(Debug)]
pub(super) struct Service<D> {
    http: Http,
    dialect: Arc<D>,
    templates: Arc<Templates>,
    habit: Arc<Habit>,
}

/// One call's session.
#[derive(Debug)]
struct Session<D: Dialect> {
    service: Service<D>,
    prompt: Prompt,
    tools: Arc<[ToolSpec]>,
    /// Tokens of the tools' declarations, as they are weighed.
    declared: u32,
    weigh: Weigh,
    running: Option<Running<D::Reader>>,
}

/// A reply that has begun.
#[derive(Debug)]
enum Running<R> {
    /// Known words.
    Words { id: u32, text: Option<String> },
    /// The model's.
    Asked(Box<Reply<R>>),
}

#[derive(Debug)]
struct Reply<R> {
    id: u32,
    exchange: Exchange,
    reading: Reading<R>,
    filter: Filter,
    /// Nothing more comes out of the exchange.
    over: bool,
    /// It goes on with what was said already.
    resumed: bool,
    /// Tokens of the request, as they are weighed.
    estimated: u32,
    piece: Bytes,
    /// How many pieces had come when the model was seen to have stopped, and when that was.
    stopped: Option<(u64, Instant)>,
    /// Since when the filter is in doubt.
    doubtful: Option<Instant>,
    alarm: Alarm,
}

/// How a reply failed.
#[derive(Debug)]
enum Failure {
    Service(ServiceError),
    Empty(Emptiness),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl<D: Dialect> Service<D> {
    pub(super) fn new(http: Http, dialect: D, templates: Arc<Templates>) -> Self {
        Self { http, dialect: Arc::new(dialect), templates, habit: Arc::default() }
    }

    /// A session for one call.
    pub(super) fn open(&self, call: LlmCall) -> Box<dyn LlmSession> {
        self.http.warm();
        let prompt = Prompt::new(self.templates.clone(), call.variables, call.effects);
        let (tools, weigh) = (call.tools, call.weigh);
        let declared = tools.iter().map(|tool| declared(tool, weigh)).sum();
        Box::new(Session { service: self.clone(), prompt, tools, declared, weigh, running: None })
    }
}

impl<D> Clone for Service<D> {
    fn clone(&self) -> Self {
        let Self { http, dialect, templates, habit } = self;
        let (http, dialect) = (http.clone(), dialect.clone());
        Self { http, dialect, templates: templates.clone(), habit: habit.clone() }
    }
}

impl<D: Dialect> Session<D> {
    /// Asks the model.
    fn ask(&mut self, request: &LlmRequest) -> Reply<D::Reader> {
        let Service { http, dialect, habit, .. } = &self.service;
        let (system, tools, declared) = match request.task {
            Task::Reply => (self.prompt.system(&request.language), self.tools.clone(), self.declared),
            Task::Summary => (digest::SYSTEM, Arc::default(), 0),
        };
        let post = dialect.post(system, &tools, request);
        let lines = conversation::lines(system, request);
        let estimated = conversation::weigh(&lines, self.weigh).saturating_add(declared);
        Reply {
            id: request.id,
            exchange: Exchange::begin(http, post, readable::<D>),
            reading: Reading::default(),
            filter: Filter::new(tools, habit.clone()),
            over: false,
            resumed: !request.already.is_empty(),
            estimated,
            piece: Bytes::new(),
            stopped: None,
            doubtful: None,
            alarm: Alarm::default(),
        }
    }

    /// What the service has told of the request's length, once; the end is told next.
    fn usage(&mut self) -> Option<LlmEvent> {
        let Some(Running::Asked(reply)) = self.running.take() else { return None };
        let Reply { id, exchange, reading, estimated, .. } = *reply;
        exchange.finish();
        let (tokens, cached) = (reading.heard().tokens?, reading.heard().cached);
        self.running = Some(Running::Words { id, text: None });
        Some(LlmEvent::Usage { id, tokens, estimated, cached })
    }

    fn done(&mut self, id: u32) -> LlmEvent {
        self.running = None;
        LlmEvent::Done { id, next: Next::Listen(Expectation::anything()), memo: String::new() }
    }

    fn failed(&mut self, failure: Failure) -> LlmError {
        match (failure, self.running.take()) {
            (Failure::Empty(reason), running) => {
                if let Some(Running::Asked(reply)) = running {
                    reply.exchange.finish();
                }
                LlmError::Empty { engine: D::NAME, reason }
            }
            (Failure::Service(error), _) => {
                LlmError::Service { engine: D::NAME, source: self.service.dialect.explain(error) }
            }
        }
    }
}

impl<D: Dialect> LlmSession for Session<D> {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let greeting = conversation::greeting(self.prompt.greeting(&request.language), &request);
        self.running = Some(match greeting {
            Some(words) => {
                Running::Words { id: request.id, text: Some(words).filter(|words| !words.is_empty()) }
            }
            None => Running::Asked(Box::new(self.ask(&request))),
        });
        Ok(())
    }

    /// Dropping the answer closes its connection, which tells the service to stop.
    fn cancel(&mut self) {
        if self.running.take().is_some() {
            self.service.http.warm();
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        let (id, saying) = match &mut self.running {
            None => return Poll::Pending,
            Some(Running::Words { id, text }) => (*id, Ok(text.take().map_or(Saying::End, Saying::Text))),
            Some(Running::Asked(reply)) => (reply.id, ready!(reply.poll(cx))),
        };
        Poll::Ready(match saying {
            Ok(Saying::Text(text)) => Ok(LlmEvent::Text { id, text }),
            Ok(Saying::Call(call)) => Ok(LlmEvent::Call { id, call }),
            Ok(Saying::End) => Ok(self.usage().unwrap_or_else(|| self.done(id))),
            Err(failure) => Err(self.failed(failure)),
        })
    }
}

impl<R: Reader> Reply<R> {
    /// The next of what is said to the caller, and called.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Saying, Failure>> {
        loop {
            if let Some(saying) = self.filter.next() {
                return Poll::Ready(Ok(saying));
            }
            if self.over {
                return Poll::Ready(self.verdict());
            }
            match self.poll_saying(cx)? {
                Poll::Ready(Saying::Text(text)) => self.filter.push(&text),
                Poll::Ready(Saying::Call(call)) => self.filter.call(call),
                Poll::Ready(Saying::End) => {
                    self.over = true;
                    self.filter.finish(self.reading.heard().finish == Some(FinishReason::Length));
                }
                Poll::Pending => ready!(self.poll_doubt(cx)),
            }
        }
    }

    /// The next of what the model says.
    fn poll_saying(&mut self, cx: &mut Context<'_>) -> Poll<Result<Saying, ServiceError>> {
        loop {
            if let Some(saying) = self.reading.next(&mut self.piece)? {
                return Poll::Ready(Ok(saying));
            }
            match self.exchange.poll_piece(cx) {
                Poll::Ready(Some(Ok(piece))) => self.piece = piece,
                Poll::Ready(Some(Err(error))) if !self.reading.has_stopped() => {
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Some(Err(_))) => self.reading.close(),
                Poll::Ready(None) => self.end()?,
                Poll::Pending => {
                    ready!(self.poll_settled(cx));
                    self.reading.close();
                }
            }
        }
    }

    /// The answer has ended. One that has no word for its end is whole when HTTP says so, and there is something in it.
    fn end(&mut self) -> Result<(), ServiceError> {
        if !self.reading.finish()? {
            if !self.exchange.is_framed() || self.reading.heard().pieces == 0 {
                return Err(ServiceError::cut(Phase::Answer, "the reply has no end"));
            }
            self.reading.close();
        }
        Ok(())
    }

    /// Ready when a model that has stopped has nothing to add, since some servers leave their streams open behind it.
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.reading.has_stopped() {
            return Poll::Pending;
        }
        let pieces = self.reading.heard().pieces;
        let stopped = self.stopped.filter(|(before, _)| *before == pieces);
        let (_, since) = *self.stopped.insert(stopped.unwrap_or_else(|| (pieces, Instant::now())));
        self.alarm.poll(since + SETTLED, cx)
    }

    /// What the filter is in doubt of is let through when nothing has come for a moment.
    fn poll_doubt(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.filter.is_in_doubt() {
            return Poll::Pending;
        }
        let since = *self.doubtful.get_or_insert_with(Instant::now);
        ready!(self.alarm.poll(since + DOUBT, cx));
        self.filter.trust();
        Poll::Ready(())
    }

    /// How it ends: a reply without words and calls is none, unless it was begun elsewhere and there is nothing to add.
    fn verdict(&self) -> Result<Saying, Failure> {
        let heard = self.reading.heard();
        if let Some(FinishReason::Failed(word)) = &heard.finish {
            return Err(ServiceError::Failed { message: format!("it stopped by {word:?}") }.into());
        }
        let reason = match &heard.finish {
            _ if self.filter.has_said() || self.filter.has_called() => return Ok(Saying::End),
            _ if heard.refused => Emptiness::Refusal,
            Some(FinishReason::Refusal) => Emptiness::Refusal,
            Some(FinishReason::ContentFilter) => Emptiness::ContentFilter,
            Some(FinishReason::Length) => Emptiness::Length,
            _ if self.filter.has_dropped_call() => Emptiness::ToolCall,
            _ if heard.thought || self.filter.has_thought() => Emptiness::Thoughts,
            _ if self.resumed => return Ok(Saying::End),
            _ => Emptiness::Blank,
        };
        Err(Failure::Empty(reason))
    }
}

/// Pages, pictures and sounds are no answer of a model. All else is judged by what is in it: gateways have many names for
/// the same.
fn readable<D: Dialect>(headers: &HeaderMap) -> Result<(), ServiceError> {
    let found = content_type(headers);
    let kind = found.trim().to_ascii_lowercase();
    if !UNREADABLE.iter().any(|other| kind.starts_with(other)) {
        return Ok(());
    }
    let asked = match D::Reader::DUE {
        Due::Events => "text/event-stream",
        Due::Values => "application/x-ndjson",
    };
    Err(ServiceError::malformed("answer", format!("{found}, where {asked} was asked for")))
}

fn declared(tool: &ToolSpec, weigh: Weigh) -> u32 {
    let ToolSpec { name, description, parameters } = tool;
    (weigh.text)(name) + (weigh.text)(description) + (weigh.text)(&parameters.to_string()) + weigh.around
}

const UNREADABLE: [&str; 8] = [
    "text/html",
    "text/xml",
    "application/xhtml",
    "application/xml",
    "image/",
    "audio/",
    "video/",
    "multipart/",
];

/// How long a stream that is left open may add to a reply that has stopped.
const SETTLED: Duration = Duration::from_millis(300);

/// How long the first words of a service that is not known yet are held, in case that they turn out to be thoughts.
const DOUBT: Duration = Duration::from_millis(40);
