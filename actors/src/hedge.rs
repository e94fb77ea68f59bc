//! A request to a language model that is asked a second time: what the call, its stage and its router tell each other.

use crate::cause::Winner;
use actix::prelude::*;
use ringway_stages::health::Health;
use ringway_stages::llm::{LanguageModel, LlmCall};
use ringway_turn::RequestId;
use std::sync::Arc;

/// The stage is to ask this model the same.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct AskSecond {
    pub(crate) request: RequestId,
    pub(crate) model: Arc<dyn LanguageModel>,
    pub(crate) call: LlmCall,
    pub(crate) health: Arc<Health>,
}

/// What the stage tells of it.
#[derive(Debug)]
pub(crate) enum HedgeNews {
    /// Two work on it now. `=> Over`, unless the stage dies.
    Asked { request: RequestId, second: Arc<Health> },
    /// It was answered or cancelled meanwhile.
    NotAsked,
    /// One of two goes on alone, or none does.
    Over(Over),
}

/// How it came out.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    pub(crate) winner: Winner,
    /// The other one failed, and how; otherwise it was cancelled.
    pub(crate) failed: Option<String>,
}
