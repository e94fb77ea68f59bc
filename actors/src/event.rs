//! What leaves a call: one typed, bounded stream that everybody who wants to know reads.

use crate::edge::CallHandle;
use ringway_frame::{CallId, MediaTime};
use ringway_stages::llm::Emptiness;
use ringway_stages::prompt::Variables;
use ringway_turn::{EndReason, StageKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// Where a call's audio enters and leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// `/voice-ws`.
    Browser,
    /// `/media/twilio`.
    Twilio,
}

impl EdgeKind {
    /// Its name in metrics, logs and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Twilio => "twilio",
        }
    }
}

/// How a stage is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Waits for work.
    Ready,
    /// Has work.
    Working,
    /// Died and is being rebuilt.
    Restarting,
    /// Will not come back.
    Gone,
}

impl StageState {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Working => "working",
            Self::Restarting => "restarting",
            Self::Gone => "gone",
        }
    }
}

/// Why a stage ended before its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// It held work without progress.
    Stall,
    /// It kept the caller waiting, and another service stood ready.
    Late,
    /// Its service refused for good what it was asked.
    Refused,
    /// Its service refuses whatever it is asked: it does not know the key or the model.
    Unfit,
    /// It answered, and there was nothing to be said in it.
    Empty(Emptiness),
}

impl Cause {
    /// Its name in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Stall => "stall",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Unfit => "unfit",
            Self::Empty(Emptiness::Length) => "empty_length",
            Self::Empty(Emptiness::ContentFilter) => "empty_content_filter",
            Self::Empty(Emptiness::Refusal) => "empty_refusal",
            Self::Empty(Emptiness::Thoughts) => "empty_thoughts",
            Self::Empty(Emptiness::ToolCall) => "empty_tool_call",
            Self::Empty(Emptiness::Blank) => "empty_blank",
        }
    }
}

/// Why a stage goes from one service to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchCause {
    /// The stage died of the first.
    Died(Cause),
    /// The first could not serve the call.
    Refused,
    /// The circuit of the first is open, since it failed other calls.
    Circuit,
    /// The second is preferred, and does well again or is tried.
    Preferred,
    /// The first was later than usual, and the second, asked the same, was quicker.
    Hedge,
    /// The call goes on in another language.
    Language,
}

impl SwitchCause {
    /// All of them, but for empty answers.
    pub const ALL: [Self; 9] = [
        Self::Died(Cause::Error),
        Self::Died(Cause::Panic),
        Self::Died(Cause::Stall),
        Self::Died(Cause::Late),
        Self::Refused,
        Self::Circuit,
        Self::Preferred,
        Self::Hedge,
        Self::Language,
    ];

    /// Its name in metrics, logs and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Died(cause) => cause.name(),
            Self::Refused => "refused",
            Self::Circuit => "circuit",
            Self::Preferred => "preferred",
            Self::Hedge => "hedge",
            Self::Language => "language",
        }
    }
}

/// Of two services that were asked the same, the one that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// The one that was asked first.
    First,
    /// The one that was asked because the first was late.
    Second,
    /// None: the request was cancelled, or the stage died.
    Neither,
}

