use crate::services::ServiceError;
use crate::transfer;
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
    /// A defect of ours.
    #[error("it ended without an answer")]
    Died,
}

impl ToolError {
    /// How it is told.
    pub(super) const fn outcome(&self) -> super::Outcome {
        match self {
            Self::Unknown { .. } | Self::Arguments(_) | Self::Transfer(_) | Self::TooMany => {
                super::Outcome::Refused
            }
            Self::Late(_) => super::Outcome::Late,
            Self::Cancelled => super::Outcome::Cancelled,
            _ => super::Outcome::Failed,
        }
    }
}
