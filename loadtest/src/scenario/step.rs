use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

/// One thing that a caller does before the next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Waits for the end of the bot's first words; no longer than this for their beginning.
    AwaitGreeting(Duration),
    /// Says something, then goes on at the end of its last loud frame.
    Say(Words),
    /// As [`Step::Say`], over the bot's words: measures how fast the bot falls silent.
    Interrupt(Words),
    /// A sound over the bot's words that is no reason to stop: measures whether the bot goes on.
    Burst(Words),
    /// Waits for the first loud frame of the answer, or until it counts as missing.
    AwaitAnswer,
    /// Lets the bot speak for so long, from the first loud frame of its answer on.
    Listen(Range<Duration>),
    /// Waits until the bot has said all.
    HearOut,
    /// Is silent for so long.
    Think(Range<Duration>),
    /// Presses these keys.
    Press(Rc<[char]>),
    /// Begins to say something, which is cut off by the next step after so long.
    BeginToSay(Words, Range<Duration>),
    /// Hangs up, in good order or by dropping the connection.
    HangUp {
        /// Without a word of the protocol.
        abrupt: bool,
    },
    /// Changes the line from now on.
    Network(Conditions),
    /// The socket is neither read nor written for so long.
    Stall(Range<Duration>),
}

/// Numbers of utterances in the voice, one of which is said; at least one.
pub type Words = Rc<[usize]>;

/// How bad the line is from the caller to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// Share of frames that never arrive, 0 to 1.
    pub loss: f64,
    /// Frames are late by up to so much, in their order.
    pub jitter: Duration,
    /// For how long; without it to the end of the call.
    pub lasts: Option<Duration>,
}

impl Step {
    /// In good order.
    pub const HANG_UP: Self = Self::HangUp { abrupt: false };

    /// It takes time whatever the server does, so that rounds with it do not spin.
    pub fn takes_time(&self) -> bool {
        match self {
            Self::Say(_)
            | Self::Interrupt(_)
            | Self::Press(_)
            | Self::HangUp { .. }
            | Self::BeginToSay(..) => true,
            Self::Think(range) => !range.start.is_zero(),
            Self::AwaitGreeting(_)
            | Self::Burst(_)
            | Self::AwaitAnswer
            | Self::Listen(_)
            | Self::HearOut
            | Self::Network(_)
            | Self::Stall(_) => false,
        }
    }
}
