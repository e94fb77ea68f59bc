//! What an edge tells its call.

use crate::leg::playout::Played;
use crate::leg::state::LegState;
use ringway_frame::Epoch;
use ringway_turn::{EndReason, TurnNumber};
use std::time::Duration;
use tokio::time::Instant;

/// What an edge tells its call.
#[derive(Clone, Debug)]
pub enum EdgeInput {
    /// Media flows both ways, for the first time.
    Started,
    /// The network is gone, and the call waits for it; or the leg is on hold.
    Detached(LegState),
    /// Media flows both ways again.
    Attached,
    /// The peer's telephone rings, or its network plays audio.
    Progress(LegState),
    /// The first frame of this epoch was sent.
    Sounding(Epoch),
    /// So much has been heard.
    Played(Played),
    /// A key was pressed.
    Dtmf(char),
    /// Typed in place of talking.
    Text(String),
    /// The bot is to be quiet.
    Interrupt,
    /// No more than this of the turn's answer was heard, nor will be.
    Truncate(TurnNumber, Duration),
    /// The caller muted or unmuted.
    Mute(bool),
    /// The order to be silent, decided at this instant, is obeyed: nothing more of the bot goes to the socket.
    Silent(Instant),
    /// The order to void the bot's audio, decided at this instant, has been written to the peer's socket.
    Cleared(Instant),
    /// The peer broke the protocol, by this stable code; the call goes on.
    ProtocolError(&'static str),
    /// The peer is gone, or must go.
    Closed(EndReason),
    /// A leg beside the caller's is in this state.
    Beside(u32, LegState),
}

impl EdgeInput {
    /// The same from a leg beside the caller's: what the conversation does not need of it is nothing, and its end is the
    /// call's supervisor's to see.
    pub(crate) fn beside(self, leg: u32) -> Option<Self> {
        match self {
            Self::Started | Self::Attached => Some(Self::Beside(leg, LegState::Up)),
            Self::Detached(state) | Self::Progress(state) => Some(Self::Beside(leg, state)),
            Self::Interrupt | Self::ProtocolError(_) => Some(self),
            _ => None,
        }
    }
}
