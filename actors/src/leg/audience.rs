//! Whom the bot speaks to.

/// Whom the bot speaks to, in a call of several legs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// All who are there.
    #[default]
    All,
    /// This leg alone.
    Only(u32),
    /// It is away: it listens, and says nothing.
    Nobody,
}

impl Audience {
    /// Whether this leg hears it.
    pub fn reaches(self, leg: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(one) => one == leg,
            Self::Nobody => false,
        }
    }
}
