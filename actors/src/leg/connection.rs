//! A transport on its way to a leg.

use crate::core::load::OpenLine;
use crate::leg::transport::{Goodbye, Transport};
use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::time::Duration;

/// How long the last messages may take to reach the peer.
const GOODBYE: Duration = Duration::from_secs(2);

/// A transport, and what is to be kept until it is closed.
pub struct Connection {
    pub(crate) transport: Box<dyn Transport>,
    /// How long the call waits for another one when the network of this one is gone; zero: not at all.
    pub(crate) resume_within: Duration,
    /// Counts it as open, from its attachment on.
    pub(crate) open: Option<OpenLine>,
    _kept: Box<dyn Any>,
}

impl Connection {
    /// Of a peer that cannot come back: when its network is gone, so is the leg. `kept` is dropped behind the transport.
    pub fn new(transport: impl Transport + 'static, kept: impl Any) -> Self {
        Self {
            transport: Box::new(transport),
            resume_within: Duration::ZERO,
            open: None,
            _kept: Box::new(kept),
        }
    }

    /// Of a peer that may come back within so long.
    #[must_use]
    pub fn resumable(mut self, within: Duration) -> Self {
        self.resume_within = within;
        self
    }

    /// Says goodbye, in a bounded time.
    pub(crate) async fn part(mut self, goodbye: Goodbye<'_>) {
        if self.transport.close(goodbye).is_ok() {
            let closed = poll_fn(|cx| self.transport.poll_closed(cx));
            let _ = tokio::time::timeout(GOODBYE, closed).await;
        }
    }

    /// Another one has taken its place.
    pub(crate) async fn replaced(self) {
        self.part(Goodbye::Replaced).await;
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("resume_within", &self.resume_within).finish_non_exhaustive()
    }
}
