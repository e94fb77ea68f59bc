//! What stands between a model's text and the voice: thoughts, calls of tools in writing, and the tokens of chat templates
//! are no words for a caller.
//!
//! Nothing depends on how the text is cut into pieces: what may become a mark is held back until it is one or none.

mod habit;
mod json;
mod marker;
mod written;

pub(in crate::services) use habit::Habit;

use super::Saying;
use crate::llm::{ToolCall, ToolSpec};
use habit::Doubt;
use json::Span;
use marker::{BEGINNINGS, Found, Mark};
use std::collections::VecDeque;
use std::sync::Arc;
use written::{Tools, Written};

/// One reply on its way.
#[derive(Debug)]
pub(in crate::services) struct Filter {
    tools: Tools,
    habit: Arc<Habit>,
    mode: Mode,
    /// What is not decided yet.
    held: String,
    /// Words that may turn out to be thoughts, or are none yet.
    kept: String,
    doubt: Doubt,
    /// Something was taken out of the text just now.
    gap: bool,
    /// The last character that was decided on is part of a name.
    in_name: bool,
    out: VecDeque<Saying>,
    /// There was no room for more of the reply.
    cut: bool,
    calls: usize,
    said: bool,
    thought: bool,
    dropped_call: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    /// For the caller.
    Speech,
    /// Not for the caller; `until` a mark of thoughts' end, or that of a channel.
    Thought { channel: bool },
    /// A call in the making; it ends with a mark that fits this one.
    Call { mark: String, body: String },
    /// A call in a block of code.
    Fence { body: String },
    /// What a tool is said to have answered.
    Result { mark: String },
    /// Who speaks.
    Speaker,
    /// What kind of message it is.
    Channel { header: String },
    /// The reply is over, or somebody else speaks.
    Muted,
}

impl Filter {
    /// Of a reply in which these tools may be called.
    pub(in crate::services) fn new(tools: Arc<[ToolSpec]>, habit: Arc<Habit>) -> Self {
        Self {
            tools: Tools(tools),
            doubt: habit.doubt(),
            habit,
            mode: Mode::Speech,
            held: String::new(),
            kept: String::new(),
            gap: false,
            in_name: false,
            out: VecDeque::new(),
            cut: false,
            calls: 0,
            said: false,
            thought: false,
            dropped_call: false,
        }
    }

    /// More of the model's text.
    pub(in crate::services) fn push(&mut self, text: &str) {
        self.held += text;
        while self.step(false) {}
    }

    /// A call that is none in writing.
    pub(in crate::services) fn call(&mut self, call: ToolCall) {
        let name = self.tools.named(&call.name).map_or_else(|| call.name.clone(), str::to_owned);
        let id = if call.id.is_empty() { format!("call_{}", self.calls) } else { call.id };
        self.calls += 1;
        self.out.push_back(Saying::Call(ToolCall { id, name, ..call }));
    }

    /// The text is over; `cut`: there was no room for more of it.
    pub(in crate::services) fn finish(&mut self, cut: bool) {
        self.cut = cut;
        while self.step(true) {}
        match std::mem::replace(&mut self.mode, Mode::Muted) {
            Mode::Call { body, .. } | Mode::Fence { body } => self.written(&body, cut),
            _ => {}
        }
        let doubt = self.doubt;
        self.trust();
        if self.said && !self.thought {
            self.habit.spoke(doubt);
        }
    }

    /// What comes next.
    pub(in crate::services) fn next(&mut self) -> Option<Saying> {
        self.out.pop_front()
    }

    /// Words are kept that nothing but time can tell from thoughts.
    pub(in crate::services) fn is_in_doubt(&self) -> bool {
        self.doubt == Doubt::Moment && has_words(&self.kept)
    }

    /// What was kept is no thought.
    pub(in crate::services) fn trust(&mut self) {
        self.doubt = Doubt::No;
        self.release();
    }

    pub(in crate::services) const fn has_said(&self) -> bool {
        self.said
    }

    pub(in crate::services) const fn has_called(&self) -> bool {
        self.calls > 0
    }

    /// Some of the text was thought.
    pub(in crate::services) const fn has_thought(&self) -> bool {
        self.thought
    }

    /// A call in writing was none that can be made.
    pub(in crate::services) const fn has_dropped_call(&self) -> bool {
        self.dropped_call
    }

    /// Decides on the beginning of what is held. `false`: more must come.
    fn step(&mut self, last: bool) -> bool {
        if self.held.is_empty() {
            return false;
        }
        match self.mode {
            Mode::Muted => {
                self.held.clear();
                false
            }
            Mode::Speaker => self.step_speaker(last),
            Mode::Channel { .. } => self.step_channel(last),
            Mode::Fence { .. } => self.step_fence(last),
            Mode::Speech | Mode::Thought { .. } | Mode::Call { .. } | Mode::Result { .. } => {
                self.step_text(last)
            }
        }
    }

