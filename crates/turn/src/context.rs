use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The person on the line.
    Caller,
    /// ringway.
    Bot,
}

/// One thing that was said; of the bot's words only those that were heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who said it.
    pub who: Speaker,
    /// Which of several people on the call, where it is not the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Arc<str>>,
    /// The words.
    pub text: String,
}

/// What a language engine wants to find again at its next reply (a dialogue's state, say): opaque to everybody else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memo(pub String);

/// All that a language model needs to go on; it lives outside the model, so that a new one can take over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// What was said before these messages, in short; empty as long as they are all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The language that the model is to speak, as people call it; empty where a call has only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// Who said what is to be answered, where it is not the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Arc<str>>,
    /// What was said, oldest first.
    pub messages: Vec<Message>,
    /// The engine's own state after the last accepted reply.
    pub memo: Memo,
}
