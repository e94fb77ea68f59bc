//! The kinds of legs.

/// Where a call's audio enters and leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// `/voice-ws`.
    Browser,
    /// `/media/twilio`.
    Twilio,
}

impl EdgeKind {
    /// Its name in metrics, logs and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Twilio => "twilio",
        }
    }
}