    fn step_text(&mut self, last: bool) -> bool {
        let plain = self.plain();
        if plain > 0 {
            self.pass(plain);
            return true;
        }
        match marker::at(&self.held, &self.tools) {
            Found::Wait if !last => false,
            Found::Mark(length, mark) => {
                let text: String = self.held.drain(..length).collect();
                self.in_name = false;
                self.mark(mark, &text);
                true
            }
            Found::Value if self.mode == Mode::Speech => self.step_value(last),
            Found::Fence(length) if self.mode == Mode::Speech => {
                self.held.drain(..length);
                self.mode = Mode::Fence { body: String::new() };
                true
            }
            // What is cut in the middle of a token is no word either.
            Found::Wait if self.held.starts_with("<|") || self.held.starts_with("<｜") => {
                self.held.clear();
                false
            }
            Found::Nothing | Found::Wait | Found::Value | Found::Fence(_) => {
                let name = self.held.find(|char| !marker::is_of_name(char)).unwrap_or(self.held.len());
                let first = self.held.chars().next().map_or(0, char::len_utf8).max(name);
                self.pass(first);
                true
            }
        }
    }

    /// Bytes of what is held in which no mark begins.
    fn plain(&self) -> usize {
        let mark = self.held.find(BEGINNINGS).unwrap_or(self.held.len());
        if self.mode != Mode::Speech {
            return mark;
        }
        marker::call_in(&self.held[..mark], &self.held, self.in_name, &self.tools).unwrap_or(mark)
    }

    /// Plain text of so many bytes goes where the mode has it go.
    fn pass(&mut self, length: usize) {
        let text: String = self.held.drain(..length).collect();
        self.in_name = text.chars().next_back().is_some_and(marker::is_of_name);
        match &mut self.mode {
            Mode::Call { body, .. } | Mode::Fence { body } => add(body, &text),
            Mode::Speech => self.say(&text),
            _ => {}
        }
    }

    fn mark(&mut self, mark: Mark, text: &str) {
        match (&mut self.mode, mark) {
            (Mode::Call { mark: open, .. }, mark) if ends(open, &mark) => self.end_call(&mark),
            (Mode::Call { body, .. }, _) => add(body, text),
            (Mode::Result { mark: open }, mark) if ends(open, &mark) => self.mode = Mode::Speech,
            (Mode::Thought { channel: true }, Mark::Channel | Mark::PartEnd | Mark::Speaker)
            | (_, Mark::Channel) => {
                self.mode = Mode::Channel { header: String::new() };
            }
            (Mode::Thought { .. }, Mark::Thought) => self.mode = Mode::Speech,
            (Mode::Thought { .. } | Mode::Result { .. }, _) => {}
            (_, mark) => self.mark_in_speech(mark, text),
        }
    }

    fn mark_in_speech(&mut self, mark: Mark, text: &str) {
        match mark {
            Mark::Think => self.think(false),
            Mark::Thought => self.was_thought(),
            Mark::Call(mark) => {
                self.gap = true;
                // It may name the tool.
                self.mode = Mode::Call { mark, body: text.to_owned() };
            }
            Mark::Result(mark) => self.mode = Mode::Result { mark },
            Mark::Speaker => self.mode = Mode::Speaker,
            Mark::End | Mark::Other if self.said || has_words(&self.kept) || self.calls > 0 => {
                self.mode = Mode::Muted;
            }
            _ => {}
        }
    }

    fn think(&mut self, channel: bool) {
        self.thought = true;
        self.gap = true;
        // It marks where its thoughts begin, so that there is nothing to guess.
        self.doubt = Doubt::No;
        self.mode = Mode::Thought { channel };
    }

    /// Thoughts end that were not seen to begin: all that was kept was thought.
    fn was_thought(&mut self) {
        self.thought = true;
        self.gap = true;
        self.habit.thinks();
        self.doubt = Doubt::No;
        self.kept.clear();
    }

    fn end_call(&mut self, mark: &Mark) {
        let mode = std::mem::replace(&mut self.mode, Mode::Speech);
        if let Mode::Call { body, .. } = mode {
            self.written(&body, false);
        }
        if *mark == Mark::End {
            self.mark_in_speech(Mark::End, "");
        }
    }

    /// What a call in writing comes to.
    fn written(&mut self, body: &str, cut: bool) {
        let calls = self.tools.find(body, cut);
        self.dropped_call |= calls.is_empty();
        self.gap = true;
        calls.into_iter().for_each(|call| self.call(call));
    }

