use crate::tokens::{AROUND_MESSAGE, estimate};
use crate::{Message, Speaker, SummaryId};
use serde::{Deserialize, Serialize};

/// What is known of the context beside its words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct History {
    /// Estimated tokens of each message, with what tools said for it.
    pub(crate) weights: Vec<u32>,
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
#[derive(Debug, Serialize, Deserialize)]
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

    pub(crate) fn tokens(&self, summary: &str, messages: usize) -> u32 {
        let summary = if summary.is_empty() { 0 } else { estimate(summary) + AROUND_MESSAGE };
        self.scaled(self.weights[..messages].iter().sum::<u32>() + summary)
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.weights.push(estimate(text) + AROUND_MESSAGE + std::mem::take(&mut self.tools));
    }

    /// A message that was said earlier comes late: it is not part of a summary in the making.
    pub(crate) fn insert(&mut self, place: usize, text: &str) {
        self.weights.insert(place, estimate(text) + AROUND_MESSAGE);
    }

    /// A message is not in the context any more.
    pub(crate) fn remove(&mut self, place: usize) {
        self.weights.remove(place);
        if let Some(folding) = self.folding.as_mut().filter(|folding| place < folding.messages) {
            folding.messages -= 1;
        }
    }

    /// A message is shorter than it was.
    pub(crate) fn shorten(&mut self, place: usize, was: &str, is: &str) {
        self.weights[place] = (self.weights[place] + estimate(is)).saturating_sub(estimate(was));
    }

    /// The first so many messages are not in the context any more.
    pub(crate) fn drop_first(&mut self, messages: usize) {
        self.weights.drain(..messages);
        if let Some(folding) = &mut self.folding {
            folding.messages = folding.messages.saturating_sub(messages);
        }
    }

    /// The first messages that a summary in the making takes the place of.
    pub(crate) fn folding(&self) -> usize {
        self.folding.as_ref().map_or(0, |folding| folding.messages)
    }

    /// A tool said something, which stays with the words that it was called for.
    pub(crate) fn tool_said(&mut self, tokens: u32) {
        self.tools = self.tools.saturating_add(tokens);
    }

    /// A service has told how many tokens it read where so many were estimated; says whether that can be compared.
    pub(crate) fn calibrate(&mut self, tokens: u32, estimated: u32) -> bool {
        let found = tokens as f32 / estimated.max(1) as f32;
        let comparable = estimated >= FEWEST_TO_COMPARE && LIKELY_SCALE.contains(&found);
        if comparable {
            self.scale = Some(self.scale.map_or(found, |scale| scale + (found - scale) * LEARNING));
        }
        comparable
    }

    /// The summary of so many messages has come, or will not; `None` when it is not the one that is waited for.
    pub(crate) fn summarised(&mut self, summary: SummaryId) -> Option<usize> {
        self.folding.take_if(|folding| folding.id == summary).map(|folding| folding.messages)
    }

    /// Whoever made it is gone.
    pub(crate) fn lose_summary(&mut self) {
        self.folding = None;
    }

    /// It knows of as many messages as there are.
    pub(crate) fn fits(&self, messages: &[Message]) -> bool {
        self.weights.len() == messages.len() && self.folding() <= messages.len()
    }

    /// None came: for some replies none is wanted.
    pub(crate) fn rest(&mut self) {
        self.rest = REPLIES_TO_REST;
    }

    /// The bot has replied: whether a summary may be wanted now, one at a time.
    pub(crate) fn replied(&mut self) -> bool {
        self.rest = self.rest.saturating_sub(1);
        self.folding.is_none() && self.rest == 0
    }

    /// A summary of the first messages is wanted.
    pub(crate) fn fold(&mut self, messages: usize) -> SummaryId {
        let id = self.next;
        self.next = id.next();
        self.folding = Some(Folding { id, messages });
        id
    }

    /// How many of the first messages must go for the rest to have no more tokens than this: whole turns, never the last.
    pub(crate) fn foldable(&self, messages: &[Message], tokens: u32) -> usize {
        let mut left: u32 = self.weights.iter().sum();
        let mut foldable = 0;
        while self.scaled(left) > tokens {
            let turn = first_turn(&messages[foldable..]);
            if foldable + turn >= messages.len() {
                break;
            }
            left -= self.weights[foldable..foldable + turn].iter().sum::<u32>();
            foldable += turn;
        }
        foldable
    }

    /// The text, cut to this many tokens.
    pub(crate) fn shortened(&self, text: &str, most: u32) -> String {
        let mut text = text.to_owned();
        while self.scaled(estimate(&text)) > most {
            let half = text.floor_char_boundary(text.len() - text.len().div_ceil(8));
            text.truncate(half);
        }
        text
    }
}

/// Messages of the first turn: up to the next words of the caller.
pub(crate) fn first_turn(messages: &[Message]) -> usize {
    let next = messages.iter().skip(1).position(|message| message.who == Speaker::Caller);
    next.map_or(messages.len(), |at| at + 1)
}

/// Estimated tokens from which on an estimate can be compared with what a service says.
const FEWEST_TO_COMPARE: u32 = 64;

/// Beyond it a service counts something else, such as what it had not read before.
const LIKELY_SCALE: std::ops::RangeInclusive<f32> = 0.5..=3.0;

/// The weight of each new comparison.
const LEARNING: f32 = 0.25;

/// After a summary that failed.
const REPLIES_TO_REST: u8 = 4;
