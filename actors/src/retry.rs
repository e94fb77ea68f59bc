use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// One deadline that can be set, moved and stopped; its timer is made at the first use and used again.
#[derive(Debug, Default)]
pub(crate) struct Retry {
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

impl Retry {
    /// Ready after this time.
    pub(crate) fn after(&mut self, wait: Duration) {
        self.at(Instant::now() + wait);
    }

    /// Ready at this instant.
    pub(crate) fn at(&mut self, deadline: Instant) {
        self.armed = true;
        match &mut self.sleep {
            Some(sleep) if sleep.deadline() == deadline => {}
            Some(sleep) => sleep.as_mut().reset(deadline),
            None => self.sleep = Some(Box::pin(sleep_until(deadline))),
        }
    }

    /// Never ready, until it is set again.
    pub(crate) fn stop(&mut self) {
        self.armed = false;
    }

    /// Ready once when the deadline has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = self.sleep.as_mut().filter(|_| self.armed) else { return Poll::Pending };
        let fired = sleep.as_mut().poll(cx);
        self.armed = fired.is_pending();
        fired
    }
}
