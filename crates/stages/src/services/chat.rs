//! One call's session with a language model over HTTP, whatever form the service speaks.

use super::exchange::Exchange;
use super::http::{Http, Post};
use super::{Phase, ServiceError};
use super::{conversation, digest};
use crate::Expectation;
use crate::llm::{
    LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, Task, ToolCall, ToolSpec, Weigh,
};
use crate::prompt::{Prompt, Templates};
use bytes::Bytes;
use hyper::HeaderMap;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What a service's own form is.
pub(super) trait Dialect: Send + Sync + std::fmt::Debug + 'static {
    /// Its name in configuration.
    const NAME: &'static str;
    /// Reads its answers.
    type Reader: Reader;

    /// The request for a reply of a model that is to be and do what `system` says.
    fn post(&self, system: &str, tools: &[ToolSpec], request: &LlmRequest) -> Post;
    /// What the head of an answer must be like.
    fn check(headers: &HeaderMap) -> Result<(), ServiceError>;
    /// An error of the exchange, in words that help whoever configured it.
    fn explain(&self, error: ServiceError) -> ServiceError {
        error
    }
}

/// Takes what the model says out of an answer that comes in pieces of any length.
pub(super) trait Reader: Default + std::fmt::Debug {
    /// Reads on in `piece`; `None` when it is used up.
    fn next(&mut self, piece: &mut Bytes) -> Result<Option<Saying>, ServiceError>;
    /// How many tokens the service says that it was given, once it has.
    fn tokens(&self) -> Option<u32>;
    /// The answer has ended: what is left, at last [`Saying::End`]; `None` when it was cut.
    fn finish(&mut self) -> Result<Option<Saying>, ServiceError>;
}

/// One thing that a model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    Text(String),
    Call(ToolCall),
    End,
}

/// One call's session.
#[derive(Debug)]
pub(super) struct Session<D: Dialect> {
    http: Http,
    dialect: Arc<D>,
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
    reader: R,
    /// Tokens of the request, as they are weighed.
    estimated: u32,
    piece: Bytes,
}

impl<D: Dialect> Session<D> {
    pub(super) fn open(
        http: &Http,
        (dialect, templates): (&Arc<D>, &Arc<Templates>),
        call: LlmCall,
    ) -> Box<dyn LlmSession> {
        http.warm();
        let prompt = Prompt::new(templates.clone(), call.variables, call.deeds);
        let (http, dialect) = (http.clone(), dialect.clone());
        let (tools, weigh) = (call.tools, call.weigh);
        let declared = tools.iter().map(|tool| declared(tool, weigh)).sum();
        Box::new(Self { http, dialect, prompt, tools, declared, weigh, running: None })
    }

    /// What the service has told of the request's length, once; the end is told next.
    fn usage(&mut self) -> Option<LlmEvent> {
        let Some(Running::Asked(reply)) = self.running.take() else { return None };
        let Reply { id, exchange, reader, estimated, .. } = *reply;
        exchange.finish();
        let tokens = reader.tokens()?;
        self.running = Some(Running::Words { id, text: None });
        Some(LlmEvent::Usage { id, tokens, estimated })
    }

    fn done(&mut self, id: u32) -> LlmEvent {
        self.running = None;
        LlmEvent::Done { id, next: Next::Listen(Expectation::anything()), memo: String::new() }
    }
}

impl<D: Dialect> LlmSession for Session<D> {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let id = request.id;
        if let Some(words) = conversation::greeting(self.prompt.greeting(&request.language), &request) {
            let text = Some(words).filter(|words| !words.is_empty());
            self.running = Some(Running::Words { id, text });
            return Ok(());
        }
        let (system, tools, declared): (_, &[ToolSpec], _) = match request.task {
            Task::Reply => (self.prompt.system(&request.language), &self.tools, self.declared),
            Task::Summary => (digest::SYSTEM, &[], 0),
        };
        let post = self.dialect.post(system, tools, &request);
        let lines = conversation::lines(system, &request);
        let estimated = conversation::weigh(&lines, self.weigh).saturating_add(declared);
        let exchange = Exchange::begin(&self.http, post, D::check);
        let reply = Reply { id, exchange, reader: D::Reader::default(), estimated, piece: Bytes::new() };
        self.running = Some(Running::Asked(Box::new(reply)));
        Ok(())
    }

    /// Dropping the answer closes its connection, which tells the service to stop.
    fn cancel(&mut self) {
        if self.running.take().is_some() {
            self.http.warm();
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
            Err(error) => {
                self.running = None;
                Err(LlmError::Service { engine: D::NAME, source: self.dialect.explain(error) })
            }
        })
    }
}

impl<R: Reader> Reply<R> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Saying, ServiceError>> {
        loop {
            if let Some(saying) = self.reader.next(&mut self.piece)? {
                return Poll::Ready(Ok(saying));
            }
            match ready!(self.exchange.poll_piece(cx)) {
                Some(piece) => self.piece = piece?,
                None => return Poll::Ready(self.finish()),
            }
        }
    }

    fn finish(&mut self) -> Result<Saying, ServiceError> {
        self.reader.finish()?.ok_or_else(|| ServiceError::cut(Phase::Answer, "the reply has no end"))
    }
}

fn declared(tool: &ToolSpec, weigh: Weigh) -> u32 {
    let ToolSpec { name, description, parameters } = tool;
    (weigh.text)(name) + (weigh.text)(description) + (weigh.text)(&parameters.to_string()) + weigh.around
}
