use crate::RequestId;
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};

/// When the first word of a request usually has come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Usual {
    pub(crate) request: RequestId,
    pub(crate) by: MediaTime,
}
