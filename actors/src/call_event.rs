//! One event of one call, on its way to those who want to know.

use crate::event::CallEventKind;
use crate::lifecycle::Lifecycle;
use ringway_frame::{CallId, MediaTime};
use std::sync::Arc;

/// One event of one call.
#[derive(Clone, Debug)]
pub struct CallEvent {
    /// Which call.
    pub call: CallId,
    /// When.
    pub at: MediaTime,
    /// What.
    pub kind: CallEventKind,
    /// Its record: it is part of the call's lifecycle and is never dropped. Without one it is telemetry.
    pub record: Option<Arc<Lifecycle>>,
}
