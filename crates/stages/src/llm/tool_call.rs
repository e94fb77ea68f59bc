use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
