//! Language models, and what serves in their place.

use crate::Expectation;
use crate::prompt::Variables;
use crate::tools::{Deeds, ToolNews};
use crate::transfer::Destination;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What a session needs to know of its call.
#[derive(Clone, Debug, Default)]
pub struct LlmCall {
    /// The dialogue that the caller's side asked for, if any.
    pub dialogue: Option<String>,
    /// What the model may call.
    pub tools: Arc<[ToolSpec]>,
    /// What is known of it, for prompts.
    pub variables: Arc<Variables>,
    /// What tools did in this call: its clones are one, so that a new session knows of what a dead one had done.
    pub deeds: Deeds,
    /// How long texts are for a model.
    pub weigh: Weigh,
}

/// How many tokens a text is for a model, roughly: whoever keeps the history says how it counts.
#[derive(Clone, Copy, Debug)]
pub struct Weigh {
    /// Tokens of a text.
    pub text: fn(&str) -> u32,
    /// Tokens around each message.
    pub around: u32,
}

impl Default for Weigh {
    /// Four bytes a token.
    fn default() -> Self {
        Self { text: |text| u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX), around: 4 }
    }
}

/// A function that a model may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSpec {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// For the model: what it does, and when to call it.
    pub description: String,
    /// Its arguments, as JSON Schema: an object.
    pub parameters: Value,
}

/// A model wants a function called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's name for this call; a service that gives none gets one of ours.
    pub id: String,
    /// The function.
    pub name: String,
    /// The arguments, as JSON; whatever the model made of it.
    pub arguments: String,
    /// What the provider wants back with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provided: Option<Box<Provided>>,
}

/// Fields of a provider's own that it wants back with a call's result, unread: thought signatures, thoughts and the like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provided {
    /// Whose, by its engine's name: no other service is told.
    pub service: String,
    /// Fields of the call.
    pub call: Map<String, Value>,
    /// Fields of the message that the call is in; the first call of a message has them.
    pub message: Map<String, Value>,
}

impl ToolCall {
    /// A call without anything of a provider's own.
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.into(), provided: None }
    }

    /// What this service gave with it.
    pub fn provided_by(&self, service: &str) -> Option<&Provided> {
        self.provided.as_deref().filter(|provided| provided.service == service)
    }
}

/// A call that was made, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// The call.
    pub call: ToolCall,
    /// What the tool said, for the model.
    pub result: String,
    /// It failed: the result says how.
    pub failed: bool,
}

/// Calls that a model asked for together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// How many messages come before it: those of the history, and then the cue.
    pub after: usize,
    /// What the model said before it called; empty when that is in the history.
    pub text: String,
    /// The calls, in the model's order.
    pub calls: Vec<Called>,
}

impl Round {
    /// What this service wants back with the message that holds the calls.
    pub fn provided_by(&self, service: &str) -> Option<&Map<String, Value>> {
        let provided = self.calls.iter().filter_map(|called| called.call.provided_by(service));
        provided.map(|provided| &provided.message).find(|message| !message.is_empty())
    }
}

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The caller.
    User,
    /// The bot.
    Assistant,
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who said it.
    pub role: Role,
    /// The words that were heard.
    pub text: String,
}

/// What the caller did that wants a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cue {
    /// Came on the line.
    Joined,
    /// Said this.
    Said(String),
    /// Pressed these keys.
    Pressed(String),
    /// Said nothing for the n-th time in a row, from 1.
    Silent(u8),
}

/// What is wanted of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// A reply to what the caller did.
    #[default]
    Reply,
    /// The history in short, and what was said before it: nothing that the caller hears.
    Summary,
}

/// A reply that is wanted.
#[derive(Clone, Debug)]
pub struct LlmRequest {
    /// What for.
    pub task: Task,
    /// Its number; a new request replaces the running one.
    pub id: u32,
    /// What the caller did.
    pub cue: Cue,
    /// What was said before the history, in short; empty as long as the history is all.
    pub summary: String,
    /// What was said before, oldest first; the cue is not in it.
    pub history: Vec<Said>,
    /// What this engine returned with its last accepted reply; empty at first.
    pub memo: String,
    /// The beginning of this reply, made by an engine that died: go on behind it.
    pub already: String,
    /// What tools have said, oldest first; those behind the cue are of this reply.
    pub rounds: Vec<Round>,
    /// The language that is spoken, as people call it; empty: the one that prompts are written in.
    pub language: String,
}

impl LlmRequest {
    /// A request in a conversation that begins.
    pub const fn new(id: u32, cue: Cue) -> Self {
        Self {
            task: Task::Reply,
            id,
            cue,
            summary: String::new(),
            history: Vec::new(),
            memo: String::new(),
            already: String::new(),
            rounds: Vec::new(),
            language: String::new(),
        }
    }

