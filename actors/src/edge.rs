//! The seam between a call and its edge: audio on rings, everything else in these messages.

use crate::call::{Call, Finish, InjectInto};
use crate::clock::CallClock;
use crate::core::OpenLine;
use crate::event::{CallEventKind, EdgeKind};
use crate::inbox::Inbox;
use crate::metronome::Beat;
use crate::mic::Mic;
use crate::playout::{Played, Playout};
use crate::stage::Fault;
use actix::prelude::*;
use ringway_frame::{CallId, Epoch};
use ringway_turn::{EndReason, StageKind};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What an edge tells its call.
#[derive(Clone, Debug)]
pub enum EdgeInput {
    /// Media flows both ways.
    Started,
    /// The first frame of this epoch was sent.
    Sounding(Epoch),
    /// So much has been heard.
    Played(Played),
    /// A key was pressed.
    Dtmf(char),
    /// The bot is to be quiet.
    Interrupt,
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
}

/// What a call tells its edge.
#[derive(Clone, Debug)]
pub enum EdgeCommand {
    /// To the playout; decided at this instant.
    Playout(ringway_turn::Playout, Instant),
    /// For those who look on: what the caller's side is shown.
    Tell(Box<CallEventKind>),
    /// Hand the caller to this number.
    Transfer(String),
    /// The call is over.
    End(EndReason),
}

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
    pub commands: mpsc::Receiver<EdgeCommand>,
    /// The call.
    pub call: CallHandle,
    /// Its time.
    pub clock: CallClock,
    /// To be kept until the socket is closed.
    pub open: OpenLine,
}

/// A call, seen from anywhere.
#[derive(Clone, Debug)]
pub struct CallHandle {
    /// Its id.
    pub id: CallId,
    /// Its edge.
    pub edge: EdgeKind,
    pub(crate) call: Addr<Call>,
    pub(crate) router: Inbox,
}

/// The call takes no more messages: it is over, or hopelessly behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call is over")]
pub struct CallOver;

impl CallHandle {
    /// Tells the call what its edge saw.
    ///
    /// # Errors
    /// The call is over.
    pub fn tell(&self, input: EdgeInput) -> Result<(), CallOver> {
        if self.router.tell(input) { Ok(()) } else { Err(CallOver) }
    }

    /// Ends the call.
    ///
    /// # Errors
    /// It is over already.
    pub fn hang_up(&self, reason: EndReason) -> Result<(), CallOver> {
        self.call.try_send(Finish(reason)).map_err(|_| CallOver)
    }

    /// Puts a fault into one of its stages.
    ///
    /// # Errors
    /// The call is over.
    pub fn inject(&self, stage: StageKind, fault: Fault) -> Result<(), CallOver> {
        self.call.try_send(InjectInto { stage, fault }).map_err(|_| CallOver)
    }
}
