//! The language that a call is in, and when each stage goes over to another one.
//!
//! Who thinks is told at once, with the next request. The voice goes over between two clauses, when it has made all that
//! was said before; the recogniser between two utterances, so that each is heard by one.

use crate::call_phase::CallPhase;
use crate::sentence::Rules;
use crate::{Command, Event, Language, StageKind, Turn};

impl Turn {
    /// The code of the call's language, where it has been told.
    pub fn language(&self) -> Option<&str> {
        self.language.current().map(|language| language.code.as_str())
    }

    /// Where sentences end in it.
    pub(super) fn rules(&self) -> Rules {
        self.language().map_or_else(|| self.config.rules(), Rules::of)
    }

    /// What is said while an answer takes long.
    pub fn filler(&self) -> &str {
        self.language.current().map_or(&self.config.filler, |language| &language.filler)
    }

    /// The call begins in this language: its stages are built so.
    pub(super) fn begin_in(&mut self, language: Language) {
        self.context.language.clone_from(&language.name);
        self.tell(Event::Language { turn: self.turn, language: language.code.clone() });
        self.language.begin(language);
    }

    /// The call goes over to this language.
    pub(super) fn change_language(&mut self, language: Language) {
        if self.language() == Some(&language.code) {
            return;
        }
        self.context.language.clone_from(&language.name);
        let (turn, code) = (self.turn_of_reply(), language.code.clone());
        self.language.change(language);
        let rules = self.rules();
        if let Some(reply) = &mut self.reply {
            reply.follow(rules);
        }
        self.push(Command::Language { language: code.clone() });
        self.tell(Event::Language { turn, language: code });
    }

    /// Tells the stages whose time has come.
    pub(super) fn follow_language(&mut self) {
        if matches!(self.phase, CallPhase::Over) {
            return;
        }
        if self.language.is_ear_due() && self.utterance.is_none() && self.pending.is_empty() {
            self.follow_with(StageKind::Stt);
        }
        let speaks = self.reply.as_ref().is_some_and(|reply| !reply.ledger.is_made());
        if self.language.is_voice_due() && !speaks {
            self.follow_with(StageKind::Tts);
        }
    }

    fn follow_with(&mut self, stage: StageKind) {
        if self.language.tell(stage) {
            self.push(Command::Follow { stage });
        }
    }

    /// The stage is in the language that it was told of.
    pub(super) fn followed(&mut self, stage: StageKind) {
        self.language.followed(stage);
        if stage == StageKind::Tts {
            self.speak();
        }
    }

    /// A voice that has followed speaks in an epoch of its own, so that it is waited for like any other.
    pub(super) fn speak_afresh(&mut self) {
        if !self.language.take_fresh() {
            return;
        }
        let Some(reply) = self.reply.as_mut().filter(|reply| !reply.ledger.is_empty()) else { return };
        let released = reply.released;
        let epoch = reply.next_epoch();
        self.next_epoch = epoch.next();
        if released {
            self.push(Command::Playout(crate::Playout::Release(epoch)));
        }
    }
}
