use crate::StageKind;
use crate::latency::Deaf;
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};

/// Which stages are away, and which have too much to do.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct StageHealth {
    lost: [bool; StageKind::ALL.len()],
    /// One stage hears and speaks by itself.
    converses: bool,
    busy: bool,
    /// When the detector died last, and when it last came back.
    deaf_since: MediaTime,
    hearing_since: MediaTime,
}

impl StageHealth {
    /// Voice activity detection is there.
    pub(crate) fn hears(&self) -> bool {
        self.has(StageKind::Vad)
    }

    /// The stage is there.
    pub(crate) fn has(&self, stage: StageKind) -> bool {
        !self.lost[stage as usize]
    }

    /// A stage that hears and speaks by itself is in charge, be it away at the moment.
    pub(crate) fn converses(&self) -> bool {
        self.converses
    }

    /// Whether one is from now on.
    pub(crate) fn converse(&mut self, converses: bool) {
        self.converses = converses;
    }

    /// The stage died.
    pub(crate) fn lose(&mut self, stage: StageKind, now: MediaTime) {
        self.lost[stage as usize] = true;
        if stage == StageKind::Vad {
            self.deaf_since = now;
        }
    }

    /// The stage is back; says whether it was away.
    pub(crate) fn regain(&mut self, stage: StageKind, now: MediaTime) -> bool {
        let was_away = std::mem::take(&mut self.lost[stage as usize]);
        if was_away && stage == StageKind::Vad {
            self.hearing_since = now;
        }
        was_away
    }

    /// When it last came back.
    pub(crate) fn hearing_since(&self) -> MediaTime {
        self.hearing_since
    }

    /// When nobody listened for speech, last.
    pub(crate) fn deaf(&self) -> Option<Deaf> {
        let back = self.hears().then_some(self.hearing_since);
        (self.deaf_since > MediaTime::ZERO).then_some((self.deaf_since, back))
    }

    /// Answers come late this turn.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// They do so from now on.
    pub(crate) fn be_busy(&mut self) {
        self.busy = true;
    }

    /// A turn was answered.
    pub(crate) fn relax(&mut self) {
        self.busy = false;
    }
}
