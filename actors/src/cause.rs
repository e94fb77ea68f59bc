//! How stages do, why they end, and why another service takes over.

use ringway_stages::llm::Emptiness;

/// How a stage is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Waits for work.
    Ready,
    /// Has work.
    Working,
    /// Died and is being rebuilt.
    Restarting,
    /// Will not come back.
    Gone,
}

impl StageState {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Working => "working",
            Self::Restarting => "restarting",
            Self::Gone => "gone",
        }
    }
}

/// Why a stage ended before its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// It held work without progress.
    Stall,
    /// It kept the caller waiting, and another service stood ready.
    Late,
    /// Its service refused for good what it was asked.
    Refused,
    /// Its service refuses whatever it is asked: it does not know the key or the model.
    Unfit,
    /// It answered, and there was nothing to be said in it.
    Empty(Emptiness),
}

impl Cause {
    /// Its name in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Stall => "stall",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Unfit => "unfit",
            Self::Empty(Emptiness::Length) => "empty_length",
            Self::Empty(Emptiness::ContentFilter) => "empty_content_filter",
            Self::Empty(Emptiness::Refusal) => "empty_refusal",
            Self::Empty(Emptiness::Thoughts) => "empty_thoughts",
            Self::Empty(Emptiness::ToolCall) => "empty_tool_call",
            Self::Empty(Emptiness::Blank) => "empty_blank",
        }
    }
}

/// Why a stage goes from one service to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchCause {
    /// The stage died of the first.
    Died(Cause),
    /// The first could not serve the call.
    Refused,
    /// The circuit of the first is open, since it failed other calls.
    Circuit,
    /// The second is preferred, and does well again or is tried.
    Preferred,
    /// The first was later than usual, and the second, asked the same, was quicker.
    Hedge,
    /// The call goes on in another language.
    Language,
}

impl SwitchCause {
    /// All of them, but for empty answers.
    pub const ALL: [Self; 9] = [
        Self::Died(Cause::Error),
        Self::Died(Cause::Panic),
        Self::Died(Cause::Stall),
        Self::Died(Cause::Late),
        Self::Refused,
        Self::Circuit,
        Self::Preferred,
        Self::Hedge,
        Self::Language,
    ];

    /// Its name in metrics, logs and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Died(cause) => cause.name(),
            Self::Refused => "refused",
            Self::Circuit => "circuit",
            Self::Preferred => "preferred",
            Self::Hedge => "hedge",
            Self::Language => "language",
        }
    }
}

/// Of two services that were asked the same, the one that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// The one that was asked first.
    First,
    /// The one that was asked because the first was late.
    Second,
    /// None: the request was cancelled, or the stage died.
    Neither,
}

impl Winner {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Neither];

    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Neither => "neither",
        }
    }
}
