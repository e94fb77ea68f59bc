//! What was said, kept within a budget of tokens: the oldest turns become a summary, or are forgotten.
//!
//! ```text
//!  forgotten │ summary │ turns │ newest turn          tokens of all of it <= context_tokens
//!            └ made of the oldest turns from three quarters of the budget on, down to half of it
//! ```

use crate::history::first_turn;
use crate::{Command, Context, Event, Message, Speaker, SummaryId, Turn};
use std::sync::Arc;

impl Turn {
    /// Words of the caller, or of this other party, enter the context.
    pub(super) fn keep_caller(&mut self, text: String, party: Option<Arc<str>>) {
        self.keep(Message { who: Speaker::Caller, party, text });
    }

    /// Words of the bot that were heard enter the context.
    pub(super) fn keep_bot(&mut self, text: String) {
        self.keep(Message { who: Speaker::Bot, party: None, text });
        self.fold();
    }

    fn keep(&mut self, message: Message) {
        self.history.push(&message.text);
        self.context.messages.push(message);
        if self.context.messages.len() > self.config.context_messages {
            self.forget_first(1);
        }
        self.keep_within_budget();
    }

    /// Less of the bot's last words was heard than the context holds.
    pub(super) fn correct(&mut self, kept: &str, heard: String) {
        let its = |message: &Message| message.who == Speaker::Bot && message.text == kept;
        let Some(place) = self.context.messages.iter().rposition(its) else { return };
        if heard.is_empty() {
            self.context.messages.remove(place);
            self.history.remove(place);
            self.pending.iter_mut().for_each(|unread| unread.close_up(place));
        } else {
            self.history.shorten(place, kept, &heard);
            self.context.messages[place].text = heard;
        }
    }

    /// Words of the caller that were said before others which are in the context already. Says where they are now.
    pub(super) fn keep_at(&mut self, place: usize, text: String, party: Option<Arc<str>>) -> usize {
        let folding = self.history.folding();
        let place = place.clamp(folding, self.context.messages.len().max(folding));
        self.history.insert(place, &text);
        self.context.messages.insert(place, Message { who: Speaker::Caller, party, text });
        place
    }

    /// Tokens of the context, as far as can be told without the model's tokenizer.
    pub fn context_tokens(&self) -> u32 {
        self.history.tokens(&self.context.summary, self.context.messages.len())
    }

    /// A service has told how many tokens it read where so many were estimated.
    pub(super) fn calibrate(&mut self, tokens: u32, estimated: u32) {
        if self.history.calibrate(tokens, estimated) {
            self.keep_within_budget();
        }
    }

    /// A tool said something, which stays with the words that it was called for.
    pub(super) fn tool_said(&mut self, tokens: u32) {
        self.history.tool_said(tokens);
    }

    /// The summary of the oldest turns is there, or will not come.
    pub(super) fn summarised(&mut self, summary: SummaryId, text: Option<String>) {
        let Some(messages) = self.history.summarised(summary) else { return };
        let Some(text) = text.map(|text| self.shortened(text.trim())).filter(|text| !text.is_empty()) else {
            self.history.rest();
            return self.tell(Event::NotSummarised { turn: self.turn });
        };
        self.drop_first(messages);
        self.context.summary = text;
        self.tell(Event::Summarised {
            turn: self.turn,
            messages: count(messages),
            tokens: self.context_tokens(),
        });
        self.keep_within_budget();
    }

    /// The oldest whole turns go, then the summary, then what the caller said last: until all is within the budget, or
    /// one message is left.
    pub(super) fn keep_within_budget(&mut self) {
        let budget = self.config.context_tokens;
        while budget > 0 && self.context_tokens() > budget {
            let (messages, first) = (self.context.messages.len(), first_turn(&self.context.messages));
            if first < messages {
                self.forget_first(first);
            } else if !self.context.summary.is_empty() {
                self.context.summary.clear();
                self.tell(Event::Forgotten { turn: self.turn, messages: 0, tokens: self.context_tokens() });
            } else if messages > 1 {
                self.forget_first(1);
            } else {
                return;
            }
        }
    }

    fn drop_first(&mut self, messages: usize) {
        self.context.messages.drain(..messages);
        self.history.drop_first(messages);
        self.pending.iter_mut().for_each(|unread| unread.forget(messages));
    }

    fn forget_first(&mut self, messages: usize) {
        self.drop_first(messages);
        if self.config.context_tokens > 0 {
            let tokens = self.context_tokens();
            self.tell(Event::Forgotten { turn: self.turn, messages: count(messages), tokens });
        }
    }

    /// Has a summary made of the oldest turns once the budget comes near; one at a time.
    fn fold(&mut self) {
        let budget = self.config.context_tokens;
        // What hears and speaks keeps the conversation itself, and the model that would fold it is away.
        let waits = !self.history.replied() || self.health.converses();
        let wanted = budget > 0 && self.config.summarise;
        if waits || !wanted || self.context_tokens() <= budget / 4 * 3 {
            return;
        }
        let messages = self.history.foldable(&self.context.messages, budget / 2);
        if messages == 0 {
            return;
        }
        let summary = self.history.fold(messages);
        let context =
            Context { messages: self.context.messages[..messages].to_vec(), ..self.context.clone() };
        self.push(Command::Summarise { summary, context, within: self.config.summary_within });
    }

    /// A summary has a quarter of the budget, so that it leaves room for what is said.
    fn shortened(&self, text: &str) -> String {
        self.history.shortened(text, self.config.context_tokens / 4)
    }
}

fn count(messages: usize) -> u32 {
    u32::try_from(messages).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
