//! Where the calls of one media core put their events: telemetry may be dropped, the lifecycle waits.

use crate::call_event::CallEvent;
use crate::core::load::CoreLoad;
use crate::sink::EventSink;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Notify;

/// The events of one core's calls, on the way to the control side. One order for all of them: as long as an event of a
/// lifecycle waits for room, telemetry behind it is dropped. What waits has no bound of its own; while too much does, no
/// call is admitted, and the calls in progress have a handful of such events a turn.
#[derive(Debug)]
pub(crate) struct Outbox {
    sink: EventSink,
    waiting: RefCell<VecDeque<CallEvent>>,
    load: Arc<CoreLoad>,
    /// Something waits.
    wake: Notify,
}

impl Outbox {
    pub(crate) fn new(sink: EventSink, load: Arc<CoreLoad>) -> Self {
        Self { sink, waiting: RefCell::default(), load, wake: Notify::new() }
    }

    /// Puts an event; never waits.
    pub(crate) fn put(&self, event: CallEvent) {
        let mut waiting = self.waiting.borrow_mut();
        match (event.record.is_some(), waiting.is_empty()) {
            (false, true) => return self.sink.put(event),
            (false, false) => return self.sink.dropped_one(),
            (true, true) => match self.sink.put_surely(event) {
                None => return,
                Some(event) => waiting.push_back(event),
            },
            (true, false) => waiting.push_back(event),
        }
        self.load.set_lifecycle_backlog(waiting.len());
        self.wake.notify_one();
    }

    /// Passes on what waits, as there is room, for as long as the core runs and anybody reads.
    pub(crate) async fn forward(self: Rc<Self>) {
        loop {
            self.wake.notified().await;
            while !self.waiting.borrow().is_empty() {
                if !self.sink.has_room_soon().await {
                    return;
                }
                self.pass_on();
            }
        }
    }

    fn pass_on(&self) {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(event) = waiting.pop_front() {
            if let Some(event) = self.sink.put_surely(event) {
                waiting.push_front(event);
                break;
            }
        }
        self.load.set_lifecycle_backlog(waiting.len());
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let left = self.waiting.borrow().len();
        if left > 0 {
            tracing::error!(left, "a media core ends with events of calls that nobody has taken");
            self.sink.lost(left);
            self.load.set_lifecycle_backlog(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CallEventKind;
    use crate::lifecycle::{Lifecycle, LifecycleEvent};
    use ringway_frame::{CallId, MediaTime};
    use tokio::sync::mpsc::Receiver;
    use tokio::task::{LocalSet, spawn_local, yield_now};

    const CALL: CallId = CallId::from_bits(1);

    fn outbox(room: usize) -> (Rc<Outbox>, Receiver<CallEvent>, Arc<CoreLoad>) {
        let (sink, events) = EventSink::bounded(room);
        let load = Arc::new(CoreLoad::new());
        (Rc::new(Outbox::new(sink, load.clone())), events, load)
    }

    fn record(sequence: u64) -> CallEvent {
        let event = LifecycleEvent::Answered { leg: 0 };
        let record = Lifecycle::new(CALL, sequence, MediaTime::ZERO, event);
        let kind = CallEventKind::Answered { leg: 0 };
        CallEvent { call: CALL, at: MediaTime::ZERO, kind, record: Some(Arc::new(record)) }
    }

    fn telemetry() -> CallEvent {
        let kind = CallEventKind::ProtocolError { code: "bad_field" };
        CallEvent { call: CALL, at: MediaTime::ZERO, kind, record: None }
    }

    fn number(event: &CallEvent) -> Option<u64> {
        event.record.as_ref().map(|record| record.sequence)
    }

    #[tokio::test]
    async fn a_lifecycle_waits_for_its_reader_and_comes_whole_and_in_order() {
        let (outbox, mut events, load) = outbox(4);
        LocalSet::new()
            .run_until(async {
                spawn_local(outbox.clone().forward());
                (0..100).for_each(|sequence| outbox.put(record(sequence)));
                assert_eq!(load.lifecycle_backlog(), 96);
                for sequence in 0..100 {
                    let event = events.recv().await.expect("nothing is lost");
                    assert_eq!(number(&event), Some(sequence));
                }
                yield_now().await;
                assert_eq!(load.lifecycle_backlog(), 0);
            })
            .await;
    }

    #[test]
    fn what_a_peer_repeats_leaves_room_for_lifecycles() {
        let (outbox, mut events, _) = outbox(16);
        (0..20).for_each(|_| outbox.put(telemetry()));
        assert_eq!((outbox.sink.queued(), outbox.sink.dropped()), (14, 6));
        (0..2).for_each(|sequence| outbox.put(record(sequence)));
        let records = std::iter::from_fn(|| events.try_recv().ok()).filter_map(|event| number(&event));
        assert_eq!(records.collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn telemetry_does_not_overtake_a_lifecycle_that_waits() {
        let (outbox, mut events, load) = outbox(8);
        (0..9).for_each(|sequence| outbox.put(record(sequence)));
        assert_eq!(events.try_recv().ok().as_ref().and_then(number), Some(0));
        outbox.put(telemetry());
        assert_eq!((outbox.sink.dropped(), load.lifecycle_backlog()), (1, 1));
    }

    #[test]
    fn a_core_that_ends_counts_what_nobody_took() {
        let (outbox, events, load) = outbox(2);
        let sink = outbox.sink.clone();
        (0..5).for_each(|sequence| outbox.put(record(sequence)));
        drop(outbox);
        assert_eq!((sink.lost_records(), load.lifecycle_backlog()), (3, 0));
        drop(events);
        assert!(sink.put_surely(record(5)).is_none());
        assert_eq!(sink.lost_records(), 4);
    }
}
