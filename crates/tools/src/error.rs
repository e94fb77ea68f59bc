use super::Reach;
use ringway_stages::services::{Phase, ServiceError};
use ringway_stages::tool_use::{Outcome, ToolResult};
use ringway_stages::transfer;
use std::time::Duration;

/// Why a tool did not do what it was called for; the model reads it, so it holds no secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// No tool of this name.
    #[error("there is no tool {name:?}; there are: {known}")]
    Unknown {
        /// What was called.
        name: String,
        /// What there is.
        known: String,
    },
    /// The arguments are none that it takes.
    #[error("the arguments are wrong: {0}")]
    Arguments(String),
    /// Nobody is to be called there.
    #[error(transparent)]
    Transfer(#[from] transfer::Refused),
    /// It took too long.
    #[error("it did not answer within {0:?}")]
    Late(Duration),
    /// The service behind it failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The server behind it is not there.
    #[error("the server {server:?} is not there: {reason}")]
    Away {
        /// Its name in the configuration.
        server: String,
        /// Why.
        reason: String,
    },
    /// It says itself that it failed.
    #[error("{0}")]
    Said(String),
    /// Nobody keeps any knowledge here.
    #[error("no knowledge base is configured")]
    NoKnowledge,
    /// The model calls and calls.
    #[error("no more calls in this reply: answer with what you know")]
    TooMany,
    /// The caller went on.
    #[error("cancelled: the caller spoke before it was done")]
    Cancelled,
    /// The caller went on, and what was asked for elsewhere was not waited for.
    #[error(
        "it was asked for and not waited for, since the caller spoke: call it again if it is still needed"
    )]
    Dropped,
    /// What was to be done elsewhere was sent, and may have been done.
    #[error(
        "it was sent; its outcome is unknown ({reason}). Do not call it again unless the caller asks for that"
    )]
    Unsure {
        /// Why.
        reason: String,
        /// How it is told.
        outcome: Outcome,
    },
    /// A defect of ours.
    #[error("it ended without an answer")]
    Died,
}

impl ToolError {
    /// The caller spoke while it ran.
    pub(super) fn cancelled(reach: Reach) -> Self {
        match reach {
            Reach::Call => Self::Cancelled,
            Reach::Asks => Self::Dropped,
            Reach::Acts => Self::Unsure {
                reason: "the caller spoke before it was answered".into(),
                outcome: Outcome::Cancelled,
            },
        }
    }

    /// The same, of a tool that acts: whether it did is not known when no answer came to what was sent, or one that
    /// cannot be read.
    pub(super) fn of_what_acts(self) -> Self {
        let unsure = match &self {
            Self::Late(_) | Self::Died => true,
            Self::Service(error) => match error {
                ServiceError::Late { phase, .. } | ServiceError::Cut { phase, .. } => {
                    *phase != Phase::Connect
                }
                ServiceError::Malformed { .. } | ServiceError::TooLarge { .. } => true,
                ServiceError::Status { status, .. } => matches!(status, 408 | 502 | 504),
                _ => false,
            },
            _ => false,
        };
        if unsure { Self::Unsure { reason: self.to_string(), outcome: self.outcome() } } else { self }
    }

    /// It may have been done.
    /// What is noted of the call.
    pub(super) fn result(&self) -> ToolResult {
        let undone = !matches!(self, Self::Unsure { .. });
        ToolResult { text: self.to_string(), failed: true, undone }
    }

    /// How it is told.
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Unknown { .. } | Self::Arguments(_) | Self::Transfer(_) | Self::TooMany => Outcome::Refused,
            Self::Late(_) => Outcome::Late,
            Self::Cancelled | Self::Dropped => Outcome::Cancelled,
            Self::Unsure { outcome, .. } => *outcome,
            _ => Outcome::Failed,
        }
    }
}
