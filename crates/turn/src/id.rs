use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The id numbered `number`.
            pub const fn new(number: u32) -> Self {
                Self(number)
            }

            /// The id after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.wrapping_add(1))
            }

            /// Its number.
            pub const fn number(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// One stretch of the caller's speech, from its first sign to its end.
    UtteranceId
);
id!(
    /// One question to the recogniser: "what was said until here?"
    AskId
);
id!(
    /// One question to the language model.
    RequestId
);
id!(
    /// One clause of the bot's speech.
    ClauseId
);
id!(
    /// Number of a turn, caller and bot together, from 0 (the greeting).
    TurnNumber
);
id!(
    /// One summary of what was said.
    SummaryId
);
