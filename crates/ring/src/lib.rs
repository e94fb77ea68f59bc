//! Bounded rings of 20 ms frames, from one writer to one reader: the only way that audio moves inside a call.
//!
//! ```text
//!               ┌───────────────── ring ─────────────────┐
//!   Writer ────►│ frame │ frame │ frame │ frame │  free  │────► Reader, ReplayReader
//!     ▲         └────────────────────────────────────────┘         │
//!     │              ── ready: wakes the reader ──►                │
//!     └───────────── ◄── space: wakes the writer ── ───────────────┘
//!
//!   Owner<Writer> ─ lends ─► Lent<Writer>        Owner<ReplayReader> ─ lends ─► Lent<ReplayReader>
//!   (the call keeps it)      (a stage uses it)   (dropping the Lent brings the end home)
//! ```
//!
//! - **Compact**: a slot is a header and exactly the payload of the ring's one format, so ten seconds of
//!   telephone audio are 92 KB. All is allocated in [`ring`]; after that no allocation, lock or system call for a
//!   frame, unless a task waits and has to be woken.
//! - **Bounded**: a full ring refuses ([`Writer::push`]), drops the newest and marks the gap
//!   ([`Writer::push_or_drop`]), or lets the writer wait ([`Writer::space`]). Every drop is counted ([`Stats`]).
//! - **Doorbells** wake a waiting end, never too few times, on any executor or none, also across threads.
//! - **Close**, or the drop of an end: the writer is refused at once, the reader after the last frame.
//! - **Replay**: a [`ReplayReader`] consumes what it commits, and reads the rest again after a restart.
//! - **Lending**: an [`Owner`] lends an end to one holder at a time, and fences one that it no longer trusts.
//! - **Epochs**: an [`EpochGate`] voids the bot's older audio without touching the queue.
//!
//! The queue is `ringbuf`'s; what is unsafe is where its memory comes from and goes to. Proof: a model test
//! against `VecDeque` (`tests/ring/model.rs`), every interleaving of two threads under loom
//! (`src/loom_tests.rs`), real threads with checksums (`tests/ring/threads.rs`).
//!
//! # Example
//! A recogniser dies in the middle of an utterance, and the next one misses nothing of it.
//!
//! ```
//! use ringway_frame::{Format, Frame, MediaTime};
//! use ringway_ring::{Fenced, Owner, PopError, ring};
//!
//! let (mut writer, reader) = ring(Format::Mulaw8k, 512);
//! let stats = writer.stats();
//! let mut speech = Owner::new(reader.replay(500));
//!
//! for number in 0..3 {
//!     let frame = Frame::silence(Format::Mulaw8k).at(number, MediaTime::from_millis(20 * u64::from(number)));
//!     writer.push_or_drop(&frame)?;
//! }
//!
//! let mut frame = Frame::silence(Format::Mulaw8k);
//! let mut first = speech.lend()?;
//! let reader = first.get_mut()?;
//! while reader.read(&mut frame).is_ok() {}
//! reader.commit_until(MediaTime::from_millis(20)); // it has answered for the first frame
//!
//! speech.revoke(); // it hangs: nothing of what it still does counts
//! assert_eq!(first.get_mut().map(|_| ()), Err(Fenced));
//! drop(first);
//!
//! let mut second = speech.lend()?;
//! let reader = second.get_mut()?;
//! reader.read(&mut frame)?;
//! assert_eq!(frame.sequence, 1);
//!
//! drop(writer);
//! reader.read(&mut frame)?;
//! assert_eq!(reader.read(&mut frame), Err(PopError::Closed));
//! assert_eq!(stats.snapshot().depth(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Playout looks at the epoch before it takes a frame:
//!
//! ```
//! use ringway_frame::{Format, Frame};
//! use ringway_ring::{EpochGate, Reader, Verdict, ring};
//!
//! /// The next frame to send, if one may be sent.
//! fn next(voice: &mut Reader, gate: &EpochGate, frame: &mut Frame) -> bool {
//!     while let Some(epoch) = voice.next_epoch() {
//!         match gate.verdict(epoch) {
//!             Verdict::Play => return voice.pop(frame).is_ok(),
//!             Verdict::Wait => return false,
//!             Verdict::Void => voice.skip(1),
//!         };
//!     }
//!     false
//! }
//!
//! let (mut writer, mut voice) = ring(Format::Mulaw8k, 100);
//! let (gate, mut frame) = (EpochGate::new(), Frame::silence(Format::Mulaw8k));
//! let answer = gate.raise();
//! writer.push(&Frame::silence(Format::Mulaw8k).in_epoch(answer))?;
//! assert!(!next(&mut voice, &gate, &mut frame), "spoken on speculation");
//! gate.release(answer);
//! assert!(next(&mut voice, &gate, &mut frame));
//! # Ok::<(), ringway_ring::PushError>(())
//! ```
#![deny(unsafe_code)]

mod closed;
mod counters;
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

pub use closed::Closed;
pub use epoch_gate::{EpochGate, Verdict};
pub use lend::{Fenced, Lend, Lent, OnLoan, Owner};
pub use reader::{PopError, Reader};
pub use replay::ReplayReader;
pub use stats::{Snapshot, Stats};
pub use writer::{PushError, Writer};

use ringway_frame::Format;
use shared::Shared;
use sync::Arc;

/// A ring of `capacity` frames of `format`. Everything is allocated here, nothing later; its memory comes with the first
/// frames, a page at a time.
///
/// # Panics
/// If `capacity` is 0.
pub fn ring(format: Format, capacity: usize) -> (Writer, Reader) {
    assert!(capacity > 0, "a ring holds at least one frame");
    let (producer, consumer) = queue::queue(format, capacity);
    let shared = Arc::new(Shared::default());
    let mut writer = Writer::new(producer, shared.clone(), format, capacity);
    writer.release();
    (writer, Reader::new(consumer, shared, format, capacity))
}
