//! Finds stages that hold work without progress.

use crate::call::rings::RingStats;
use crate::config::StallBounds;
use crate::debt::Watches;
use ringway_turn::StageKind;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is to look.
pub(crate) const WATCH_EVERY: Duration = Duration::from_millis(100);

/// How often where nothing has moved for long: of ten thousand open sessions most are idle.
pub(crate) const WATCH_IDLE_EVERY: Duration = Duration::from_millis(500);

/// What a look counts at most. One that comes later tells of a core that was held up, which held its stages up as
/// well: counting all of that would rebuild healthy stages just when the machine is busy.
const LOOK: Duration = Duration::from_millis(150);

/// Frames that complete a window of the detector: it leaves fewer in *mic* until the next one comes.
const WINDOW: u64 = 2;

/// Watches one call's stages by what they owe and by what their rings do.
#[derive(Debug)]
pub(crate) struct Watchdog {
    bounds: StallBounds,
    rings: RingStats,
    watches: Watches,
    mic: Reading,
    looked: Instant,
    owed: [Owed; StageKind::ALL.len()],
}

/// How long a stage has owed the same work, in time in which it could have been done.
#[derive(Clone, Copy, Debug, Default)]
struct Owed {
    since: Option<Instant>,
    held: Duration,
}

/// Whether a ring that holds frames is being read.
#[derive(Debug, Default)]
struct Reading {
    popped: u64,
    unread_since: Option<Instant>,
}

impl Watchdog {
    pub(crate) fn new(bounds: StallBounds, rings: RingStats, watches: Watches) -> Self {
        let mic = Reading::default();
        Self { bounds, rings, watches, mic, looked: Instant::now(), owed: Default::default() }
    }

    /// A stage that is stuck, and since when.
    pub(crate) fn stuck(&mut self) -> Option<(StageKind, Instant)> {
        let now = Instant::now();
        let counted = now.duration_since(std::mem::replace(&mut self.looked, now)).min(LOOK);
        self.look_at_rings();
        let owing = [
            (StageKind::Vad, self.mic.unread_since),
            (StageKind::Stt, self.watches.stt.since()),
            (StageKind::Llm, self.watches.llm.since()),
            (StageKind::Tts, self.watches.tts.since()),
            (StageKind::SpeechToSpeech, self.watches.s2s.since()),
        ];
        for (owed, (_, since)) in self.owed.iter_mut().zip(owing) {
            owed.look(since, now, counted);
        }
        let mut stuck = owing.into_iter().zip(&self.owed);
        let ((stage, since), _) = stuck.find(|((stage, _), owed)| owed.held >= self.bounds.of(*stage))?;
        Some((stage, since?))
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
            self.watches.s2s.progress();
        }
    }
}

impl Owed {
    fn look(&mut self, since: Option<Instant>, now: Instant, counted: Duration) {
        let held = match since {
            Some(since) if self.since == Some(since) => self.held + counted,
            Some(since) => now.duration_since(since).min(counted),
            None => Duration::ZERO,
        };
        *self = Self { since, held };
    }
}

impl Reading {
    fn look(&mut self, popped: u64, depth: u64) {
        let read = popped != self.popped;
        self.popped = popped;
        self.unread_since = match self.unread_since {
            _ if depth < WINDOW => None,
            Some(since) if !read => Some(since),
            _ => Some(Instant::now()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is counted of work owed since the beginning, looked at after so many milliseconds each.
    fn held(gaps: impl IntoIterator<Item = u64>) -> Duration {
        let began = Instant::now();
        let (mut owed, mut now) = (Owed::default(), began);
        for gap in gaps.into_iter().map(Duration::from_millis) {
            now += gap;
            owed.look(Some(began), now, gap.min(LOOK));
        }
        owed.held
    }

    #[test]
    fn a_stage_that_does_nothing_is_found_after_its_bound() {
        assert_eq!(held([100; 2]), Duration::from_millis(200));
    }

    #[test]
    fn a_stage_is_not_blamed_for_a_core_that_was_held_up() {
        assert_eq!(held([20, 3_000, 20]), Duration::from_millis(190));
        assert!(held([3_000]) < StallBounds::default().vad);
    }

    #[test]
    fn progress_begins_a_new_count() {
        let began = Instant::now();
        let mut owed = Owed { since: Some(began), held: Duration::from_secs(1) };
        let progress = began + Duration::from_secs(1);
        owed.look(Some(progress), progress + Duration::from_millis(20), LOOK);
        assert_eq!(owed.held, Duration::from_millis(20));
        owed.look(None, progress + LOOK, LOOK);
        assert_eq!(owed.held, Duration::ZERO);
    }
}
