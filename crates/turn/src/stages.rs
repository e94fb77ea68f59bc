use crate::heard::Words;
use crate::latency::Deaf;
use crate::reply::{Model, trimmed};
use crate::tool::Tools;
use crate::utterance::Phase;
use crate::{Command, Playout, Purpose, StageKind, Stt, Turn};
use ringway_frame::MediaTime;

/// Which stages are away, and which have too much to do.
#[derive(Debug, Default)]
pub(crate) struct Health {
    lost: [bool; StageKind::ALL.len()],
    /// One stage hears and speaks by itself.
    converses: bool,
    busy: bool,
    /// When the detector died last, and when it last came back.
    deaf_since: MediaTime,
    hearing_since: MediaTime,
}

impl Health {
    /// Voice activity detection is there.
    pub(crate) fn hears(&self) -> bool {
        self.has(StageKind::Vad)
    }

    /// The stage is there.
    pub(crate) fn has(&self, stage: StageKind) -> bool {
        !self.lost[stage as usize]
    }

    /// A stage that hears and speaks by itself is in charge, be it away at the moment.
    pub(crate) fn converses(&self) -> bool {
        self.converses
    }

    /// Whether one is from now on.
    pub(crate) fn converse(&mut self, converses: bool) {
        self.converses = converses;
    }

    /// The stage is not there.
    pub(crate) fn lose(&mut self, stage: StageKind) {
        self.lost[stage as usize] = true;
    }

    /// When it last came back.
    pub(crate) fn hearing_since(&self) -> MediaTime {
        self.hearing_since
    }

    /// When nobody listened for speech, last.
    pub(crate) fn deaf(&self) -> Option<Deaf> {
        let back = self.hears().then_some(self.hearing_since);
        (self.deaf_since > MediaTime::ZERO).then_some((self.deaf_since, back))
    }

    /// Answers come late this turn.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// A turn was answered.
    pub(crate) fn relax(&mut self) {
        self.busy = false;
    }
}

impl Turn {
    /// A stage died. Nothing is asked again before it is back; silence proves nothing while nobody listens for speech.
    pub(crate) fn stage_lost(&mut self, stage: StageKind) {
        self.health.lose(stage);
        self.patience.came(stage);
        if stage == StageKind::Vad {
            self.health.deaf_since = self.now;
            self.speech.hold(self.now + self.config.vad_grace);
        }
    }

    /// A stage is back: what is still wanted of it is asked again.
    pub(crate) fn stage_ready(&mut self, stage: StageKind) {
        if stage == StageKind::SpeechToSpeech {
            self.health.converse(true);
        }
        if !std::mem::take(&mut self.health.lost[stage as usize]) {
            return;
        }
        match stage {
            StageKind::Vad => self.health.hearing_since = self.now,
            StageKind::Stt => self.transcribe_again(),
            StageKind::Llm => self.reply_again(),
            StageKind::Tts => self.speak_again(),
            StageKind::SpeechToSpeech => self.converse_again(),
        }
    }

    /// Answers come late: the caller hears a filler sooner.
    pub(crate) fn stage_busy(&mut self, _stage: StageKind) {
        self.health.busy = true;
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
        reply.model = Model::Asked(request);
        reply.tools = Tools::default();
        let already = reply.text().to_owned();
        self.ids.request = request.next();
        self.patience.asked(StageKind::Llm, self.now);
        let context = self.context.clone();
        self.push(Command::Reply { request, caller, context, already });
    }

    /// The new voice goes on in an epoch of its own, so that it counts its frames from nothing; the frames that the
    /// dead one made are still played.
    fn speak_again(&mut self) {
        let Some(reply) = &mut self.reply else { return };
        let again = reply.ledger.unmade();
        if again.is_empty() {
            return;
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
