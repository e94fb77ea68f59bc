//! A conversation goes on in another process.

use super::snapshot::{Snapshot, SnapshotError};
use crate::call_phase::CallPhase;
use crate::{Command, Config, Playout, StageKind, Turn};
use ringway_frame::MediaTime;
use std::sync::Arc;

impl Turn {
    /// The conversation of another process, which goes on here at [`Self::time`]: its leg is detached, all its stages are
    /// lost, and so is the audio that nobody has heard. They are to be built in [`Self::language`]; as they become
    /// [ready](crate::Input::StageReady) and the leg [attached](crate::Input::Attached), what is still wanted is asked
    /// again, and the rest of a reply is said in a new epoch. Of the running utterance the words that were known stay.
    ///
    /// # Errors
    /// The snapshot is of another version, or damaged.
    pub fn take_over(config: impl Into<Arc<Config>>, snapshot: Snapshot) -> Result<Self, SnapshotError> {
        let mut turn = Self::restore(config, snapshot)?;
        turn.attach();
        turn.lose_audio();
        turn.lose_stages();
        turn.lose_playout();
        let still = |command: &Command| {
            matches!(
                command,
                Command::Event(_)
                    | Command::HangUp { .. }
                    | Command::Transfer { .. }
                    | Command::Apologise { .. }
            )
        };
        turn.commands.retain(still);
        turn.begin_playout();
        turn.observe();
        turn.clock.stop();
        turn.note_deadline();
        Ok(turn)
    }

    /// Media time of the newest input.
    pub fn time(&self) -> MediaTime {
        self.clock.media()
    }

    /// What the caller said has to be known by now.
    fn lose_audio(&mut self) {
        while let Some(oldest) = self.pending.first() {
            self.read(oldest.ask, "");
        }
        if let Some(utterance) = &mut self.utterance {
            utterance.lose_audio(self.now);
        }
    }

    fn lose_stages(&mut self) {
        StageKind::ALL.into_iter().for_each(|stage| self.stage_lost(stage));
        self.usual = None;
        self.language.settle();
        self.history.lose_summary();
        self.state = None;
    }

    /// Frames that were made and not heard are gone.
    fn lose_playout(&mut self) {
        let (epoch, request) = (self.next_epoch, self.ids.request);
        if let Some(reply) = &mut self.reply {
            reply.lose_unheard(epoch, request);
            reply.get_on(self.now);
            self.next_epoch = epoch.next();
        }
        match &self.phase {
            CallPhase::Closing { reason, .. } => self.end(reason.clone()),
            CallPhase::Apologising { stage, .. } => self.apologise(*stage),
            CallPhase::Waiting | CallPhase::Live | CallPhase::Over => {}
        }
        self.settle_reply();
    }

    /// A playout that knows nothing is where the old one was.
    fn begin_playout(&mut self) {
        if let Some(reply) = self.reply.as_ref().filter(|reply| reply.released) {
            self.push(Command::Playout(Playout::Release(reply.epoch)));
        }
        if let CallPhase::Apologising { epoch, .. } = self.phase {
            self.push(Command::Playout(Playout::Release(epoch)));
        }
        if self.interruption.is_paused() {
            self.push(Command::Playout(Playout::Pause));
        }
    }
}