    fn step_value(&mut self, last: bool) -> bool {
        self.in_name = false;
        let length = match marker::span(&self.held) {
            Span::Whole(length) => length,
            Span::Open(_) if last => {
                let body = std::mem::take(&mut self.held);
                self.written(&body, self.cut);
                return false;
            }
            Span::Open(_) if self.held.len() > LONGEST_CALL => self.held.len(),
            Span::Open(_) => return false,
        };
        let text: String = self.held.drain(..length).collect();
        let written = json::read(&text).map_or(Written::Other, |value| self.tools.read(&value));
        match written {
            Written::Other if !text.starts_with('{') && !self.tools.find(&text, false).is_empty() => {
                self.written(&text, false);
            }
            Written::Other => self.say(&text),
            Written::Calls(_) | Written::Unknown => self.written(&text, false),
        }
        true
    }

    fn step_fence(&mut self, last: bool) -> bool {
        const FENCE: &str = "```";
        let end = self.held.find(FENCE);
        let ticks = self.held.len() - self.held.trim_end_matches('`').len();
        let inside = end.unwrap_or(self.held.len() - if last { 0 } else { ticks });
        self.pass(inside);
        if end.is_none() {
            return false;
        }
        self.held.drain(..FENCE.len());
        if let Mode::Fence { body } = std::mem::replace(&mut self.mode, Mode::Speech) {
            self.written(&body, false);
        }
        true
    }

    /// `assistant` and the end of its line; whoever else speaks is not listened to.
    fn step_speaker(&mut self, last: bool) -> bool {
        let Some(end) =
            self.held.find(|char: char| !char.is_ascii_alphabetic()).or(last.then_some(self.held.len()))
        else {
            return false;
        };
        let speaker: String = self.held.drain(..end).collect();
        let is_model = speaker.is_empty() || OURS.contains(&speaker.to_ascii_lowercase().as_str());
        self.mode = if is_model && !self.said { Mode::Speech } else { Mode::Muted };
        self.gap = true;
        true
    }

    /// `analysis`, `final`, or `commentary to=functions.find`, until the message begins.
    fn step_channel(&mut self, last: bool) -> bool {
        let plain = self.held.find('<').unwrap_or(self.held.len());
        let found = marker::at(&self.held[plain..], &self.tools);
        let Mode::Channel { header } = &mut self.mode else { return false };
        if plain > 0 {
            header.extend(self.held.drain(..plain));
            if header.len() > LONGEST_HEADER {
                self.mode = Mode::Muted;
            }
            return true;
        }
        match found {
            Found::Wait if !last => return false,
            Found::Mark(length, mark) => {
                self.held.drain(..length);
                if mark == Mark::Message {
                    let header = std::mem::take(header);
                    self.message(header);
                }
            }
            _ => drop(self.held.remove(0)),
        }
        true
    }

    fn message(&mut self, header: String) {
        self.mode = Mode::Speech;
        self.gap = true;
        if header.trim_start().starts_with("user") {
            self.mode = Mode::Muted;
        } else if header.contains("to=") {
            self.mode = Mode::Call { mark: "message".into(), body: header + " " };
        } else if header.contains("analysis") {
            self.think(true);
        }
    }

    /// Words for the caller.
    fn say(&mut self, text: &str) {
        let between = |char: char| char.is_whitespace() || char == ';';
        let text = if self.gap { text.trim_start_matches(between) } else { text };
        if text.is_empty() {
            return;
        }
        // What stood between two words was taken out, blanks included.
        if std::mem::take(&mut self.gap) && (self.said || has_words(&self.kept)) {
            self.kept.push(' ');
        }
        self.kept += text;
        if self.kept.len() > LONGEST_KEPT {
            self.thought = true;
            self.kept.clear();
        }
        if self.doubt == Doubt::No {
            self.release();
        }
    }

    /// Tells what is kept, once there are words in the reply.
    fn release(&mut self) {
        if self.said || has_words(&self.kept) {
            self.said = true;
            let text = std::mem::take(&mut self.kept);
            if !text.is_empty() {
                self.out.push_back(Saying::Text(text));
            }
        }
    }
}

fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// What is too long for a call is none: its end is waited for all the same.
fn add(body: &mut String, text: &str) {
    if body.len() + text.len() <= LONGEST_CALL {
        body.push_str(text);
    }
}

/// Whether a mark ends what this one began.
fn ends(open: &str, mark: &Mark) -> bool {
    match mark {
        Mark::End => true,
        Mark::PartEnd => open == "message" || open == "tool_call",
        Mark::Called(name) => {
            let closed = [open.replace("begin", "end"), open.replace("start", "end")];
            closed.contains(name)
                || name == open
                || name.strip_prefix('/') == Some(open)
                || name.strip_suffix("_end") == Some(open)
        }
        _ => false,
    }
}

/// Bytes of a call in writing.
const LONGEST_CALL: usize = 16 * 1_024;

/// Bytes of text that are kept in doubt: what is longer is thought.
const LONGEST_KEPT: usize = 16 * 1_024;

/// Bytes of what says what a message is.
const LONGEST_HEADER: usize = 200;

/// What templates call the model.
const OURS: [&str; 3] = ["assistant", "model", "bot"];

#[cfg(test)]
mod tests;
