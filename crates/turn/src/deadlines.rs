use crate::StageKind;
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};

/// Since when the first result of what each stage was asked is owed; nothing when it came, or when it was found late.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Deadlines([Option<MediaTime>; StageKind::ALL.len()]);

impl Deadlines {
    /// The stage was asked for something new.
    pub(crate) fn asked(&mut self, stage: StageKind, now: MediaTime) {
        self.0[stage as usize] = Some(now);
    }

    /// A first result, or the end of waiting for one.
    pub(crate) fn came(&mut self, stage: StageKind) {
        self.0[stage as usize] = None;
    }

    /// Since when it is owed.
    pub(crate) fn since(&self, stage: StageKind) -> Option<MediaTime> {
        self.0[stage as usize]
    }
}
