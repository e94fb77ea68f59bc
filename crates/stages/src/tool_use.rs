//! What the stages know of tools: what their sessions tell of them, and what a call remembers of what they did. Crate
//! `ringway-tools` calls them.

mod anchor;
mod deeds;
mod language;
mod news;
mod slots;

pub use deeds::{Begun, Deed, Deeds, MOST_DEEDS, Place, ToolResult, rounds};
pub use language::Language;
pub use news::{Filler, Outcome, SHOWN, ToolNews};
pub use slots::Slots;
