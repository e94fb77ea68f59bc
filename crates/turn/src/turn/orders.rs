//! What the caller's side or the API orders.

use crate::{CallerTurn, Event, Turn};
use std::sync::Arc;
use std::time::Duration;

impl Turn {
    /// Answers at once what was said or pressed until now, or the context as it is.
    pub(super) fn respond_now(&mut self) {
        if self.bot_away {
            return;
        }
        self.keys.pause();
        if self.interruption.is_any() {
            self.confirm();
        }
        if self.utterance.is_some() {
            self.end_at_once();
        } else if !self.keys.is_empty() {
            self.keys_pressed();
        } else {
            self.reply_to_context();
        }
    }

    /// The running utterance is over; speech that goes on is another one.
    fn end_at_once(&mut self) {
        let until = self.speech.heard_until().unwrap_or(self.now);
        self.speech.cut();
        if let Some(utterance) = &mut self.utterance {
            utterance.order_end(until.max(utterance.from));
            self.end_turn();
        }
    }

    /// Nothing was said, and a reply is wanted; one that is under way is one.
    pub(super) fn reply_to_context(&mut self) {
        if self.reply.is_some() || self.bot_away {
            return;
        }
        self.farewell = None;
        self.turn = self.turn.next();
        self.speak_up(CallerTurn::Nothing);
    }

    /// No more than this of the answer to `turn` was heard.
    pub(super) fn truncate(&mut self, turn: crate::TurnNumber, until: Duration) {
        if let Some(reply) = self.reply.as_mut().filter(|reply| reply.turn == turn && reply.released) {
            return reply.truncate(until);
        }
        let Some(closed) = self.closed.as_mut().filter(|closed| closed.turn == turn) else { return };
        let kept = closed.heard();
        closed.truncate(until);
        let heard = closed.heard();
        if heard != kept {
            self.correct(&kept, heard.clone());
            self.tell(Event::Heard { turn, text: heard, last: true });
        }
    }

    /// A human agent speaks in the bot's place, or does no more.
    pub(super) fn set_bot_away(&mut self, away: bool) {
        self.bot_away = away;
        if away {
            self.discard_speculation();
            self.interrupt();
            self.farewell = None;
        } else if let Some(stage) = self.gone.take() {
            self.apologise(stage);
        }
    }

    /// This party is heard from now on.
    pub(super) fn speaking(&mut self, party: Option<Arc<str>>) {
        let bounded = |name: Arc<str>| match name.floor_char_boundary(LONGEST_NAME) {
            end if end < name.len() => name[..end].into(),
            _ => name,
        };
        self.party = party.map(bounded).filter(|name| !name.is_empty());
        if let Some(utterance) = &mut self.utterance {
            utterance.speak_as(self.party.clone());
        }
    }

    /// A human agent has taken the bot's place.
    pub fn is_bot_away(&self) -> bool {
        self.bot_away
    }
}

/// Bytes of a party's name, which each of its messages holds.
const LONGEST_NAME: usize = 64;
