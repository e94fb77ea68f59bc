//! When a request is asked a second time, of another service: later than usual, but not yet so late that the first is
//! given up.

use crate::patience::OWED;
use crate::{Command, Event, StageKind, Turn};
use ringway_frame::MediaTime;
use std::time::Duration;

/// Within what time the first result of each stage's newest request usually comes.
#[derive(Debug, Default)]
pub(crate) struct Usual([Option<Duration>; 4]);

impl Usual {
    /// A new request, of which nothing is known; or one that was asked twice.
    pub(crate) fn forget(&mut self, stage: StageKind) {
        self.0[stage as usize] = None;
    }
}

impl Turn {
    /// Requests may be asked a second time: whoever knows is to tell how long they usually take.
    pub fn hedges(&self) -> bool {
        self.config.hedge
    }

    /// 95 of 100 requests like the newest one of this stage have their first result by then.
    pub(crate) fn usually_within(&mut self, stage: StageKind, within: Duration) {
        self.usual.0[stage as usize] = Some(within);
    }

    /// When the next stage is later than usual. One that is given up first is not asked twice.
    pub(crate) fn hedge_at(&self) -> Option<MediaTime> {
        self.later_than_usual().map(|(_, at)| at)
    }

    fn later_than_usual(&self) -> Option<(StageKind, MediaTime)> {
        if !self.config.hedge || self.doubt.is_any() {
            return None;
        }
        let longest = self.config.late_after().unwrap_or(Duration::MAX);
        let due = |stage: StageKind| {
            let usual = self.usual.0[stage as usize].filter(|usual| *usual < longest)?;
            let waited_for = self.health.has(stage) && self.is_waited_for(stage);
            Some((stage, self.patience.since(stage).filter(|_| waited_for)? + usual))
        };
        OWED.into_iter().filter_map(due).min_by_key(|(_, at)| *at)
    }

    /// The request is asked a second time, if there is a service to ask; the first of both counts, and patience begins anew.
    pub(crate) fn hedge(&mut self) {
        let Some((stage, _)) = self.later_than_usual() else { return };
        self.usual.forget(stage);
        self.patience.asked(stage, self.now);
        self.tell(Event::LaterThanUsual { turn: self.turn_of(stage), stage });
        self.push(Command::Hedge { stage });
    }
}
