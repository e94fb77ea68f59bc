//! What the answer waits for, read off the state of the turn.

use crate::latency::Wait;
use crate::reply::{Model, Reply};
use crate::{StageKind, Turn};

impl Turn {
    /// Notes what the answer waits for after what has just happened.
    pub(super) fn note_wait(&mut self) {
        let reply = self.reply.as_ref().filter(|reply| !reply.announced);
        let wait = reply.map_or(Wait::EndOfTurn, |reply| self.awaited_of(reply));
        match (&self.utterance, wait) {
            (Some(utterance), Wait::EndOfTurn) => {
                match utterance.asked_at.filter(|_| utterance.ask.is_some()) {
                    Some(_) if !self.health.has(StageKind::Stt) => self.waits.note(Wait::Rebuild, self.now),
                    Some(asked) => self.waits.note(Wait::Stt, asked),
                    None => self.waits.hide(self.health.deaf()),
                }
            }
            (None, Wait::EndOfTurn) => {}
            (_, wait) => self.waits.note(wait, self.now),
        }
    }

    /// What a reply waits for whose first sound is to come; a filler is none of it.
    fn awaited_of(&self, reply: &Reply) -> Wait {
        let of = |stage, wait| if self.health.has(stage) { wait } else { Wait::Rebuild };
        let ready = if reply.released { Wait::Playout } else { Wait::EndOfTurn };
        let voiced = match reply.whole {
            true => (reply.voiced == Some(reply.epoch)).then_some(true),
            false => reply.ledger.has_first_sound(reply.voiced),
        };
        match (voiced, &reply.model) {
            (Some(true), _) => ready,
            (Some(false), _) => of(StageKind::Tts, Wait::Tts),
            (None, _) if reply.has_unspoken() && self.language.holds() => Wait::Rebuild,
            (None, _) if reply.has_unspoken() => ready,
            (None, Model::Asked(_)) if reply.tools.are_running() => Wait::Tools,
            (None, Model::Asked(_)) if reply.whole => of(StageKind::SpeechToSpeech, Wait::Llm),
            (None, Model::Asked(_)) => of(StageKind::Llm, Wait::Llm),
            (None, Model::Done { .. }) => ready,
            // Only a filler is spoken: the words that it answers are still to come.
            (None, Model::Idle) => Wait::EndOfTurn,
        }
    }
}
