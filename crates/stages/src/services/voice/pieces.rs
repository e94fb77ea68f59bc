use crate::services::ServiceError;
use crate::services::answer::Answer;
use crate::services::exchange::Exchange;
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Audio that comes in pieces of any length; dropping it cancels what makes it.
pub(in crate::services) trait Pieces {
    /// The next piece; `None` is the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>>;
}

impl Pieces for Exchange {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>> {
        Self::poll_piece(self, cx)
    }
}

impl Pieces for Answer {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>> {
        Self::poll_piece(self, cx)
    }
}

/// Audio that is here in one piece.
#[derive(Debug)]
pub(in crate::services) struct Whole(Option<Bytes>);

impl Whole {
    pub(in crate::services) const fn new(audio: Bytes) -> Self {
        Self(Some(audio))
    }
}

impl Pieces for Whole {
    fn poll_piece(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

/// What the steps lead to.
type Found = Result<Box<dyn Pieces>, ServiceError>;

/// Audio that takes some steps to get at.
pub(in crate::services) enum Later {
    /// The steps.
    Coming(Pin<Box<dyn Future<Output = Found>>>),
    /// They are done.
    Here(Box<dyn Pieces>),
    /// They failed, and that was told.
    Over,
}

impl Later {
    pub(in crate::services) fn new(
        steps: impl Future<Output = Result<Box<dyn Pieces>, ServiceError>> + 'static,
    ) -> Self {
        Self::Coming(Box::pin(steps))
    }
}

impl Pieces for Later {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>> {
        if let Self::Coming(steps) = self {
            match ready!(steps.as_mut().poll(cx)) {
                Ok(pieces) => *self = Self::Here(pieces),
                Err(error) => {
                    *self = Self::Over;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        match self {
            Self::Here(pieces) => pieces.poll_piece(cx),
            Self::Coming(_) | Self::Over => Poll::Ready(None),
        }
    }
}
