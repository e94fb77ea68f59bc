//! Which stage's code runs on a core: for the thread that watches it.

use ringway_turn::StageKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Written by its core alone, read by everybody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marker(Arc<AtomicU8>);

/// While it is there, the marker names the stage that it was made for.
#[derive(Debug)]
pub(crate) struct Marked<'m> {
    marker: &'m Marker,
    before: u8,
}

impl Marker {
    /// Notes that a stage's code runs, until the result is dropped; `None`: code of no stage.
    pub(crate) fn mark(&self, stage: Option<StageKind>) -> Marked<'_> {
        Marked { marker: self, before: self.swap(stage.map_or(0, |stage| stage as u8 + 1)) }
    }

    /// The stage whose code runs at the moment.
    pub(crate) fn stage(&self) -> Option<StageKind> {
        StageKind::ALL.get(usize::from(self.0.load(Ordering::Relaxed)).wrapping_sub(1)).copied()
    }

    fn swap(&self, value: u8) -> u8 {
        let before = self.0.load(Ordering::Relaxed);
        // Only its core writes it.
        self.0.store(value, Ordering::Relaxed);
        before
    }
}

impl Drop for Marked<'_> {
    /// Also when the stage's code panics.
    fn drop(&mut self) {
        self.marker.swap(self.before);
    }
}
