use std::fmt;

/// Number of the bot's current utterance. Raising it makes audio of earlier epochs void.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch before the bot has said anything.
    pub const ZERO: Self = Self(0);

    /// The epoch numbered `number`.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
