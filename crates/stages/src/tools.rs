//! Functions that a language model may call, and the [`Toolbox`] that calls them.
//!
//! A toolbox stands around any [`LanguageModel`](crate::llm::LanguageModel): it tells the model what there is, makes the
//! calls, and asks again with what came of them, so that a call sees nothing but text and what follows it. A
//! [`SpeechToolbox`] does the same for what hears and speaks by itself. Tools run on
//! the runtime on which the toolbox was made, never on a media core, and only for a reply that is wanted for certain.
//! What they said stays in the conversation: it travels in the memo of the reply, and in [`Deeds`] as long as no memo
//! holds it. `docs/start/tools.md` tells how to declare one.

mod anchor;
mod built_in;
mod canonical;
mod config;
mod declared;
mod deeds;
mod dispatch;
mod error;
mod http;
mod knowledge;
mod language;
mod mcp;
mod memo;
mod news;
mod running;
mod session;
mod signature;
mod speech;
mod template;
mod toolbox;
mod toolset;
mod transfer;
mod whole;

pub use config::{Mistake, ToolsFile};
pub use declared::{BargeIn, Manner};
pub use deeds::Deeds;
pub use error::ToolError;
pub use knowledge::{Finding, Knowledge, KnowledgeError, Passage};
pub use language::Language;
pub use news::{Filler, Outcome, SHOWN, ToolNews};
pub use speech::SpeechToolbox;
pub use toolbox::{Config, Toolbox};
pub use toolset::{Tools, ToolsError};

use crate::transfer::Destination;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

/// What a call made of itself, by name: set by the model, and used in addresses.
pub type Slots = BTreeMap<String, String>;

/// The arguments of a call, checked against the tool's schema.
pub type Arguments = Map<String, Value>;

/// How far the doings of a tool reach, and with it what it means to call it twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It does something elsewhere: what was sent is not sent again for the same turn.
    #[default]
    Acts,
    /// It only asks elsewhere: it may ask again when the answer did not come.
    Asks,
    /// It does something to this call, where the last of two counts.
    Call,
}

/// A function that does something for a model.
pub trait Tool: Send + Sync + std::fmt::Debug {
    /// How far its doings reach. Unless it is known, it does something elsewhere.
    fn reach(&self) -> Reach {
        Reach::Acts
    }

    /// Does it. Dropped before its end, it is cancelled.
    fn call(&self, arguments: Arguments, slots: Slots) -> Calling;
}

/// A call under way.
pub type Calling = Pin<Box<dyn Future<Output = Result<Answer, ToolError>> + Send>>;

/// What a tool says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// For the model.
    pub text: String,
    /// For the call.
    pub effect: Option<Effect>,
}

/// What a tool does to the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is over, once the reply was heard.
    HangUp,
    /// It is transferred there, once the reply was heard.
    Transfer(Destination),
    /// A slot has this value from now on.
    Slot(String, String),
    /// These keys are pressed, behind what was said before.
    Keys(String),
    /// Its answer holds these passages of the knowledge base.
    Cited(Vec<String>),
    /// It goes on in this language.
    Language(Language),
}

impl Answer {
    /// Words for the model.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), effect: None }
    }
}
