use crate::{Language, StageKind};
use serde::{Deserialize, Serialize};

/// The call's language, and which stages still have to follow.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct LanguageSwitch {
    current: Option<Language>,
    ear: Following,
    voice: Following,
    /// The voice has followed and has said nothing yet.
    fresh: bool,
}

/// How far a stage is on its way into the call's language.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Following {
    /// It has not been told.
    wanted: bool,
    /// It was told, and has not said that it is there.
    asked: bool,
}

impl LanguageSwitch {
    /// The voice is not yet in the call's language.
    pub(crate) fn holds(&self) -> bool {
        self.voice.wanted || self.voice.asked
    }

    /// The language, where one has been told.
    pub(crate) fn current(&self) -> Option<&Language> {
        self.current.as_ref()
    }

    /// The call begins in it: its stages are built so.
    pub(crate) fn begin(&mut self, language: Language) {
        self.current = Some(language);
    }

    /// The call goes over to it: recogniser and voice have to follow.
    pub(crate) fn change(&mut self, language: Language) {
        self.current = Some(language);
        (self.ear.wanted, self.voice.wanted) = (true, true);
    }

    /// The recogniser has to follow, and has not been told.
    pub(crate) fn is_ear_due(&self) -> bool {
        self.ear.is_due()
    }

    /// The voice has to follow, and has not been told.
    pub(crate) fn is_voice_due(&self) -> bool {
        self.voice.is_due()
    }

    /// The stage is told; says whether it is one that follows.
    pub(crate) fn tell(&mut self, stage: StageKind) -> bool {
        let told = Following { wanted: false, asked: true };
        self.of(stage).map(|following| *following = told).is_some()
    }

    /// The stage is in the language that it was told of.
    pub(crate) fn followed(&mut self, stage: StageKind) {
        if let Some(following) = self.of(stage) {
            following.asked = false;
            self.fresh |= stage == StageKind::Tts;
        }
    }

    /// All stages are built in it.
    pub(crate) fn settle(&mut self) {
        (self.ear, self.voice) = (Following::default(), Following::default());
    }

    /// The voice speaks for the first time since it has followed.
    pub(crate) fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
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
