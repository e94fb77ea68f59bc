//! A leg that is to join a call.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A leg that is to join a call in progress, beside the caller's.
pub struct LegSpec {
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
            .field("label", &self.label)
            .field("listened", &self.listened)
            .finish_non_exhaustive()
    }
}
