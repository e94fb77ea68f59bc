use crate::RequestId;
use ringway_frame::MediaTime;

/// When the first word of a request usually has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usual {
    pub(crate) request: RequestId,
    pub(crate) by: MediaTime,
}
