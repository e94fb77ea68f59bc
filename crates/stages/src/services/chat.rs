//! One call's session with a language model over HTTP, whatever form the service speaks.

use super::conversation;
use super::exchange::Exchange;
use super::http::{Http, Post};
use super::{Phase, ServiceError};
use crate::Expectation;
use crate::llm::{LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, ToolCall, ToolSpec};
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

    /// What is said to a caller who comes on the line; empty: the model is asked.
    fn greeting(&self) -> &str;
    /// The request for a reply.
    fn post(&self, tools: &[ToolSpec], request: &LlmRequest) -> Post;
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
    tools: Arc<[ToolSpec]>,
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
    piece: Bytes,
}

impl<D: Dialect> Session<D> {
    pub(super) fn open(http: &Http, dialect: &Arc<D>, call: LlmCall) -> Box<dyn LlmSession> {
        http.warm();
        Box::new(Self { http: http.clone(), dialect: dialect.clone(), tools: call.tools, running: None })
    }

    fn done(&mut self, id: u32) -> LlmEvent {
        if let Some(Running::Asked(reply)) = self.running.take() {
            reply.exchange.finish();
        }
        LlmEvent::Done { id, next: Next::Listen(Expectation::anything()), memo: String::new() }
    }
}

impl<D: Dialect> LlmSession for Session<D> {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let id = request.id;
        if let Some(words) = conversation::greeting(self.dialect.greeting(), &request) {
            let text = Some(words).filter(|words| !words.is_empty());
            self.running = Some(Running::Words { id, text });
            return Ok(());
        }
        let post = self.dialect.post(&self.tools, &request);
        let exchange = Exchange::begin(&self.http, post, D::check);
        let reply = Reply { id, exchange, reader: D::Reader::default(), piece: Bytes::new() };
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
            Ok(Saying::End) => Ok(self.done(id)),
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
