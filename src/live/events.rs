//! The lifecycle of one call, as far as it is kept.

use super::record::CALL_BYTES;
use ringway_actors::Lifecycle;
use std::collections::VecDeque;
use std::sync::Arc;

/// The newest events of one call's lifecycle: within [`CALL_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Events {
    kept: VecDeque<Arc<Lifecycle>>,
    bytes: usize,
}

impl Events {
    /// Keeps one more; the first go when they are too large together.
    pub(super) fn keep(&mut self, record: Arc<Lifecycle>) {
        self.bytes += record.bytes();
        self.kept.push_back(record);
        while self.bytes > CALL_BYTES
            && let Some(first) = self.kept.pop_front()
        {
            self.bytes -= first.bytes();
        }
    }

    /// There will be no more.
    pub(super) fn close(&mut self) {
        self.kept.shrink_to_fit();
    }

    /// All that are kept, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Lifecycle>> {
        self.kept.iter().cloned().collect()
    }

    /// The number of the next one.
    pub(super) fn next(&self) -> u64 {
        self.kept.back().map_or(0, |last| last.sequence + 1)
    }

    /// Memory of those that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
