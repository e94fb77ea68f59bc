//! Text to speech.

use ringway_frame::{Format, Frame};
use std::task::{Context, Poll};

/// What a session needs to know of its call.
#[derive(Clone, Debug)]
pub struct TtsCall {
    /// The format of the frames that it is to make.
    pub format: Format,
}

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its number.
    pub id: u32,
    /// Its text.
    pub text: String,
}

/// What a voice gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TtsEvent {
    /// The next 20 ms are in the frame that was handed in (payload only; the caller numbers it).
    Audio,
    /// All text of the clause up to byte `upto` (a character boundary) is within the audio given so far.
    Word {
        /// The clause.
        clause: u32,
        /// Byte offset into its text.
        upto: u32,
    },
    /// The clause is spoken; its last frame is filled up with silence.
    Done {
        /// The clause.
        clause: u32,
    },
}

/// A voice, shared by all calls.
pub trait TextToSpeech: Send + Sync {
    /// Its name in configuration, metrics and logs.
    fn name(&self) -> &str;

    /// What it can work on at one time now: its threads that have an engine. 0: it cannot serve. `None`: it sets no
    /// bound that could be known beforehand, as a service on the network.
    fn slots(&self) -> Option<usize> {
        None
    }

    /// A session for one call; called on its media core, so it must not block.
    ///
    /// # Errors
    /// The engine cannot serve the call.
    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError>;
}

/// One call's voice. Dropping it cancels everything.
pub trait TtsSession {
    /// Says this after the clauses before it; work may begin at once.
    ///
    /// # Errors
    /// [`TtsError::Overloaded`]: not now; anything else: the session is broken.
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError>;

    /// Forgets all clauses and their audio.
    fn cancel(&mut self);

    /// The next event, in order; audio is written into `frame`, which has the call's format. A session without work
    /// is pending.
    ///
    /// # Errors
    /// The session is broken, but for a clause that is [refused](TtsError::Refused) for good: it goes on behind it.
    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>>;
}

/// Why synthesis failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TtsError {
    /// All voices are busy and their queue is full; try again shortly.
    #[error("all voices are busy ({queued} waiting)")]
    Overloaded {
        /// How many clauses wait.
        queued: usize,
    },
    /// No such voice.
    #[error("no voice is named {name:?}; there are: {known}")]
    UnknownVoice {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The engine failed.
    #[error("{engine}: {reason}")]
    Engine {
        /// Which.
        engine: String,
        /// What it said.
        reason: String,
    },
    /// The voice does not speak this clause, or gave nothing that could be heard.
    #[error("{engine}: {source}")]
    Refused {
        /// Which.
        engine: &'static str,
        /// The clause.
        clause: u32,
        /// When and how.
        source: crate::services::ServiceError,
        /// It would refuse it again; the session goes on with the next clause. Otherwise the session is broken.
        lasting: bool,
    },
    /// A service failed.
    #[error("{engine}: {source}")]
    Service {
        /// Which.
        engine: &'static str,
        /// When and how.
        source: crate::services::ServiceError,
    },
}

impl TtsError {
    /// What a service said, while it owed this clause.
    pub(crate) fn of_service(
        engine: &'static str,
        clause: Option<u32>,
        source: crate::services::ServiceError,
    ) -> Self {
        match clause.filter(|_| source.is_about_clause()) {
            Some(clause) => Self::Refused { engine, clause, lasting: source.is_lasting(), source },
            None => Self::Service { engine, source },
        }
    }
}
