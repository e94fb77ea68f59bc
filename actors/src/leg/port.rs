//! The seam between a call and its edge: audio on rings, everything else in messages.

use crate::clock::CallClock;
use crate::core::load::OpenLine;
use crate::core::metronome::Beat;
use crate::handle::CallHandle;
use crate::leg::link::EdgeCommands;
use crate::leg::mic::Mic;
use crate::leg::playout::Playout;

/// Everything an edge needs of its call.
#[derive(Debug)]
pub struct EdgePort {
    /// Where the caller's audio goes.
    pub mic: Mic,
    /// Where the bot's audio comes from.
    pub playout: Playout,
    /// When to look for it.
    pub beat: Beat,
    /// What the call wants.
    pub commands: EdgeCommands,
    /// The call.
    pub call: CallHandle,
    /// Its time.
    pub clock: CallClock,
    /// To be kept until the socket is closed.
    pub open: OpenLine,
}
