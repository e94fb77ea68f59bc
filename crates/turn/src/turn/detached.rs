//! The leg is away: the call's time stands still.

use crate::spoken::Standing;
use crate::{Event, Input, Turn};

impl Turn {
    /// The caller's leg has no network, and the call waits for it.
    pub fn is_detached(&self) -> bool {
        self.clock.is_stopped()
    }

    /// Something happened while the leg is away: only the end of the call is acted upon.
    pub(super) fn defer(&mut self, input: Input) {
        match input {
            Input::Tick | Input::Detached => {}
            // Made of a hole: neither silence nor speech.
            Input::Window(window) if self.clock.is_lost(window.until) => {}
            Input::Ended { .. } => {
                self.take_stock();
                self.take(input);
            }
            input => {
                if let Some(oldest) = self.deferred.push(input) {
                    self.overflowed = self.overflowed.saturating_add(1);
                    self.take(oldest);
                }
            }
        }
    }

    /// The leg is back. Silence proves nothing until something has been heard of it.
    pub(super) fn attach(&mut self) {
        if !self.is_detached() {
            return;
        }
        self.clock.go_on();
        self.speech.hold(self.now + self.config.vad_grace);
        self.tell_overflow();
        while let Some(input) = self.deferred.pop() {
            self.take(input);
            self.observe();
        }
    }

    /// The call ends before the leg is back: what was said and heard until then counts, and leads to nothing.
    pub(super) fn take_stock(&mut self) {
        self.tell_overflow();
        while let Some(input) = self.deferred.pop() {
            match input {
                Input::Played { .. } | Input::Word { .. } | Input::ClauseEnd { .. } | Input::Token { .. } => {
                    self.take_stock_of_reply(input);
                }
                Input::Partial { utterance, text, complete } => {
                    let (text, now) = (self.words_of(&text, Standing::Guess), self.now);
                    if let Some(running) = self.running(utterance) {
                        running.partial(text, complete, now);
                    }
                }
                Input::Segment { utterance, text } => {
                    let text = self.words_of(&text, Standing::Words);
                    if let Some(running) = self.running(utterance) {
                        running.segment(&text);
                    }
                }
                Input::Final { utterance, ask, text, complete } => {
                    let (text, now) = (self.words_of(&text, Standing::Words), self.now);
                    if let Some(running) = self.running(utterance) {
                        running.answered(ask, text, complete, now);
                    }
                }
                _ => {}
            }
        }
    }

    fn tell_overflow(&mut self) {
        let inputs = std::mem::take(&mut self.overflowed);
        if inputs > 0 {
            self.tell(Event::DeferralOverflow { inputs });
        }
    }

    fn take_stock_of_reply(&mut self, input: Input) {
        let Some(reply) = &mut self.reply else { return };
        match input {
            Input::Played { epoch, frames } => _ = reply.ledger.played(epoch, frames),
            Input::Word { epoch, clause, upto, frames } => reply.mark_word(epoch, clause, upto, frames),
            Input::ClauseEnd { epoch, clause, frames } => reply.ledger.clause_end(epoch, clause, frames),
            Input::Token { text, request } if reply.model == crate::reply::Model::Asked(request) => {
                reply.push(&text)
            }
            _ => {}
        }
    }
}
