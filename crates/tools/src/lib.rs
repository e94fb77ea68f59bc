//! Functions that a language model may call, and the [`Toolbox`] that calls them.
//!
//! A toolbox stands around any [`LanguageModel`]: it tells the model what there is, makes the
//! calls, and asks again with what came of them, so that a call sees nothing but text and what follows it. A
//! [`SpeechToolbox`] does the same for what hears and speaks by itself. Tools run on
//! the runtime on which the toolbox was made, never on a media core, and only for a reply that is wanted for certain.
//! What they said stays in the conversation: it travels in the memo of the reply, and in [`ToolEffects`] as long as no memo
//! holds it. `docs/start/tools.md` tells how to declare one.
//!
//! [`ToolEffects`]: ringway_stages::tool_use::ToolEffects
//! [`LanguageModel`]: ringway_stages::llm::LanguageModel
#![forbid(unsafe_code)]

mod built_in;
mod canonical;
mod config;
mod declared;
mod dispatch;
mod error;
mod http;
mod knowledge;
mod mcp;
mod memo;
mod reach;
mod running;
mod session;
mod settings;
mod signature;
mod speech;
mod switch_language;
mod template;
mod tool;
mod toolbox;
mod toolset;
mod transfer;
mod whole;

pub use config::{Mistake, ToolsFile};
pub use declared::{BargeIn, Manner};
pub use error::ToolError;
pub use knowledge::{Finding, Knowledge, KnowledgeError, Passage};
pub use reach::Reach;
pub use settings::Config;
pub use speech::SpeechToolbox;
pub use tool::{Answer, Arguments, Calling, Effect, Tool};
pub use toolbox::Toolbox;
pub use toolset::{Tools, ToolsError};
