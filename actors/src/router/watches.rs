use super::*;

/// What each stage owes, shared with the Call that watches them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watches {
    pub(crate) stt: Watch,
    pub(crate) llm: Watch,
    pub(crate) tts: Watch,
    pub(crate) s2s: Watch,
}

impl Watches {
    /// What a stage says is progress; its last word settles what it owed.
    pub(super) fn heard(&self, input: &Input) {
        match input {
            Input::Final { .. } => self.stt.settle(),
            Input::StageBusy { stage: StageKind::Stt } => self.stt.progress(),
            Input::Token { .. } => {
                self.llm.progress();
                self.s2s.progress();
            }
            Input::ReplyEnd { .. } => {
                self.llm.settle();
                self.s2s.settle();
            }
            Input::Voiced { .. } => self.s2s.progress(),
            Input::Word { .. } => self.tts.progress(),
            Input::ClauseEnd { .. } | Input::ClauseRefused { left_out: Some(_), .. } => self.tts.repay(),
            _ => {}
        }
    }

    pub(crate) fn of(&self, stage: StageKind) -> Option<&Watch> {
        match stage {
            StageKind::Vad => None,
            StageKind::Stt => Some(&self.stt),
            StageKind::Llm => Some(&self.llm),
            StageKind::Tts => Some(&self.tts),
            StageKind::SpeechToSpeech => Some(&self.s2s),
        }
    }
}
