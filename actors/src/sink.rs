//! The one bounded channel by which the events of all calls leave the media cores.

use crate::call_event::CallEvent;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Where media cores put the events of their calls. Bounded: when its reader is behind, telemetry is dropped, the newest
/// first, and counted. The last part of the room is for the lifecycle of calls, which waits on its core when there is none.
#[derive(Clone, Debug)]
pub struct EventSink {
    sender: mpsc::Sender<CallEvent>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    dropped: AtomicU64,
    lost: AtomicU64,
}

/// One part of so many is kept for the lifecycle of calls.
const RESERVE: usize = 8;

impl EventSink {
    /// A sink that holds up to `capacity` events, and its reader.
    pub fn bounded(capacity: usize) -> (Self, mpsc::Receiver<CallEvent>) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self { sender, counts: Arc::default() }, receiver)
    }

    /// Puts telemetry, if there is room; never waits.
    pub(crate) fn put(&self, event: CallEvent) {
        let has_room = self.sender.capacity() > self.sender.max_capacity() / RESERVE;
        if !has_room || self.sender.try_send(event).is_err() {
            self.dropped_one();
        }
    }

    /// Puts an event of a lifecycle; never waits. What comes back has found no room. One that nobody reads any more is
    /// counted as lost.
    pub(crate) fn put_surely(&self, event: CallEvent) -> Option<CallEvent> {
        match self.sender.try_send(event) {
            Ok(()) => None,
            Err(TrySendError::Full(event)) => Some(event),
            Err(TrySendError::Closed(_)) => {
                self.lost(1);
                None
            }
        }
    }

    /// Waits until there may be room; `false`: nobody reads any more.
    pub(crate) async fn has_room_soon(&self) -> bool {
        self.sender.reserve().await.is_ok()
    }

    /// Telemetry was dropped.
    pub(crate) fn dropped_one(&self) {
        self.counts.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// So many events of lifecycles are lost.
    pub(crate) fn lost(&self, events: usize) {
        self.counts.lost.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Events that wait for the reader.
    pub fn queued(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    /// Telemetry dropped so far.
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    /// Events of lifecycles that nobody took before their core ended.
    pub fn lost_records(&self) -> u64 {
        self.counts.lost.load(Ordering::Relaxed)
    }
}
