//! One frame a beat out of a ring that others fill at a pace of their own.

use ringway_frame::{Epoch, Frame};
use ringway_ring::Reader;

/// Holds a ring as full as its writer's jitter wants, and no fuller.
#[derive(Debug)]
pub(crate) struct Intake {
    reader: Reader,
    /// It gives a frame each beat, until it has none.
    flows: bool,
    waited: u32,
    /// The fewest frames that were there at a beat of this window.
    fewest: usize,
    beats: u32,
}

/// Frames that are kept back against jitter (40 ms).
const KEPT: usize = 2;

/// Beats over which is watched how many frames are never needed (1 s).
const WINDOW: u32 = 50;

impl Intake {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { reader, flows: false, waited: 0, fewest: usize::MAX, beats: 0 }
    }

    /// The frame of this beat, if there is one; those that are `void` are no frames.
    pub(crate) fn next(&mut self, frame: &mut Frame, void: impl Fn(Epoch) -> bool) -> bool {
        while self.reader.next_epoch().is_some_and(&void) {
            self.reader.skip(1);
        }
        self.flows = self.may_flow() && self.reader.pop(frame).is_ok();
        if self.flows {
            self.watch();
        }
        self.flows
    }

    /// Frames that found no room in its ring.
    pub(crate) fn dropped(&self) -> u64 {
        self.reader.stats().snapshot().dropped
    }

    fn may_flow(&mut self) -> bool {
        let there = self.reader.len();
        self.waited = if there == 0 || self.flows { 0 } else { self.waited + 1 };
        self.flows || there > KEPT || self.waited > KEPT as u32
    }

    /// A peer whose clock is faster than ours fills the ring little by little.
    fn watch(&mut self) {
        self.fewest = self.fewest.min(self.reader.len());
        self.beats += 1;
        if self.beats == WINDOW {
            self.reader.skip(self.fewest.saturating_sub(KEPT));
            (self.fewest, self.beats) = (usize::MAX, 0);
        }
    }
}
