//! Language models, and what serves in their place.

mod request;
mod tool_call;
mod weigh;

pub use request::{Cue, LlmRequest, Role, Said, Task};
pub use tool_call::{Called, Provided, Round, ToolCall, ToolSpec};
pub use weigh::Weigh;

use crate::Expectation;
use crate::prompt::Variables;
use crate::tool_use::{ToolEffects, ToolNews};
use crate::transfer::Destination;
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
    pub effects: ToolEffects,
    /// How long texts are for a model.
    pub weigh: Weigh,
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
