//! What happens in a call, as everybody who wants to know reads it.

use crate::cause::{Cause, StageState, SwitchCause, Winner};
use crate::handle::CallHandle;
use crate::leg::kind::EdgeKind;
use crate::leg::state::LegState;
use ringway_stages::prompt::Variables;
use ringway_turn::{EndReason, StageKind};
use std::sync::Arc;
use std::time::Duration;

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
        /// The dialogue that was asked for.
        dialogue: Option<String>,
        /// The code of the language that it begins in, where there is one.
        language: Option<String>,
    },
    /// A leg beside the caller's was created.
    LegCreated {
        /// Its number in the call, from 1.
        leg: u32,
        /// By which edge its peer comes.
        edge: EdgeKind,
        /// What its peer is called.
        label: Arc<str>,
    },
    /// A leg got into another state.
    Leg {
        /// Its number in the call, from 0.
        leg: u32,
        /// Its state from now on.
        state: LegState,
    },
    /// Somebody can be heard: the first leg is up.
    Answered {
        /// Which leg.
        leg: u32,
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
    /// The caller is handed on.
    Transferred {
        /// To this number.
        to: String,
    },
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
    /// Frames on their way between its legs that found no room since the last report.
    pub legs_dropped: u64,
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
