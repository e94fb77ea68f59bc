//! The language that a call is in, and when each stage goes over to another one.
//!
//! Who thinks is told at once, with the next request. The voice goes over between two clauses, when it has made all that
//! was said before; the recogniser between two utterances, so that each is heard by one.

use crate::ending::Life;
use crate::sentence::Rules;
use crate::{Command, Event, StageKind, Turn};
use serde::{Deserialize, Serialize};

/// A language that a call can be in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// Its code, by which recogniser and voice are chosen.
    pub code: String,
    /// Its name, as a model is told.
    pub name: String,
    /// What is said in it while an answer takes long, in place of [`Config::filler`](crate::Config::filler).
    pub filler: String,
}

/// The call's language, and which stages still have to follow.
#[derive(Debug, Default)]
pub(crate) struct Tongue {
    current: Option<Language>,
    ear: Following,
    voice: Following,
    /// The voice has followed and has said nothing yet.
    fresh: bool,
}

/// How far a stage is on its way into the call's language.
#[derive(Debug, Default)]
struct Following {
    /// It has not been told.
    wanted: bool,
    /// It was told, and has not said that it is there.
    asked: bool,
}

impl Tongue {
    /// The voice is not yet in the call's language.
    pub(crate) fn holds(&self) -> bool {
        self.voice.wanted || self.voice.asked
    }

    fn of(&mut self, stage: StageKind) -> Option<&mut Following> {
        match stage {
            StageKind::Stt => Some(&mut self.ear),
            StageKind::Tts => Some(&mut self.voice),
            StageKind::Vad | StageKind::Llm | StageKind::SpeechToSpeech => None,
        }
    }
}

impl Following {
    fn is_due(&self) -> bool {
        self.wanted && !self.asked
    }
}

impl Turn {
    /// The code of the call's language, where it has been told.
    pub fn language(&self) -> Option<&str> {
        self.tongue.current.as_ref().map(|language| language.code.as_str())
    }

    /// Where sentences end in it.
    pub(crate) fn rules(&self) -> Rules {
        self.language().map_or_else(|| self.config.rules(), Rules::of)
    }

    /// What is said while an answer takes long.
    pub fn filler(&self) -> &str {
        self.tongue.current.as_ref().map_or(&self.config.filler, |language| &language.filler)
    }

    /// The call begins in this language: its stages are built so.
    pub(crate) fn begin_in(&mut self, language: Language) {
        self.context.language.clone_from(&language.name);
        self.tell(Event::Language { turn: self.turn, language: language.code.clone() });
        self.tongue.current = Some(language);
    }

    /// The call goes over to this language.
    pub(crate) fn change_language(&mut self, language: Language) {
        if self.language() == Some(&language.code) {
            return;
        }
        self.context.language.clone_from(&language.name);
        let (turn, code) = (self.turn_of_reply(), language.code.clone());
        self.tongue.current = Some(language);
        let rules = self.rules();
        if let Some(reply) = &mut self.reply {
            reply.follow(rules);
        }
        (self.tongue.ear.wanted, self.tongue.voice.wanted) = (true, true);
        self.push(Command::Language { language: code.clone() });
        self.tell(Event::Language { turn, language: code });
    }

    /// Tells the stages whose time has come.
    pub(crate) fn follow_language(&mut self) {
        if matches!(self.life, Life::Over) {
            return;
        }
        if self.tongue.ear.is_due() && self.utterance.is_none() && self.unread.is_empty() {
            self.follow_with(StageKind::Stt);
        }
        let speaks = self.reply.as_ref().is_some_and(|reply| !reply.ledger.is_made());
        if self.tongue.voice.is_due() && !speaks {
            self.follow_with(StageKind::Tts);
        }
    }

    fn follow_with(&mut self, stage: StageKind) {
        let Some(following) = self.tongue.of(stage) else { return };
        *following = Following { wanted: false, asked: true };
        self.push(Command::Follow { stage });
    }

    /// The stage is in the language that it was told of.
    pub(crate) fn followed(&mut self, stage: StageKind) {
        let Some(following) = self.tongue.of(stage) else { return };
        following.asked = false;
        if stage == StageKind::Tts {
            self.tongue.fresh = true;
            self.speak();
        }
    }

    /// A voice that has followed speaks in an epoch of its own, so that it is waited for like any other.
    pub(crate) fn speak_afresh(&mut self) {
        if !std::mem::take(&mut self.tongue.fresh) {
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
