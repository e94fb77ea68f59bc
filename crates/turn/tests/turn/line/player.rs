use ringway_frame::Epoch;
use ringway_turn::Playout;
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Player {
    pub(super) planned: BTreeMap<Epoch, u32>,
    pub(super) made: BTreeMap<Epoch, u32>,
    pub(super) played: BTreeMap<Epoch, u32>,
    pub(super) released: Epoch,
    pub(super) void_before: Epoch,
    pub(super) paused: bool,
}

impl Player {
    pub(super) fn obey(&mut self, playout: Playout) {
        match playout {
            Playout::Release(epoch) => self.released = self.released.max(epoch),
            Playout::Pause => {
                assert!(!self.paused, "paused twice");
                self.paused = true;
            }
            Playout::Resume => {
                assert!(self.paused, "resumed without a pause");
                self.paused = false;
            }
            Playout::Clear { epoch, .. } => self.void_before = self.void_before.max(epoch),
        }
    }

    /// The next frame to be heard.
    pub(super) fn next(&mut self) -> Option<(Epoch, u32)> {
        if self.paused {
            return None;
        }
        for (epoch, made) in self.made.range(self.void_before..=self.released.max(self.void_before)) {
            let played = self.played.entry(*epoch).or_default();
            if *played < *made && *epoch <= self.released {
                *played += 1;
                return Some((*epoch, *played));
            }
        }
        None
    }
}
