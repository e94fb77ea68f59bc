use crate::ToolFiller;
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};

/// The tools that run for one reply.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tools {
    running: u32,
    /// What bridges the wait for the first of them that has words, and since when it runs.
    filler: Option<(MediaTime, ToolFiller)>,
}

impl Tools {
    /// The model waits for one.
    pub(crate) fn are_running(&self) -> bool {
        self.running > 0
    }

    /// How many of them there are.
    pub(crate) fn running(&self) -> u32 {
        self.running
    }

    /// The model waits for one more.
    pub(crate) fn began(&mut self, filler: Option<ToolFiller>, now: MediaTime) {
        self.running += 1;
        self.filler = self.filler.take().or(filler.map(|filler| (now, filler)));
    }

    /// One has ended; says whether none is left.
    pub(crate) fn ended(&mut self) -> bool {
        self.running = self.running.saturating_sub(1);
        if self.running == 0 {
            self.filler = None;
        }
        self.running == 0
    }

    /// When the words that bridge the wait are due, if nothing has sounded since `progress`.
    pub(crate) fn filler_at(&self, progress: MediaTime) -> Option<MediaTime> {
        let (since, filler) = self.filler.as_ref()?;
        Some(progress.max(*since) + filler.after)
    }

    /// The words that bridge the wait, once.
    pub(crate) fn take_filler(&mut self) -> Option<String> {
        self.filler.take().map(|(_, filler)| filler.words)
    }
}
