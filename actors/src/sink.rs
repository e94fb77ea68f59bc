//! The one bounded stream of events that all calls write and everybody who wants to know reads.

use crate::event::{CallEvent, CallEventKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Where calls put their events. Bounded: when its reader is behind, the newest are dropped and counted. The last part of
/// the room is for the begin and the end of calls, which nobody can bring about again and again.
#[derive(Clone, Debug)]
pub struct EventSink {
    sender: mpsc::Sender<CallEvent>,
    dropped: Arc<AtomicU64>,
}

/// One part of so many is kept for the begin and the end of calls.
const RESERVE: usize = 8;

impl EventSink {
    /// A sink that holds up to `capacity` events, and its reader.
    pub fn bounded(capacity: usize) -> (Self, mpsc::Receiver<CallEvent>) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self { sender, dropped: Arc::default() }, receiver)
    }

    /// Puts an event; never waits.
    pub fn put(&self, event: CallEvent) {
        if !self.has_room(&event.kind) || self.sender.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn has_room(&self, kind: &CallEventKind) -> bool {
        matches!(kind, CallEventKind::Started { .. } | CallEventKind::Ended { .. })
            || self.sender.capacity() > self.sender.max_capacity() / RESERVE
    }

    /// Events that wait for the reader.
    pub fn queued(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    /// Events dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::{CallId, MediaTime};
    use ringway_turn::EndReason;

    #[test]
    fn what_a_peer_repeats_leaves_room_for_the_end_of_calls() {
        let (sink, mut reader) = EventSink::bounded(16);
        let put = |kind| sink.put(CallEvent { call: CallId::from_bits(1), at: MediaTime::ZERO, kind });
        (0..20).for_each(|_| put(CallEventKind::ProtocolError { code: "bad_field" }));
        assert_eq!((sink.queued(), sink.dropped()), (14, 6));
        put(CallEventKind::Ended { reason: EndReason::Caller });
        put(CallEventKind::Ended { reason: EndReason::Caller });
        assert_eq!((sink.queued(), sink.dropped()), (16, 6));
        let ends = std::iter::from_fn(|| reader.try_recv().ok())
            .filter(|event| matches!(event.kind, CallEventKind::Ended { .. }));
        assert_eq!(ends.count(), 2);
    }
}
