use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An error as users are told it, the same on sockets and in HTTP answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{code}: {message}")]
pub struct UserError {
    /// Stable, snake case, for programs.
    pub code: Cow<'static, str>,
    /// For people.
    pub message: String,
    /// The session that it happened in; `null` where there is none.
    #[serde(default)]
    pub session_id: Option<String>,
    /// The session goes on.
    pub recoverable: bool,
}
