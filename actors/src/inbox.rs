//! What a call's stages and edge tell its router.

use crate::edge::EdgeInput;
use crate::hedge::HedgeNews;
use crate::stage::StageError;
use ringway_stages::Expectation;
use ringway_turn::{Input, RequestId};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Mail that waits for the router at most; only a blocked core lets it pile up.
const MAIL: usize = 1_024;

/// Where mail for one router is put, in order, from whomever it comes. Full: the sender gives up.
///
/// A frame's news comes this way, 80 a second and call: an actor's mailbox allocates twice for each message, this
/// channel uses its memory again.
#[derive(Clone, Debug)]
pub(crate) struct Inbox(Sender<Mail>);

/// One piece of it.
#[derive(Debug)]
pub(crate) enum Mail {
    /// From a stage.
    Report(Report),
    /// From the edge.
    Edge(EdgeInput),
}

/// What a stage tells the router.
#[derive(Debug)]
pub(crate) enum Report {
    /// For the turn.
    Input(Input),
    /// What the dialogue expects after this reply.
    Expect { request: RequestId, expectation: Expectation },
    /// Of a request that two services work on.
    Hedge(HedgeNews),
    /// The call is to go on in the language of this code.
    Language(String),
}

impl Inbox {
    pub(crate) fn new() -> (Self, Receiver<Mail>) {
        let (sender, receiver) = mpsc::channel(MAIL);
        (Self(sender), receiver)
    }

    /// A stage's report; one that cannot be made ends the stage.
    pub(crate) fn report(&self, report: Report) -> Result<(), StageError> {
        self.0.try_send(Mail::Report(report)).map_err(|refused| match refused {
            TrySendError::Full(_) => StageError::Router("full"),
            TrySendError::Closed(_) => StageError::Router("closed"),
        })
    }

    /// What the edge saw; `false`: the call is over, or hopelessly behind.
    pub(crate) fn tell(&self, input: EdgeInput) -> bool {
        self.0.try_send(Mail::Edge(input)).is_ok()
    }
}
