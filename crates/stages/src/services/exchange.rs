//! One request and its answer, as a session polls it.

use super::ServiceError;
use super::answer::Answer;
use super::http::{Accepted, Http, Post};
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A request under way; dropping it cancels it.
pub(super) struct Exchange {
    state: State,
    /// What the head of the answer must be like.
    check: fn(&HeaderMap) -> Result<(), ServiceError>,
    /// The head says how the end of the body can be told.
    framed: bool,
}

enum State {
    Asked(Pin<Box<dyn Future<Output = Result<Accepted, ServiceError>>>>),
    Answered(Answer),
    Over,
}

impl Exchange {
    pub(super) fn begin(http: &Http, post: Post, check: fn(&HeaderMap) -> Result<(), ServiceError>) -> Self {
        Self { state: State::Asked(Box::pin(http.clone().post(post))), check, framed: false }
    }

    /// The next piece of the answer; `None` is its end.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>> {
        if let State::Asked(head) = &mut self.state {
            match ready!(head.as_mut().poll(cx)) {
                Ok(Accepted { headers, answer, .. }) => {
                    self.state = State::Over;
                    self.framed =
                        headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(CONTENT_LENGTH);
                    (self.check)(&headers)?;
                    self.state = State::Answered(answer);
                }
                Err(error) => {
                    self.state = State::Over;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        match &mut self.state {
            State::Answered(answer) => answer.poll_piece(cx),
            State::Asked(_) | State::Over => Poll::Ready(None),
        }
    }

    /// An end of the answer is the end that the service meant: a connection that was cut looks different.
    pub(super) const fn is_framed(&self) -> bool {
        self.framed
    }

    /// Nothing more is wanted of an answer that was understood: its connection may be kept.
    pub(super) fn finish(self) {
        if let State::Answered(answer) = self.state {
            answer.finish();
        }
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.state {
            State::Asked(_) => "Asked",
            State::Answered(_) => "Answered",
            State::Over => "Over",
        })
    }
}
