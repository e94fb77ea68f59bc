//! The deadlines of each stage: what is late, and what is done about it.

use crate::reply::Reply;
use crate::utterance::Utterance;
use crate::{Command, Event, StageKind, Turn, TurnNumber};
use ringway_frame::MediaTime;

impl Turn {
    /// When the next stage is late. Work ahead of the turn's end may take as long as it likes: nobody waits for it.
    pub(super) fn late_at(&self) -> Option<MediaTime> {
        self.late().map(|(_, at)| at)
    }

    fn late(&self) -> Option<(StageKind, MediaTime)> {
        let patience = self.config.late_after().filter(|_| !self.interruption.is_any())?;
        let owed = StageKind::ALL.into_iter();
        let owed = owed.filter(|stage| self.health.has(*stage) && self.is_waited_for(*stage));
        let late = owed.filter_map(|stage| Some((stage, self.deadlines.since(stage)? + patience)));
        late.min_by_key(|(_, at)| *at)
    }

    /// The caller waits for it.
    pub(super) fn is_waited_for(&self, stage: StageKind) -> bool {
        let released = self.reply.as_ref().filter(|reply| reply.released);
        match stage {
            StageKind::Vad => false,
            StageKind::Stt => self.utterance.as_ref().is_some_and(Utterance::is_waited_for),
            StageKind::Llm | StageKind::SpeechToSpeech => released.is_some_and(Reply::is_asked),
            StageKind::Tts => released.is_some_and(|reply| !reply.ledger.is_empty()),
        }
    }

    /// The stage that is late is given up on, if another service can take its place.
    pub(super) fn hurry(&mut self) {
        let Some((stage, _)) = self.late() else { return };
        self.deadlines.came(stage);
        let turn = self.turn_of(stage);
        self.tell(Event::Late { turn, stage });
        self.push(Command::Hurry { stage });
    }

    fn turn_of(&self, stage: StageKind) -> TurnNumber {
        let utterance = self.utterance.as_ref().filter(|_| stage == StageKind::Stt);
        let answering = self.answering().unwrap_or(self.turn);
        utterance.map_or(answering, |utterance| utterance.turn)
    }

    /// When nobody can be asked to wait any longer.
    pub(super) fn give_up_at(&self) -> Option<MediaTime> {
        let longest = self.config.give_up_after.filter(|_| !self.interruption.is_any() && !self.bot_away)?;
        Some(self.silent_since()? + longest)
    }

    /// The end of a turn of the caller's whose answer has not begun to sound.
    fn silent_since(&self) -> Option<MediaTime> {
        if let Some(utterance) = &self.utterance {
            return utterance.over_since();
        }
        self.reply.as_ref()?.silent_since()
    }

    /// The wait is ended with an apology.
    pub(super) fn give_up(&mut self) {
        let stage = match &self.reply {
            _ if self.health.converses() => StageKind::SpeechToSpeech,
            _ if self.utterance.is_some() => StageKind::Stt,
            Some(reply) if reply.ledger.is_empty() || reply.is_asked() => StageKind::Llm,
            _ => StageKind::Tts,
        };
        self.apologise(stage);
    }
}
