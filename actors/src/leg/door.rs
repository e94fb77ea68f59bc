//! Where a transport comes to its leg, on the leg's own media core.

use crate::leg::connection::Connection;
use crate::leg::link::{EdgeCommand, WeakLink};
use crate::leg::state::LegState;
use ringway_frame::Format;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// One leg of a call, to whoever brings it a transport.
#[derive(Clone, Debug)]
pub struct LegDoor {
    link: WeakLink,
    seen: Rc<Seen>,
    format: Format,
}

/// What others see of a leg.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) state: Cell<LegState>,
    /// How long the call waits for this leg when its pump fails.
    pub(crate) resume_within: Cell<Duration>,
}

/// The leg takes no transport.
#[derive(Debug, thiserror::Error)]
pub enum NotAttached {
    /// Its call is over.
    #[error("the call is over")]
    Over(Connection),
    /// Too much is on its way to it.
    #[error("the leg does not keep up with its orders")]
    Behind(Connection),
}

/// The leg cannot get into that state from its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a leg that is {} cannot become {}", from.name(), to.name())]
pub struct WrongState {
    /// Its state.
    pub from: LegState,
    /// The one that was asked for.
    pub to: LegState,
}

impl Seen {
    pub(crate) fn new(state: LegState) -> Rc<Self> {
        Rc::new(Self { state: Cell::new(state), resume_within: Cell::default() })
    }
}

impl LegDoor {
    pub(crate) fn new(link: WeakLink, seen: Rc<Seen>, format: Format) -> Self {
        Self { link, seen, format }
    }

    /// The format of its audio, both ways.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What it is doing.
    pub fn state(&self) -> LegState {
        self.seen.state.get()
    }

    /// Brings a transport; one that is there already is replaced, since its network may be gone without a sign.
    ///
    /// # Errors
    /// The leg takes none; the connection comes back.
    pub fn attach(&self, connection: Connection) -> Result<(), NotAttached> {
        match self.link.attach(connection) {
            Ok(()) => Ok(()),
            Err((connection, true)) => Err(NotAttached::Behind(connection)),
            Err((connection, false)) => Err(NotAttached::Over(connection)),
        }
    }

    /// The peer's telephone rings, it plays early media, or the leg is put on hold or taken back.
    ///
    /// # Errors
    /// It cannot, from the state it is in, or its call is over.
    pub fn become_state(&self, to: LegState) -> Result<(), WrongState> {
        let from = self.state();
        let put = from.may_become(to) && to != LegState::Over && self.link.put(EdgeCommand::Become(to));
        if put { Ok(()) } else { Err(WrongState { from, to }) }
    }
}