impl Winner {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Neither];

    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Neither => "neither",
        }
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum CallEventKind {
    /// The call was accepted.
    Started {
        /// To reach it.
        handle: CallHandle,
        /// The carrier's own id of it.
        carrier_call_id: Option<String>,
        /// What is known of it.
        variables: Arc<Variables>,
    },
    /// Part of the conversation.
    Turn(ringway_turn::Event),
    /// A step of a turn: for those inside the process.
    Mark(ringway_turn::Mark),
    /// A stage's state changed.
    Stage {
        /// Which.
        stage: StageKind,
        /// Its state.
        state: StageState,
    },
    /// A stage died.
    StageDied {
        /// Which.
        stage: StageKind,
        /// How.
        cause: Cause,
        /// In its own words.
        detail: String,
    },
    /// A stage is there again.
    StageRestarted {
        /// Which.
        stage: StageKind,
        /// How it had died.
        cause: Cause,
        /// In its own words.
        detail: String,
        /// Last progress of the old to readiness of the new.
        pause: Duration,
        /// Times it was rebuilt in this call.
        restarts: u32,
    },
    /// The service behind a stage gave the first of what it was asked for: words, a token, or audio.
    Served {
        /// Which.
        stage: StageKind,
        /// Its engine's name in the configuration.
        service: Arc<str>,
        /// Request to there.
        after: Duration,
    },
    /// The service behind a stage gave all that it was asked for.
    ServiceDone {
        /// Which.
        stage: StageKind,
        /// Its engine's name in the configuration.
        service: Arc<str>,
    },
    /// The service behind the language model has told what it was given.
    Tokens {
        /// Its engine's name in the configuration.
        service: Arc<str>,
        /// Tokens of the request.
        given: u32,
        /// Those of them that it remembered from another request.
        cache_read: u32,
        /// Those that it remembers from now on.
        cache_written: u32,
    },
    /// Another service serves a stage from now on.
    ServiceSwitched {
        /// Which.
        stage: StageKind,
        /// The name of the one that did.
        from: Arc<str>,
        /// The name of the one that does.
        to: Arc<str>,
        /// Why.
        cause: SwitchCause,
    },
    /// A request that was asked a second time came to its end.
    Hedged {
        /// Which stage's.
        stage: StageKind,
        /// Who answered it.
        winner: Winner,
    },
    /// The service behind a stage failed: the stage died of it, or it could not serve the call at all.
    ServiceFailed {
        /// Which.
        stage: StageKind,
        /// Its engine's name in the configuration.
        service: Arc<str>,
        /// How.
        cause: Cause,
    },
    /// The peer broke the protocol; its stable code.
    ProtocolError {
        /// The stable code.
        code: &'static str,
    },
    /// The bot's audio stopped at the socket, in a pause or for good.
    Silent {
        /// Decision to silence.
        after: Duration,
    },
    /// The decision to be silent reached the socket.
    Cleared {
        /// Decision to socket.
        after: Duration,
    },
    /// State of the rings, now and then.
    Rings(RingReport),
    /// The call is over.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// State of a call's rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingReport {
    /// *mic*, *speech* and *voice*.
    pub rings: [RingState; 3],
}

/// State of one ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingState {
    /// Its name.
    pub ring: &'static str,
    /// Frames held now.
    pub depth: u64,
    /// Frames dropped since the last report.
    pub dropped: u64,
    /// Frames committed by force since the last report.
    pub forced: u64,
}

/// One event of one call.
#[derive(Clone, Debug)]
pub struct CallEvent {
    /// Which call.
    pub call: CallId,
    /// When.
    pub at: MediaTime,
    /// What.
    pub kind: CallEventKind,
}

/// Where calls put their events. Bounded: when its reader is behind, the newest are dropped and counted. The last part of
/// the room is for the begin and the end of calls, which nobody can bring about again and again.
#[derive(Clone, Debug)]
pub struct EventSink {
    sender: mpsc::Sender<CallEvent>,
    dropped: Arc<AtomicU64>,
}

/// One part of so many is kept for the begin and the end of calls.
const RESERVE: usize = 8;

impl EventSink {
    /// A sink that holds up to `capacity` events, and its reader.
    pub fn bounded(capacity: usize) -> (Self, mpsc::Receiver<CallEvent>) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self { sender, dropped: Arc::default() }, receiver)
    }

    /// Puts an event; never waits.
    pub fn put(&self, event: CallEvent) {
        if !self.has_room(&event.kind) || self.sender.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn has_room(&self, kind: &CallEventKind) -> bool {
        matches!(kind, CallEventKind::Started { .. } | CallEventKind::Ended { .. })
            || self.sender.capacity() > self.sender.max_capacity() / RESERVE
    }

    /// Events that wait for the reader.
    pub fn queued(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    /// Events dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_repeats_leaves_room_for_the_end_of_calls() {
        let (sink, mut reader) = EventSink::bounded(16);
        let put = |kind| sink.put(CallEvent { call: CallId::from_bits(1), at: MediaTime::ZERO, kind });
        (0..20).for_each(|_| put(CallEventKind::ProtocolError { code: "bad_field" }));
        assert_eq!((sink.queued(), sink.dropped()), (14, 6));
        put(CallEventKind::Ended { reason: EndReason::Caller });
        put(CallEventKind::Ended { reason: EndReason::Caller });
        assert_eq!((sink.queued(), sink.dropped()), (16, 6));
        let ends = std::iter::from_fn(|| reader.try_recv().ok())
            .filter(|event| matches!(event.kind, CallEventKind::Ended { .. }));
        assert_eq!(ends.count(), 2);
    }
}