    /// A wish for a summary of what was said, the earlier summary included.
    pub fn summary(summary: String, history: Vec<Said>, memo: String) -> Self {
        let nothing = Self::new(0, Cue::Said(String::new()));
        Self { task: Task::Summary, summary, history, memo, ..nothing }
    }
}

/// What follows the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The caller's turn.
    Listen(Expectation),
    /// Hang up.
    HangUp,
    /// Transfer there.
    Transfer(Destination),
}

/// What a language model says.
#[derive(Clone, Debug, PartialEq)]
pub enum LlmEvent {
    /// More text of the reply, as it stands: words separated by its own blanks.
    Text {
        /// The request.
        id: u32,
        /// The text.
        text: String,
    },
    /// The model wants a function called. All calls of a round come before its `Done`; it goes on when it is asked
    /// again, with their results among the request's rounds.
    Call {
        /// The request.
        id: u32,
        /// The call.
        call: ToolCall,
    },
    /// A tool began or ended; only of sessions that run tools themselves.
    Tool {
        /// The request.
        id: u32,
        /// Which, and how.
        news: ToolNews,
    },
    /// What of the call is known now, by name; of a dialogue, as far as it changed. In force once the reply is accepted.
    Slots {
        /// The request.
        id: u32,
        /// Names and values.
        slots: Vec<(String, String)>,
    },
    /// The service has told how many tokens it was given; before the end of what was asked.
    Usage {
        /// The request.
        id: u32,
        /// As it counts.
        tokens: u32,
        /// As [`Weigh`] does.
        estimated: u32,
        /// What of them it remembers between requests.
        cached: CachedTokens,
    },
    /// The reply is complete.
    Done {
        /// The request.
        id: u32,
        /// What follows.
        next: Next,
        /// To be given back with the next request if this reply is accepted.
        memo: String,
    },
}

/// Tokens of a request that a service remembers between requests, where it tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CachedTokens {
    /// It remembered them.
    pub read: u32,
    /// It will remember them.
    pub written: u32,
}

/// A language model, shared by all calls.
pub trait LanguageModel: Send + Sync {
    /// Its name in configuration, metrics and logs.
    fn name(&self) -> &str;

    /// What it can work on at one time now: its threads that have an engine. 0: it cannot serve. `None`: it sets no
    /// bound that could be known beforehand, as a service on the network.
    fn slots(&self) -> Option<usize> {
        None
    }

    /// It can say in short what was said: [`Task::Summary`].
    fn summarises(&self) -> bool {
        false
    }

    /// A session for one call; called on its media core, so it must not block.
    ///
    /// # Errors
    /// The engine cannot serve the call (an unknown dialogue, say).
    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError>;
}

/// One call's language model. It keeps nothing of the conversation: all of it comes with each request.
pub trait LlmSession {
    /// Asks for a reply; it replaces an unfinished one.
    ///
    /// # Errors
    /// The session is broken.
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError>;

    /// The running request's reply is wanted for certain: the caller's turn is over. Until then it is a guess, and
    /// nothing may be done that cannot be undone.
    fn commit(&mut self) {}

    /// The running request is not wanted any more.
    fn cancel(&mut self);

    /// The next event; a session without work is pending.
    ///
    /// # Errors
    /// The session is broken.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>>;
}

/// Why there is nothing to be said in an answer that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptiness {
    /// It was as long as it may be before it came to words.
    Length,
    /// The service held it back.
    ContentFilter,
    /// The model does not want to answer.
    Refusal,
    /// The model thought, and said nothing.
    Thoughts,
    /// It calls a tool in writing that is not there, or in a way that is none.
    ToolCall,
    /// There was nothing, or blanks and signs.
    Blank,
}

impl Emptiness {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Length, Self::ContentFilter, Self::Refusal, Self::Thoughts, Self::ToolCall, Self::Blank];

    /// Its name in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::Refusal => "refusal",
            Self::Thoughts => "thoughts",
            Self::ToolCall => "tool_call",
            Self::Blank => "blank",
        }
    }
}

impl fmt::Display for Emptiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a language model failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// No dialogue of that name.
    #[error("no dialogue is named {name:?}; there are: {known}")]
    UnknownDialogue {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The memo is not one that this dialogue wrote.
    #[error("the memo does not fit dialogue {dialogue:?}: {reason}")]
    Memo {
        /// The session's dialogue.
        dialogue: String,
        /// What does not fit.
        reason: String,
    },
    /// The engine failed.
    #[error("{engine}: {reason}")]
    Engine {
        /// Which.
        engine: String,
        /// What it said.
        reason: String,
    },
    /// It answered without words and without a call.
    #[error("{engine}: an answer without words or calls: {reason}")]
    Empty {
        /// Which.
        engine: &'static str,
        /// Why.
        reason: Emptiness,
    },
    /// A service failed.
    #[error("{engine}: {source}")]
    Service {
        /// Which.
        engine: &'static str,
        /// When and how.
        source: crate::services::ServiceError,
    },
}
