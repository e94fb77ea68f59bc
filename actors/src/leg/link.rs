//! What a call tells its edge, in order: bounded, and the end is never lost.

use crate::error::LegFault;
use crate::event::CallEventKind;
use crate::leg::connection::Connection;
use crate::leg::ends::Ends;
use crate::leg::state::LegState;
use ringway_turn::EndReason;
use std::cell::OnceCell;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

/// What a call tells its edge.
#[derive(Debug)]
pub enum EdgeCommand {
    /// A transport has come.
    Attach(Box<Connection>),
    /// It is not alone in the call any more, or is again: the ends of rings that it has from now on.
    Rewire(Box<Ends>),
    /// The leg gets into this state.
    Become(LegState),
    /// Fail so, on purpose.
    Inject(LegFault),
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
    end: Rc<OnceCell<EndReason>>,
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
    end: Rc<OnceCell<EndReason>>,
}

/// The edge does not keep up with what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behind;

impl EdgeLink {
    pub(crate) fn bounded(capacity: usize) -> (Self, EdgeCommands) {
        let (sender, receiver) = mpsc::channel(capacity);
        let end = Rc::<OnceCell<EndReason>>::default();
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

    /// For those who must not keep the call's end of it alive.
    pub(crate) fn downgrade(&self) -> WeakLink {
        WeakLink(self.commands.downgrade())
    }
}

/// Where commands are put for as long as the call is there.
#[derive(Clone, Debug)]
pub(crate) struct WeakLink(mpsc::WeakSender<EdgeCommand>);

impl WeakLink {
    /// Puts a command; `false`: the call is over, or its leg is behind.
    pub(crate) fn put(&self, command: EdgeCommand) -> bool {
        self.0.upgrade().is_some_and(|link| link.try_send(command).is_ok())
    }

    /// Puts a transport. Comes back with whether the leg is behind; otherwise the call is over.
    pub(crate) fn attach(&self, connection: Connection) -> Result<(), (Connection, bool)> {
        let Some(link) = self.0.upgrade() else { return Err((connection, false)) };
        match link.try_reserve() {
            Ok(room) => {
                room.send(EdgeCommand::Attach(Box::new(connection)));
                Ok(())
            }
            Err(refused) => Err((connection, matches!(refused, TrySendError::Full(())))),
        }
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
