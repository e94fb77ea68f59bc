//! Finds stages that hold work without progress.

use crate::config::StallBounds;
use crate::plumbing::RingStats;
use crate::router::Watches;
use ringway_turn::StageKind;
use tokio::time::Instant;

/// Watches one call's stages by what they owe and by what their rings do.
#[derive(Debug)]
pub(crate) struct Watchdog {
    bounds: StallBounds,
    rings: RingStats,
    watches: Watches,
    mic: Reading,
}

/// Whether a ring that holds frames is being read.
#[derive(Debug, Default)]
struct Reading {
    popped: u64,
    unread_since: Option<Instant>,
}

impl Watchdog {
    pub(crate) fn new(bounds: StallBounds, rings: RingStats, watches: Watches) -> Self {
        Self { bounds, rings, watches, mic: Reading::default() }
    }

    /// A stage that is stuck, and since when.
    pub(crate) fn stuck(&mut self) -> Option<(StageKind, Instant)> {
        self.look_at_rings();
        let owing = [
            (StageKind::Vad, self.mic.unread_since),
            (StageKind::Stt, self.watches.stt.since()),
            (StageKind::Llm, self.watches.llm.since()),
            (StageKind::Tts, self.watches.tts.since()),
        ];
        owing
            .into_iter()
            .filter_map(|(stage, since)| Some((stage, since?)))
            .find(|(stage, since)| since.elapsed() >= self.bounds.of(*stage))
    }

    /// A new one takes over: it gets its time.
    pub(crate) fn forgive(&mut self, stage: StageKind) {
        match self.watches.of(stage) {
            Some(watch) => watch.settle(),
            None => self.mic.unread_since = None,
        }
    }

    fn look_at_rings(&mut self) {
        let mic = self.rings.mic.snapshot();
        self.mic.look(mic.popped, mic.depth());
        // A voice that waits for room in its ring is not stuck.
        if self.rings.voice.snapshot().depth() >= self.rings.voice_capacity {
            self.watches.tts.progress();
        }
    }
}

impl Reading {
    fn look(&mut self, popped: u64, depth: u64) {
        let read = popped != self.popped;
        self.popped = popped;
        self.unread_since = match self.unread_since {
            _ if depth == 0 => None,
            Some(since) if !read => Some(since),
            _ => Some(Instant::now()),
        };
    }
}
