//! What stages owe: what they are watched by.

use ringway_turn::{Input, StageKind};
use std::cell::Cell;
use std::rc::Rc;
use tokio::time::Instant;

/// Work that a stage owes: set by whoever asks, moved on by each sign of progress.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Rc<Cell<Debt>>);

#[derive(Clone, Copy, Debug, Default)]
struct Debt {
    answers: u32,
    since: Option<Instant>,
}

impl Watch {
    /// One more answer is owed.
    pub(crate) fn owe(&self) {
        let Debt { answers, since } = self.0.get();
        self.0.set(Debt { answers: answers + 1, since: since.or_else(|| Some(Instant::now())) });
    }

    /// One answer is owed from now on; earlier ones are not wanted any more.
    pub(crate) fn owe_anew(&self) {
        self.settle();
        self.owe();
    }

    /// A sign of progress; as much is owed as before.
    pub(crate) fn progress(&self) {
        let Debt { answers, since } = self.0.get();
        self.0.set(Debt { answers, since: since.map(|_| Instant::now()) });
    }

    /// One answer came.
    pub(crate) fn repay(&self) {
        let answers = self.0.get().answers.saturating_sub(1);
        self.0.set(Debt { answers, since: (answers > 0).then(Instant::now) });
    }

    /// How many answers are owed.
    pub(crate) fn answers(&self) -> u32 {
        self.0.get().answers
    }

    /// Nothing is owed.
    pub(crate) fn settle(&self) {
        self.0.set(Debt::default());
    }

    /// Since when no progress was made on what is owed.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.0.get().since
    }
}

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
    pub(crate) fn heard(&self, input: &Input) {
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
