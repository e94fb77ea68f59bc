use super::{Reach, ToolError};
use ringway_stages::tool_use::{Language, Slots};
use ringway_stages::transfer::Destination;
use serde_json::{Map, Value};
use std::future::Future;
use std::pin::Pin;

/// The arguments of a call, checked against the tool's schema.
pub type Arguments = Map<String, Value>;

/// A function that does something for a model.
pub trait Tool: Send + Sync + std::fmt::Debug {
    /// How far what it does reaches. Unless it is known, it does something elsewhere.
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
