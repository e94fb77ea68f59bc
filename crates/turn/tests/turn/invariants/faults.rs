//! What goes wrong around the turn.

use super::*;

impl World {
    pub(super) fn stale(&mut self, number: u32) {
        let (epoch, clause) = (Epoch::new(number), ClauseId::new(number));
        let (utterance, ask, request) =
            (UtteranceId::new(number), AskId::new(number), RequestId::new(number));
        let text = String::from("stale");
        self.feed(Input::Final { utterance, ask, text: text.clone(), complete: true });
        self.feed(Input::Partial { utterance, text: text.clone(), complete: true });
        self.feed(Input::Segment { utterance, text: text.clone() });
        self.feed(Input::Token { request, text });
        self.feed(Input::ReplyEnd { request, after: After::HangUp, memo: Memo::default() });
        self.feed(Input::Word { epoch, clause, upto: number, frames: number });
        self.feed(Input::ClauseEnd { epoch, clause, frames: number });
        self.feed(Input::Played { epoch, frames: number });
    }

    pub(super) fn stage(&mut self, stage: StageKind, ready: bool) {
        if ready {
            self.lost.remove(&stage);
            self.feed(Input::StageReady { stage });
            return;
        }
        self.lost.insert(stage);
        match stage {
            StageKind::Stt => self.ask = None,
            StageKind::Tts => self.clauses.clear(),
            StageKind::Llm | StageKind::Vad | StageKind::SpeechToSpeech => {}
        }
        self.feed(Input::StageLost { stage });
    }
}
