use crate::clause::trimmed;
use crate::heard::Words;
use crate::reply::Model;
use crate::utterance::Phase;
use crate::{Command, Playout, Purpose, StageKind, Stt, Turn};

impl Turn {
    /// A stage died. Nothing is asked again before it is back; silence proves nothing while nobody listens for speech.
    pub(super) fn stage_lost(&mut self, stage: StageKind) {
        self.health.lose(stage, self.now);
        self.deadlines.came(stage);
        if stage == StageKind::Vad {
            self.speech.hold(self.now + self.config.vad_grace);
        }
    }

    /// A stage is back: what is still wanted of it is asked again.
    pub(super) fn stage_ready(&mut self, stage: StageKind) {
        let by_three = !self.converses();
        if stage == StageKind::SpeechToSpeech {
            self.health.converse(true);
        }
        if !self.health.regain(stage, self.now) {
            return;
        }
        match stage {
            StageKind::Vad => {}
            StageKind::Stt => self.transcribe_again(),
            StageKind::Llm => self.reply_again(),
            StageKind::Tts => self.speak_again(),
            StageKind::SpeechToSpeech => {
                if by_three {
                    self.take_from_three();
                }
                self.converse_again();
            }
        }
    }

    /// Answers come late: the caller hears a filler sooner.
    pub(super) fn stage_busy(&mut self, _stage: StageKind) {
        self.health.be_busy();
    }

    fn transcribe_again(&mut self) {
        self.recognise_unread();
        let Some(utterance) = &self.utterance else { return };
        let (id, from, asked, until) =
            (utterance.id, utterance.from, utterance.ask.is_some(), utterance.asked_until);
        let over = matches!(utterance.phase, Phase::Over { .. });
        self.push(Command::Stt(Stt::Begin { utterance: id, from }));
        if asked {
            self.flush(if over { Purpose::Turn } else { Purpose::Speculation }, until);
        }
    }

    fn reply_again(&mut self) {
        let request = self.ids.request;
        let Some(reply) = self.reply.as_mut().filter(|reply| matches!(reply.model, Model::Asked(_))) else {
            return;
        };
        let Some(caller) = reply.cue.clone() else { return };
        reply.ask_again(request);
        let already = reply.text().to_owned();
        self.ids.request = request.next();
        self.deadlines.asked(StageKind::Llm, self.now);
        let context = self.context_of_reply();
        self.push(Command::Reply { request, caller, context, already });
    }

    /// The new voice goes on in an epoch of its own, so that it counts its frames from nothing; the frames that the
    /// dead one made are still played.
    fn speak_again(&mut self) {
        let Some(reply) = &mut self.reply else { return };
        let again = reply.ledger.unmade();
        if again.is_empty() {
            return self.speak();
        }
        let (epoch, released) = (reply.next_epoch(), reply.released);
        self.next_epoch = epoch.next();
        let trim = |words| match words {
            Words::Reply(range) => trimmed(reply.text(), range).map(Words::Reply),
            words => Some(words),
        };
        let gave_up = |words: &Words| matches!(words, Words::Reply(piece) if reply.refusals.gave_up(piece));
        let (left_out, again): (Vec<_>, Vec<_>) = again.into_iter().filter_map(trim).partition(gave_up);
        for words in left_out {
            if let Words::Reply(piece) = words {
                reply.refusals.leave_out(piece);
            }
        }
        if released {
            self.push(Command::Playout(Playout::Release(epoch)));
        }
        self.tell_left_out();
        for words in again {
            self.say(words);
        }
        self.settle_reply();
    }
}
