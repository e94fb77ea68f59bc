use crate::{ClauseId, EndReason, StageKind};
use ringway_frame::{Epoch, MediaTime};
use serde::{Deserialize, Serialize};

/// Where the call stands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallPhase {
    /// No media yet. `=> Live` when it flows both ways.
    Waiting,
    /// The conversation. `=> Closing` at the longest call, `=> Apologising` when a stage is gone, `=> Over`.
    Live,
    /// The bot ends its clause. `=> Over` when it was heard.
    Closing {
        /// Why the call ends.
        reason: EndReason,
        /// The clause.
        clause: (Epoch, ClauseId),
        /// At the latest.
        by: MediaTime,
    },
    /// The apology from memory is played. `=> Over` when it was heard.
    Apologising {
        /// Its epoch.
        epoch: Epoch,
        /// Its frames, once they are known.
        made: Option<u32>,
        /// Frames that were heard.
        played: u32,
        /// Whose loss is apologised for.
        stage: StageKind,
        /// At the latest.
        by: MediaTime,
    },
    /// Nothing more.
    Over,
}

impl CallPhase {
    /// Its name in the table of states.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Live => "live",
            Self::Closing { .. } => "closing",
            Self::Apologising { .. } => "apologising",
            Self::Over => "over",
        }
    }
}
