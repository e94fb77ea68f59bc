//! What a leg is doing.

use serde::{Deserialize, Serialize};

/// What a leg is doing, from the call's creation to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegState {
    /// It is awaited: nothing has been heard of the peer.
    Dialling,
    /// The peer's telephone rings.
    Ringing,
    /// The peer's network plays audio before anybody answers.
    Early,
    /// Media flows both ways.
    Up,
    /// The peer, or we, put it on hold.
    Held,
    /// Its network is gone, and the call waits for it.
    Detached,
    /// It is over.
    Over,
}
