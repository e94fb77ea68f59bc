//! A leg that is to join a call.

use crate::leg::kind::EdgeKind;
use ringway_frame::Format;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A leg that is to join a call in progress, beside the caller's.
pub struct LegSpec {
    /// By which edge its peer comes.
    pub edge: EdgeKind,
    /// The format of its audio, both ways; it need not be the call's.
    pub format: Format,
    /// How the language model is to call its peer.
    pub label: Arc<str>,
    /// Whether the bot hears it.
    pub listened: bool,
    /// Told the leg's number as soon as it waits for a transport; what it gives is dropped when the leg is over. A call
    /// that takes no more legs drops it untold.
    pub opened: Box<dyn FnOnce(u32) -> Box<dyn Any + Send> + Send>,
}

impl fmt::Debug for LegSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegSpec")
            .field("edge", &self.edge)
            .field("format", &self.format)
            .field("label", &self.label)
            .field("listened", &self.listened)
            .finish_non_exhaustive()
    }
}
