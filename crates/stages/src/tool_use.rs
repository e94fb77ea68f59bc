//! What the stages know of tools: what their sessions tell of them, and what a call remembers of what they did. Crate
//! `ringway-tools` calls them.

mod anchor;
mod effects;
mod language;
mod news;
mod slots;

pub use effects::{KeptEffects, MOST_ROUNDS, Place, StartedCall, ToolEffects, ToolResult, ToolRound, rounds};
pub use language::Language;
pub use news::{Filler, Outcome, SHOWN, ToolNews};
pub use slots::Slots;
