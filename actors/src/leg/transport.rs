//! What moves one leg's audio and signals over a network: a WebSocket, RTP, a room, or memory.

use crate::event::CallEventKind;
use crate::leg::mic::Mic;
use ringway_frame::{Epoch, Frame};
use ringway_turn::{EndReason, TurnNumber};
use std::task::{Context, Poll};
use std::time::Duration;

/// One leg's transport. It is polled by the pump, never waits to send, bounds what it buffers, keeps its own deadlines
/// (pings, timers of its protocol), and looks at what its peer sends before it spends work on it.
pub trait Transport {
    /// What the peer does next. Audio goes into `mic`, whole frames in the call's format.
    fn poll_event(&mut self, cx: &mut Context<'_>, mic: &mut Mic) -> Poll<TransportEvent>;

    /// Writes what is queued; ready once after all that was queued is out.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>>;

    /// Queues 20 ms of the bot's audio, the `number`th frame of its epoch, counted from 1; with 0, audio that others in the
    /// call say while the bot does not, which counts for no mark.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    fn send_audio(&mut self, frame: &Frame, number: u32) -> Result<(), Closed>;

    /// All audio that was due is queued; `drained`: there is no more at the moment. A transport whose peer tells what it
    /// has played queues a mark now and then, and returns behind how many frames of the epoch it stands.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    fn send_mark(&mut self, drained: bool) -> Result<Option<u32>, Closed>;

    /// What the peer has buffered of this turn's answer is void.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    fn send_clear(&mut self, turn: TurnNumber) -> Result<(), Closed>;

    /// Something that the caller's side may want to show.
    ///
    /// # Errors
    /// The peer is gone or does not read.
    fn show(&mut self, event: &CallEventKind) -> Result<(), Closed>;

    /// Queues the last words, and the end of the connection.
    ///
    /// # Errors
    /// The peer is gone or does not read: nothing more is to be done.
    fn close(&mut self, goodbye: Goodbye<'_>) -> Result<(), Closed>;

    /// Writes the last words; ready when the peer has closed as well, or is gone.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// What a peer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportEvent {
    /// It sent audio, which is in *mic* as far as its allowance goes, or something that is nothing to the call.
    Received,
    /// It pressed a key.
    Key(char),
    /// It typed in place of talking.
    Text(String),
    /// It wants the bot to be quiet.
    Interrupt,
    /// It plays by itself, and has played no more than this of a turn's answer, nor will.
    Truncate {
        /// The turn.
        turn: TurnNumber,
        /// Audio of the answer that it played.
        until: Duration,
    },
    /// It muted or unmuted itself.
    Mute(bool),
    /// It has played the first `frames` frames of `epoch`; the next mark on its way stands behind `next`.
    Marked {
        /// The bot's utterance.
        epoch: Epoch,
        /// Frames from its beginning.
        frames: u32,
        /// Where the oldest mark stands that is still out, if it is of this utterance.
        next: Option<u32>,
    },
    /// It broke the protocol, by this stable code, and was told; the call goes on.
    Refused(&'static str),
    /// Nothing: the transport's own clock went on.
    Idle,
    /// It is of no use any more.
    Closed(Closed),
}

/// Why a transport is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The peer hung up in good order.
    #[error("the peer hung up")]
    HungUp,
    /// The network is gone, or nothing has come for too long.
    #[error("the peer is gone")]
    Gone,
    /// The peer does not read what it is sent.
    #[error("the peer does not read")]
    SlowConsumer,
    /// The peer broke the protocol for good, by this stable code.
    #[error("the peer broke the protocol: {0}")]
    Protocol(&'static str),
    /// A defect of ours.
    #[error("the transport failed")]
    Failed,
}

impl Closed {
    /// The network may be at fault: the peer may come back.
    pub(crate) fn is_of_the_network(&self) -> bool {
        matches!(self, Self::Gone | Self::SlowConsumer)
    }

    /// Why a call ends whose only leg ends so.
    pub fn reason(&self) -> EndReason {
        match self {
            Self::HungUp | Self::Gone => EndReason::Caller,
            Self::SlowConsumer => EndReason::SlowConsumer,
            Self::Protocol(code) => EndReason::Protocol((*code).to_owned()),
            Self::Failed => EndReason::Internal,
        }
    }
}

/// What a peer is told in the end.
#[derive(Clone, Copy, Debug)]
pub enum Goodbye<'r> {
    /// The call is over.
    Over(&'r EndReason),
    /// What it did wrong, as the transport knows.
    Refused,
    /// Another transport has taken its place in the call.
    Replaced,
}
