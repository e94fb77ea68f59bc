//! What a call's stages and edge tell its router.

use crate::error::StageError;
use crate::hedge::HedgeNews;
use crate::leg::input::EdgeInput;
use crate::snapshot::CallSnapshot;
use ringway_stages::Expectation;
use ringway_turn::{EndReason, Input, RequestId, Window};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;

/// Mail that waits for the router at most; only a blocked core lets it pile up.
const MAIL: usize = 1_024;

/// Where mail for one router is put, in order, from whomever it comes. Full: the sender gives up.
///
/// A frame's news comes this way, 80 a second and call: an actor's mailbox allocates twice for each message, this
/// channel uses its memory again.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    mail: Sender<Mail>,
    end: Arc<OnceLock<EndReason>>,
}

/// Where the router finds it.
#[derive(Debug)]
pub(crate) struct Letterbox {
    mail: Receiver<Mail>,
    end: Arc<OnceLock<EndReason>>,
}

/// One piece of it. The channel keeps room for some of them all the time: what is large and seldom is boxed.
#[derive(Debug)]
pub(crate) enum Mail {
    /// From the voice activity detector: most of all mail.
    Window(Window),
    /// From a stage.
    Report(Box<Report>),
    /// From the edge.
    Edge(EdgeInput),
    /// Somebody wants to keep the call.
    Keep(oneshot::Sender<CallSnapshot>),
    /// Only to wake the router: why the call ends is kept beside the mail, where there is always room.
    End,
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
    pub(crate) fn new() -> (Self, Letterbox) {
        let (sender, receiver) = mpsc::channel(MAIL);
        let end = Arc::<OnceLock<EndReason>>::default();
        (Self { mail: sender, end: end.clone() }, Letterbox { mail: receiver, end })
    }

    /// The call is to end, behind all mail that is here already; the first reason counts. `false`: it is over.
    pub(crate) fn end(&self, reason: EndReason) -> bool {
        let _ = self.end.set(reason);
        // A router whose inbox is full has not slept since, and looks for the end whenever it has read its mail.
        !matches!(self.mail.try_send(Mail::End), Err(TrySendError::Closed(_)))
    }

    /// A stage's report; one that cannot be made ends the stage.
    pub(crate) fn report(&self, report: Report) -> Result<(), StageError> {
        let mail = match report {
            Report::Input(Input::Window(window)) => Mail::Window(window),
            report => Mail::Report(Box::new(report)),
        };
        self.mail.try_send(mail).map_err(|refused| match refused {
            TrySendError::Full(_) => StageError::Router("full"),
            TrySendError::Closed(_) => StageError::Router("closed"),
        })
    }

    /// Whether a stage may go on with what it has to tell; if not, it lets the router read first. The rest of the room is
    /// for the edge and for what comes of one piece of a stage's work.
    pub(crate) fn has_room(&self) -> bool {
        self.mail.is_closed() || self.mail.capacity() > MAIL / 2
    }

    /// Asks for what is to be kept of the call; `false`: it is over, or hopelessly behind.
    pub(crate) fn keep(&self, answer: oneshot::Sender<CallSnapshot>) -> bool {
        self.mail.try_send(Mail::Keep(answer)).is_ok()
    }

    /// What the edge saw; `false`: the call is over, or hopelessly behind.
    pub(crate) fn tell(&self, input: EdgeInput) -> bool {
        self.mail.try_send(Mail::Edge(input)).is_ok()
    }
}

impl Letterbox {
    /// The next piece of mail, once there is one.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Mail>> {
        self.mail.poll_recv(cx)
    }

    /// The next piece of mail, if there is one.
    pub(crate) fn next(&mut self) -> Option<Mail> {
        self.mail.try_recv().ok()
    }

    /// Why the call is to end, once that has been ordered.
    pub(crate) fn end(&self) -> Option<&EndReason> {
        self.end.get()
    }
}
