//! The body of an answer, piece by piece.

use super::connections::{Connection, Pool};
use super::{Phase, ServiceError};
use crate::alarm::Alarm;
use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A body that is read as it comes. Dropped before its end, it takes its connection along: so it is cancelled.
#[derive(Debug)]
pub struct Answer {
    body: Incoming,
    /// Given back at the end.
    lease: Option<(Pool, Connection)>,
    idle: Duration,
    /// Since when nothing has come, while somebody waits.
    waiting: Option<Instant>,
    alarm: Alarm,
    left: usize,
    limit: usize,
}

impl Answer {
    pub(super) fn new(
        body: Incoming,
        pool: Pool,
        connection: Connection,
        idle: Duration,
        limit: usize,
    ) -> Self {
        let lease = Some((pool, connection));
        Self { body, lease, idle, waiting: None, alarm: Alarm::default(), left: limit, limit }
    }

    /// The next piece; `None` is the end. It fails when none comes for too long, or more than is taken in.
    pub fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.waiting = None;
                    if let Ok(piece) = frame.into_data() {
                        return Poll::Ready(Some(self.count(piece)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(ServiceError::cut(Phase::Answer, reason(&error)))));
                }
                Poll::Ready(None) => {
                    if let Some((pool, connection)) = self.lease.take() {
                        pool.put_back(connection);
                    }
                    return Poll::Ready(None);
                }
                Poll::Pending => return self.poll_late(cx).map(|late| Some(Err(late))),
            }
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// It is cut off, late, or longer than what is taken in.
    pub async fn whole(mut self) -> Result<Vec<u8>, ServiceError> {
        let mut whole = Vec::new();
        while let Some(piece) = std::future::poll_fn(|cx| self.poll_piece(cx)).await {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole)
    }

    /// All that matters was read: the rest may still come, for a moment, so that the connection can be kept.
    pub fn finish(mut self) {
        // Mostly the end is here already.
        let mut cx = Context::from_waker(Waker::noop());
        if !matches!(self.poll_piece(&mut cx), Poll::Ready(None)) {
            self.limit = LEFT_OVER;
            self.left = LEFT_OVER;
            tokio::spawn(timeout(LINGER, self.whole()));
        }
    }

    fn count(&mut self, piece: Bytes) -> Result<Bytes, ServiceError> {
        let left = self.left.checked_sub(piece.len());
        self.left = left.ok_or(ServiceError::TooLarge { place: "answer", limit: self.limit })?;
        Ok(piece)
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<ServiceError> {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let limit = self.idle;
        self.alarm.poll(since + limit, cx).map(|()| ServiceError::Late { phase: Phase::Answer, limit })
    }
}

/// hyper's words, and those of what is behind them.
pub(super) fn reason(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// How long, and how much, the rest of an answer may take to come.
const LINGER: Duration = Duration::from_millis(500);
const LEFT_OVER: usize = 64 * 1_024;
