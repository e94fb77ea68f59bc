use ringway_frame::MediaTime;
use std::time::Duration;

/// Audio of the caller, of any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// Number of the message in its stream, from 1.
    pub sequence: Option<u64>,
    /// Number of the piece in its track, from 1.
    pub chunk: Option<u64>,
    /// When it was said, since the stream began.
    pub timestamp: Option<MediaTime>,
    /// Who said it.
    pub track: Track,
    /// The coded samples.
    pub payload: &'a [u8],
    /// A number that is none, by the name of its field: it counts as missing, and the audio is as good as any other.
    pub unreadable: Option<&'static str>,
}

/// Whose audio it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Track {
    /// The caller's.
    #[default]
    Inbound,
    /// What the caller is played.
    Outbound,
}

impl Track {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "inbound" => Some(Self::Inbound),
            "outbound" => Some(Self::Outbound),
            _ => None,
        }
    }
}

/// The moment `millis` milliseconds into the stream, however absurd.
pub(super) fn from_millis(millis: u64) -> MediaTime {
    Duration::from_millis(millis).into()
}
