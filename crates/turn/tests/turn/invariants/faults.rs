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

    /// Only the end of the call is acted upon.
    pub(super) fn stands_still(&self, input: &Input) -> bool {
        self.turn.is_detached() && !matches!(input, Input::Attached | Input::Ended { .. })
    }

    /// Time without that in which the leg was away.
    pub(super) fn conversation(&self) -> MediaTime {
        self.detached.unwrap_or(self.now).saturating_sub(self.away)
    }

    pub(super) fn leg(&mut self, attached: bool) {
        match (attached, self.detached.take_if(|_| attached)) {
            (true, since) => self.away += since.map_or(Duration::ZERO, |since| self.now - since),
            (false, _) => self.detach(),
        }
        self.feed(if attached { Input::Attached } else { Input::Detached });
        if attached {
            self.unknown.clear();
        }
    }

    pub(super) fn language(&mut self, german: bool) {
        let code = if german { "de" } else { "en" };
        let (name, filler) = (format!("the language {code}"), format!("filler in {code}"));
        self.feed(Input::Language(Language { code: code.into(), name, filler }));
    }

    pub(super) fn detach(&mut self) {
        self.detached.get_or_insert(self.now);
    }

    pub(super) fn truncate(&mut self, ago: u32, millis: u64) {
        let turn = self.turn.answering().unwrap_or_default().number().saturating_sub(ago);
        let until = Duration::from_millis(millis);
        self.feed(Input::Truncate { turn: ringway_turn::TurnNumber::new(turn), until });
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
