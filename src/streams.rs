//! Who reads the lifecycle of calls, beside the hub.

mod queue;

pub use queue::{Queue, Queued};

use crate::live::LiveCall;
use ringway_actors::Lifecycle;
use std::fmt::Debug;
use std::sync::Arc;

/// Reads the lifecycle of all calls, each event once and those of a call in order.
pub trait Reader: Debug + Send {
    /// Takes an event of this call, which has taken it in already. Never blocks: a reader with more to do than to look has
    /// a bounded [`Queue`] of its own and counts what finds no room in it, so that it holds up only itself.
    fn take(&self, record: &Arc<Lifecycle>, call: &LiveCall);
}

/// All of them.
#[derive(Debug, Default)]
pub struct Readers(Vec<Box<dyn Reader>>);

impl Readers {
    /// One more.
    pub fn add(&mut self, reader: impl Reader + 'static) {
        self.0.push(Box::new(reader));
    }

    /// Tells each of them.
    pub fn tell(&self, record: &Arc<Lifecycle>, call: &LiveCall) {
        self.0.iter().for_each(|reader| reader.take(record, call));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_actors::{EdgeKind, LifecycleEvent};
    use ringway_frame::{CallId, MediaTime};
    use std::sync::atomic::{AtomicU64, Ordering};
    use tokio::sync::mpsc::Receiver;

    /// Has room for so many, and counts the others.
    #[derive(Debug)]
    struct Slow {
        queue: Queue<u64>,
        refused: Arc<AtomicU64>,
    }

    impl Reader for Slow {
        fn take(&self, record: &Arc<Lifecycle>, _: &LiveCall) {
            if self.queue.put(record.sequence).is_err() {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn reader(readers: &mut Readers, room: usize) -> (Receiver<Queued<u64>>, Arc<AtomicU64>, Queue<u64>) {
        let (queue, items) = Queue::bounded(room);
        let refused = Arc::<AtomicU64>::default();
        readers.add(Slow { queue: queue.clone(), refused: refused.clone() });
        (items, refused, queue)
    }

    fn all(items: &mut Receiver<Queued<u64>>) -> Vec<u64> {
        std::iter::from_fn(|| items.try_recv().ok()).map(|item| *item).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_holds_up_only_itself() {
        let mut readers = Readers::default();
        let (mut slow, slow_refused, _) = reader(&mut readers, 2);
        let (mut quick, quick_refused, queue) = reader(&mut readers, 10);
        let call = LiveCall::new(CallId::from_bits(1), EdgeKind::Browser, None);
        for sequence in 0..5 {
            let event = LifecycleEvent::Answered { leg: 0 };
            let record = Lifecycle::new(CallId::from_bits(1), sequence, MediaTime::ZERO, event);
            readers.tell(&Arc::new(record), &call);
        }
        let second = std::time::Duration::from_secs(1);
        assert!(tokio::time::timeout(second, queue.drained()).await.is_err(), "five are not done");
        assert_eq!((all(&mut slow), slow_refused.load(Ordering::Relaxed)), (vec![0, 1], 3));
        assert_eq!((all(&mut quick), quick_refused.load(Ordering::Relaxed)), (vec![0, 1, 2, 3, 4], 0));
        queue.drained().await;
    }
}
