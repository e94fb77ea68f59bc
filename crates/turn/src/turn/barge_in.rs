use crate::reply::Reply;
use crate::utterance::{Phase, same_words};
use crate::{CallerTurn, Command, Event, Playout, Turn};
use ringway_frame::MediaTime;

impl Turn {
    /// The first sign of speech, which came at `from`, while a reply is due or sounds: it waits, losing nothing.
    pub(super) fn pause(&mut self, from: MediaTime) {
        if self.interruption.begin(self.now, from) {
            self.push(Command::Playout(Playout::Pause));
        }
    }

    /// Decides as soon as enough was said.
    pub(super) fn judge(&mut self) {
        let Some(utterance) = self.utterance.as_ref().filter(|_| self.interruption.is_any()) else { return };
        let words = utterance.own_words();
        let meant = words.split_whitespace().filter(|word| !self.is_backchannel(word)).count();
        let murmur = meant == 0 && !words.is_empty();
        let long = if murmur { self.config.backchannel_max } else { self.config.barge_in_after };
        if meant >= self.config.barge_in_words as usize || utterance.burst >= long || utterance.spotted {
            self.confirm();
        } else if utterance.is_answered() {
            self.false_alarm();
        }
    }

    /// The words take long: the bot goes on, and stops again if they turn out to be some. Where none come before the
    /// turn, it was nothing.
    pub(super) fn resume_in_doubt(&mut self) {
        if self.health.converses() {
            return self.false_alarm();
        }
        self.resume();
        self.interruption.postpone();
    }

    /// It was no speech, or none that was meant to stop the bot.
    pub(super) fn false_alarm(&mut self) {
        self.resume();
        self.interruption.end();
        self.forget();
    }

    /// The doubt has lost its object.
    pub(super) fn settle_doubt(&mut self) {
        if self.interruption.end() {
            self.push(Command::Playout(Playout::Resume));
        }
    }

    /// The caller is heard: the bot stops for good. If it was not audible yet, the caller never heard the end of
    /// their own turn, so that what they say now continues it.
    pub(super) fn confirm(&mut self) {
        let Some(from) = self.interruption.from() else { return };
        if let Some(reply) = self.reply.take() {
            self.silence_reply(&reply);
            self.settle_doubt();
            if reply.ledger.is_audible() {
                self.tell(Event::BargeIn { turn: reply.turn, after: self.now - from });
                self.mark_barged_in();
                self.cut_off(reply);
            } else if let Some(words) = self.continued(&reply) {
                self.continue_turn(reply.turn, words);
            } else {
                self.cut_off(reply);
            }
        }
        self.settle_doubt();
        self.tell_transcript();
        self.speculate();
    }

    fn resume(&mut self) {
        let Some(at) = self.interruption.paused_at() else { return };
        self.push(Command::Playout(Playout::Resume));
        if let Some(reply) = &mut self.reply {
            reply.get_on(self.now);
            let turn = reply.turn;
            self.tell(Event::FalseInterruption { turn, paused: self.now - at });
        }
    }

    fn mark_barged_in(&mut self) {
        if let Some(utterance) = &mut self.utterance {
            utterance.barge_in();
        }
    }

    /// The words that the caller goes on behind, if it is the same person.
    fn continued(&self, reply: &Reply) -> Option<String> {
        let party = self.utterance.as_ref().and_then(|utterance| utterance.party.as_ref());
        match &reply.cue {
            Some(CallerTurn::Said(words)) if reply.party.as_ref() == party => Some(words.clone()),
            _ => None,
        }
    }

    fn continue_turn(&mut self, turn: crate::TurnNumber, words: String) {
        if let Some(utterance) = &mut self.utterance {
            utterance.continue_turn(turn, words);
        }
    }

    fn is_backchannel(&self, word: &str) -> bool {
        self.config.backchannels.iter().any(|known| same_words(known, word))
    }

    /// The caller speaks for certain, so that the bot must not.
    pub fn caller_has_the_floor(&self) -> bool {
        let speaking = self.utterance.as_ref().is_some_and(|utterance| utterance.phase == Phase::Speaking);
        speaking && !self.interruption.is_any()
    }
}
