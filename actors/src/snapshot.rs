//! What is kept of a call, so that it can go on in another process.

use ringway_stages::tool_use::{KeptEffects, ToolEffects};
use ringway_turn::{Config, SnapshotError, Turn};
use serde::{Deserialize, Serialize};

/// A call's conversation and what its tools did. Audio is not in it: what nobody has heard is made again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallSnapshot {
    /// The conversation, of a version of its own.
    pub conversation: ringway_turn::Snapshot,
    /// What tools did.
    pub effects: KeptEffects,
}

/// The conversation that a call begins with.
#[derive(Debug)]
pub struct Conversation {
    pub(crate) turn: Turn,
    pub(crate) effects: ToolEffects,
    /// It was begun by another call.
    pub(crate) taken_over: bool,
}

impl Conversation {
    /// A new one.
    pub fn new(config: Config) -> Self {
        Self { turn: Turn::new(config), effects: ToolEffects::default(), taken_over: false }
    }

    /// The one of a call that was kept, which goes on when its caller is there again.
    ///
    /// # Errors
    /// The snapshot is of another version, or damaged.
    pub fn take_over(config: Config, kept: CallSnapshot) -> Result<Self, SnapshotError> {
        let turn = Turn::take_over(config, kept.conversation)?;
        Ok(Self { turn, effects: ToolEffects::of(kept.effects), taken_over: true })
    }
}
