//! The seam between a call and its edge: audio on rings, everything else in these messages.

use crate::call::{Call, InjectInto};
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
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
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
    /// Typed in place of talking.
    Text(String),
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

/// What a call wants of its edge, in order. The end comes last and is never lost.
#[derive(Debug)]
pub struct EdgeCommands {
    commands: mpsc::Receiver<EdgeCommand>,
    end: Arc<OnceLock<EndReason>>,
}

impl EdgeCommands {
    /// The next command; `None` when the end has been told.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<EdgeCommand>> {
        match std::task::ready!(self.commands.poll_recv(cx)) {
            Some(command) => Poll::Ready(Some(command)),
            None => Poll::Ready(self.take_end().map(EdgeCommand::End)),
        }
    }

    /// Why the call ended, once; a call that ended without telling has a defect.
    fn take_end(&mut self) -> Option<EndReason> {
        let end = std::mem::take(&mut self.end);
        end.get().cloned()
    }
}

/// Where commands for one edge are put. It holds a few hundred; an edge that lets them pile up does not read its socket.
#[derive(Clone, Debug)]
pub(crate) struct EdgeLink {
    commands: mpsc::Sender<EdgeCommand>,
    end: Arc<OnceLock<EndReason>>,
}

/// The edge does not keep up with what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behind;

impl EdgeLink {
    pub(crate) fn bounded(capacity: usize) -> (Self, EdgeCommands) {
        let (sender, receiver) = mpsc::channel(capacity);
        let end = Arc::<OnceLock<EndReason>>::default();
        (Self { commands: sender, end: end.clone() }, EdgeCommands { commands: receiver, end })
    }

    /// Puts a command; one that is gone says itself why.
    pub(crate) fn put(&self, command: EdgeCommand) -> Result<(), Behind> {
        match self.commands.try_send(command) {
            Err(TrySendError::Full(_)) => Err(Behind),
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// The call is over. Where there is no room to say so, the edge finds it behind all that it was told before, when the
    /// call has let go of this end.
    pub(crate) fn end(&self, reason: EndReason) {
        if self.commands.try_send(EdgeCommand::End(reason.clone())).is_err() {
            let _ = self.end.set(reason);
        }
    }

    /// The edge is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }
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
    pub commands: EdgeCommands,
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
        let told = match input {
            EdgeInput::Closed(reason) => self.router.end(reason),
            input => self.router.tell(input),
        };
        if told { Ok(()) } else { Err(CallOver) }
    }

    /// Ends the call, as soon as all that it was told before is in its books: the last words are in the record.
    ///
    /// # Errors
    /// It is over already.
    pub fn hang_up(&self, reason: EndReason) -> Result<(), CallOver> {
        if self.router.end(reason) { Ok(()) } else { Err(CallOver) }
    }

    /// Puts a fault into one of its stages.
    ///
    /// # Errors
    /// The call is over.
    pub fn inject(&self, stage: StageKind, fault: Fault) -> Result<(), CallOver> {
        self.call.try_send(InjectInto { stage, fault }).map_err(|_| CallOver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn told(commands: &mut EdgeCommands) -> Vec<Option<EndReason>> {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut told = Vec::new();
        while let Poll::Ready(Some(command)) = commands.poll_recv(cx) {
            told.push(if let EdgeCommand::End(reason) = command { Some(reason) } else { None });
        }
        told
    }

    #[test]
    fn an_edge_that_is_behind_learns_of_the_end_behind_all_that_it_was_told() {
        for room in [3, 2] {
            let (link, mut commands) = EdgeLink::bounded(room);
            for _ in 0..2 {
                assert_eq!(link.put(EdgeCommand::Transfer(String::new())), Ok(()));
            }
            link.end(EndReason::Drain);
            drop(link);
            assert_eq!(told(&mut commands), [None, None, Some(EndReason::Drain)], "room for {room}");
        }
    }
}
