//! What was said, kept within a budget of tokens: the oldest turns become a summary, or are forgotten.
//!
//! ```text
//!  forgotten │ summary │ turns │ newest turn          tokens of all of it <= context_tokens
//!            └ made of the oldest turns from three quarters of the budget on, down to half of it
//! ```

use crate::tokens::{AROUND_MESSAGE, estimate};
use crate::{Command, Context, Event, Message, Speaker, SummaryId, Turn};

/// What is known of the context beside its words.
#[derive(Debug)]
pub(crate) struct History {
    /// Estimated tokens of each message, with what tools said for it.
    weights: Vec<u32>,
    /// Of tools that belong to the next message.
    tools: u32,
    /// How many real tokens an estimated one is; once a service has told.
    scale: Option<f32>,
    folding: Option<Folding>,
    next: SummaryId,
    /// Replies until a summary is tried again.
    rest: u8,
}

/// A summary in the making.
#[derive(Debug)]
struct Folding {
    id: SummaryId,
    /// Of the context's first messages, those that it takes the place of.
    messages: usize,
}

impl Default for History {
    fn default() -> Self {
        let next = SummaryId::default();
        Self { weights: Vec::new(), tools: 0, scale: None, folding: None, next, rest: 0 }
    }
}

impl History {
    /// Real tokens of so many estimated ones.
    fn scaled(&self, estimated: u32) -> u32 {
        self.scale.map_or(estimated, |scale| (estimated as f32 * scale).ceil() as u32)
    }

    fn tokens(&self, summary: &str, messages: usize) -> u32 {
        let summary = if summary.is_empty() { 0 } else { estimate(summary) + AROUND_MESSAGE };
        self.scaled(self.weights[..messages].iter().sum::<u32>() + summary)
    }

    fn push(&mut self, text: &str) {
        self.weights.push(estimate(text) + AROUND_MESSAGE + std::mem::take(&mut self.tools));
    }

    /// A message that was said earlier comes late: it is not part of a summary in the making.
    fn insert(&mut self, place: usize, text: &str) {
        self.weights.insert(place, estimate(text) + AROUND_MESSAGE);
    }

    /// The first so many messages are not in the context any more.
    fn drop_first(&mut self, messages: usize) {
        self.weights.drain(..messages);
        if let Some(folding) = &mut self.folding {
            folding.messages = folding.messages.saturating_sub(messages);
        }
    }
}

impl Turn {
    /// A message enters the context.
    pub(crate) fn keep(&mut self, who: Speaker, text: String) {
        self.history.push(&text);
        self.context.messages.push(Message { who, text });
        if self.context.messages.len() > self.config.context_messages {
            self.forget_first(1);
        }
        self.keep_within_budget();
        if who == Speaker::Bot {
            self.fold();
        }
    }

    /// Words that were said before others which are in the context already. Says where they are now.
    pub(crate) fn keep_at(&mut self, place: usize, who: Speaker, text: String) -> usize {
        let folding = self.history.folding.as_ref().map_or(0, |folding| folding.messages);
        let place = place.clamp(folding, self.context.messages.len().max(folding));
        self.history.insert(place, &text);
        self.context.messages.insert(place, Message { who, text });
        place
    }

    /// Tokens of the context, as far as can be told without the model's tokenizer.
    pub fn context_tokens(&self) -> u32 {
        self.history.tokens(&self.context.summary, self.context.messages.len())
    }

    /// A service has told how many tokens it read where so many were estimated.
    pub(crate) fn calibrate(&mut self, tokens: u32, estimated: u32) {
        let found = tokens as f32 / estimated.max(1) as f32;
        if estimated < FEWEST_TO_COMPARE || !LIKELY_SCALE.contains(&found) {
            return;
        }
        let scale = self.history.scale.map_or(found, |scale| scale + (found - scale) * LEARNING);
        self.history.scale = Some(scale);
        self.keep_within_budget();
    }

    /// A tool said something, which stays with the words that it was called for.
    pub(crate) fn tool_said(&mut self, tokens: u32) {
        self.history.tools = self.history.tools.saturating_add(tokens);
    }

    /// The summary of the oldest turns is there, or will not come.
    pub(crate) fn summarised(&mut self, summary: SummaryId, text: Option<String>) {
        let Some(folding) = self.history.folding.take_if(|folding| folding.id == summary) else { return };
        let Some(text) = text.map(|text| self.shortened(text.trim())).filter(|text| !text.is_empty()) else {
            self.history.rest = REPLIES_TO_REST;
            return self.tell(Event::NotSummarised { turn: self.turn });
        };
        let messages = folding.messages;
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
    pub(crate) fn keep_within_budget(&mut self) {
        let budget = self.config.context_tokens;
        while budget > 0 && self.context_tokens() > budget {
            let (messages, first) = (self.context.messages.len(), first_turn(&self.context));
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
        self.unread.iter_mut().for_each(|unread| unread.forget(messages));
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
        self.history.rest = self.history.rest.saturating_sub(1);
        // What hears and speaks keeps the conversation itself, and the model that would fold it is away.
        let waits = self.history.folding.is_some() || self.history.rest > 0 || self.health.converses();
        let wanted = budget > 0 && self.config.summarise;
        if waits || !wanted || self.context_tokens() <= budget / 4 * 3 {
            return;
        }
        let messages = self.foldable(budget / 2);
        if messages == 0 {
            return;
        }
        let summary = self.history.next;
        self.history.next = summary.next();
        self.history.folding = Some(Folding { id: summary, messages });
        let context =
            Context { messages: self.context.messages[..messages].to_vec(), ..self.context.clone() };
        self.push(Command::Summarise { summary, context, within: self.config.summary_within });
    }

    /// How many of the first messages must go for the rest to have no more tokens than this: whole turns, never the last.
    fn foldable(&self, tokens: u32) -> usize {
        let messages = &self.context.messages;
        let mut left: u32 = self.history.weights.iter().sum();
        let mut foldable = 0;
        while self.history.scaled(left) > tokens {
            let turn = first_of(&messages[foldable..]);
            if foldable + turn >= messages.len() {
                break;
            }
            left -= self.history.weights[foldable..foldable + turn].iter().sum::<u32>();
            foldable += turn;
        }
        foldable
    }

    /// A summary has a quarter of the budget, so that it leaves room for what is said.
    fn shortened(&self, text: &str) -> String {
        let most = self.config.context_tokens / 4;
        let mut text = text.to_owned();
        while self.history.scaled(estimate(&text)) > most {
            let half = text.floor_char_boundary(text.len() - text.len().div_ceil(8));
            text.truncate(half);
        }
        text
    }
}

fn first_turn(context: &Context) -> usize {
    first_of(&context.messages)
}

/// Messages of the first turn: up to the next words of the caller.
fn first_of(messages: &[Message]) -> usize {
    let next = messages.iter().skip(1).position(|message| message.who == Speaker::Caller);
    next.map_or(messages.len(), |at| at + 1)
}

fn count(messages: usize) -> u32 {
    u32::try_from(messages).unwrap_or(u32::MAX)
}

/// Estimated tokens from which on an estimate can be compared with what a service says.
const FEWEST_TO_COMPARE: u32 = 64;

/// Beyond it a service counts something else, such as what it had not read before.
const LIKELY_SCALE: std::ops::RangeInclusive<f32> = 0.5..=3.0;

/// The weight of each new comparison.
const LEARNING: f32 = 0.25;

/// After a summary that failed.
const REPLIES_TO_REST: u8 = 4;

#[cfg(test)]
mod tests;
