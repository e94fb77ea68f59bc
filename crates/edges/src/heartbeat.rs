//! Pings a peer now and then, and finds out that it is gone.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// When something came from a peer last, and when it is pinged next.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    every: Duration,
    next: Pin<Box<Sleep>>,
    heard: Instant,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// A ping is due.
    Ping,
    /// Nothing has come for so long that the peer is gone.
    Lost,
}

impl Heartbeat {
    pub(crate) fn new(every: Duration) -> Self {
        let heard = Instant::now();
        Self { every, next: Box::pin(sleep_until(heard + every)), heard }
    }

    /// Something came, at this moment.
    pub(crate) fn heard(&mut self) -> Instant {
        self.heard = Instant::now();
        self.heard
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Beat> {
        ready!(self.next.as_mut().poll(cx));
        self.next.as_mut().reset(Instant::now() + self.every);
        // Two pings in a row without an answer, and a margin.
        let patience = self.every * 12 / 5;
        Poll::Ready(if self.heard.elapsed() >= patience { Beat::Lost } else { Beat::Ping })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_says_nothing_is_pinged_twice_and_then_gone() {
        let mut heartbeat = Heartbeat::new(Duration::from_secs(10));
        let mut beats = Vec::new();
        for _ in 0..3 {
            beats.push(poll_fn(|cx| heartbeat.poll(cx)).await);
        }
        assert_eq!(beats, [Beat::Ping, Beat::Ping, Beat::Lost]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_answers_is_there_for_ever() {
        let mut heartbeat = Heartbeat::new(Duration::from_secs(10));
        for _ in 0..10 {
            assert_eq!(poll_fn(|cx| heartbeat.poll(cx)).await, Beat::Ping);
            heartbeat.heard();
        }
    }
}
