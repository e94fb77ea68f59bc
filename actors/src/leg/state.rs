//! What a leg is doing, and for how long it may.

use ringway_stages::humane;
use ringway_turn::EndReason;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

impl LegState {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Dialling, Self::Ringing, Self::Early, Self::Up, Self::Held, Self::Detached, Self::Over];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dialling => "dialling",
            Self::Ringing => "ringing",
            Self::Early => "early",
            Self::Up => "up",
            Self::Held => "held",
            Self::Detached => "detached",
            Self::Over => "over",
        }
    }

    /// Whether the peer's side may still take it there from `self`.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Over, _) => false,
            (Self::Dialling, Self::Ringing | Self::Early) | (Self::Ringing, Self::Early) => true,
            (Self::Up, Self::Held) | (Self::Held, Self::Up) => true,
            (_, Self::Over) => true,
            _ => false,
        }
    }
}

/// How long a leg may be in each state that is no conversation; the call ends then. Zero: not at all.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LegLimits {
    /// From the creation of a call to the first sign of its peer.
    #[serde(with = "humane")]
    pub dialling: Duration,
    /// While the peer's telephone rings.
    #[serde(with = "humane")]
    pub ringing: Duration,
    /// While the peer's network plays audio before anybody answers.
    #[serde(with = "humane")]
    pub early: Duration,
    /// On hold.
    #[serde(with = "humane")]
    pub held: Duration,
}

impl Default for LegLimits {
    fn default() -> Self {
        Self {
            dialling: Duration::from_secs(60),
            ringing: Duration::from_secs(60),
            early: Duration::from_secs(60),
            held: Duration::from_secs(3_600),
        }
    }
}

impl LegLimits {
    /// How long it may be in this state, and why the call ends then; `None`: for as long as the call lasts. How long it
    /// may be detached is up to its connection.
    pub(crate) fn of(&self, state: LegState) -> Option<(Duration, EndReason)> {
        match state {
            LegState::Dialling => Some((self.dialling, EndReason::NoAnswer)),
            LegState::Ringing => Some((self.ringing, EndReason::NoAnswer)),
            LegState::Early => Some((self.early, EndReason::NoAnswer)),
            LegState::Held => Some((self.held, EndReason::NotResumed)),
            LegState::Up | LegState::Detached | LegState::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_that_is_over_stays_so_and_none_goes_back_to_ringing() {
        for state in LegState::ALL {
            assert!(!LegState::Over.may_become(state));
            assert!(!LegState::Up.may_become(LegState::Ringing) && !state.may_become(LegState::Dialling));
            assert_eq!(state.may_become(LegState::Over), state != LegState::Over);
        }
    }
}
