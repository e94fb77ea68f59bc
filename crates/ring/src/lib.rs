//! Bounded rings of 20 ms frames from one writer to one reader.
#![forbid(unsafe_code)]

mod doorbell;
mod epoch_gate;
mod lend;
mod queue;
mod reader;
mod replay;
mod shared;
mod stats;
mod sync;
mod writer;

#[cfg(all(test, loom))]
mod loom_tests;

pub use epoch_gate::{EpochGate, Verdict};
pub use lend::{Fenced, Lend, Lent, OnLoan, Owner};
pub use reader::{PopError, Reader};
pub use replay::ReplayReader;
pub use stats::{Snapshot, Stats};
pub use writer::{PushError, Writer};

use ringway_frame::Format;
use shared::Shared;
use sync::Arc;

/// The other end has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ring is closed")]
pub struct Closed;

/// A ring of `capacity` frames of `format`. Everything is allocated here, nothing later.
///
/// # Panics
/// If `capacity` is 0.
pub fn ring(format: Format, capacity: usize) -> (Writer, Reader) {
    assert!(capacity > 0, "a ring holds at least one frame");
    let (producer, consumer) = queue::queue(format, capacity);
    let shared = Arc::new(Shared::default());
    let writer = Writer::new(producer, shared.clone(), format, capacity);
    (writer, Reader::new(consumer, shared, format, capacity))
}
