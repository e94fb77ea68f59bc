//! Speech to speech: one service that hears the caller and speaks the answer, in place of recogniser, language model
//! and voice.

use crate::llm::{Called, Cue, Next, Said, ToolCall, ToolSpec, Weigh};
use crate::tool_use::{ToolEffects, ToolNews};
use ringway_frame::{Format, Frame};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What a session needs to know of its call.
#[derive(Clone, Debug)]
pub struct SpeechCall {
    /// The format of the frames that it will hear and is to make.
    pub format: Format,
    /// The dialogue that the caller's side asked for, if any.
    pub dialogue: Option<String>,
    /// What the service may call.
    pub tools: Arc<[ToolSpec]>,
    /// What tools did in this call.
    pub effects: ToolEffects,
    /// How long texts are for a model.
    pub weigh: Weigh,
}

impl SpeechCall {
    /// A call of which nothing else is known.
    pub fn of(format: Format) -> Self {
        let (tools, effects, weigh) = (Arc::default(), ToolEffects::default(), Weigh::default());
        Self { format, dialogue: None, tools, effects, weigh }
    }
}

/// Which of the caller's audio a session wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// That of utterances, from shortly before their first sign.
    Utterances,
    /// All of it, as it comes: it looks for speech by itself.
    Everything,
}

/// An answer that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its number; a new one replaces the running one.
    pub id: u32,
    /// What the caller did; empty words: what they said is in the audio before the last commit.
    pub cue: Cue,
    /// What was said before, oldest first: for a service that was not there. The cue is not in it.
    pub history: Vec<Said>,
    /// The beginning of this answer, which was heard from a session that died: go on behind it.
    pub already: String,
    /// What tools said that no answer of a session before this one was told, in words; oldest first.
    pub remarks: Vec<Remark>,
}

impl Wanted {
    /// An answer in a conversation that begins.
    pub const fn new(id: u32, cue: Cue) -> Self {
        Self { id, cue, history: Vec::new(), already: String::new(), remarks: Vec::new() }
    }
}

/// What a tool said while nobody listened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// In words for the model.
    pub text: String,
    /// The session has been told of it before: it matters only to a service that has forgotten all.
    pub told: bool,
}

/// What a session tells.
#[derive(Clone, Debug, PartialEq)]
pub enum SpeechEvent {
    /// By its own detection the caller has begun to speak.
    Started,
    /// By the same the caller's turn is over.
    Stopped,
    /// What is understood of a committed turn so far.
    Guess {
        /// The turn's number.
        turn: u32,
        /// The words.
        text: String,
    },
    /// What was understood of a committed turn; comes once, however late; empty when nothing was.
    Heard {
        /// The turn's number.
        turn: u32,
        /// The words.
        text: String,
    },
    /// More of the answer's text.
    Text {
        /// The answer.
        id: u32,
        /// The text, with its own blanks.
        text: String,
    },
    /// The service wants functions called, and goes on with the answer when it is given their
    /// [results](SpeechSession::results).
    Calls {
        /// The answer.
        id: u32,
        /// All calls of the round.
        calls: Vec<ToolCall>,
    },
    /// A tool began or ended; only of sessions that run tools themselves.
    Tool {
        /// The answer.
        id: u32,
        /// Which, and how.
        news: ToolNews,
    },
    /// The answer is complete: all of its text has been told and all of its audio taken.
    Done {
        /// The answer.
        id: u32,
        /// What follows, by a tool's doing.
        next: Option<Next>,
    },
}

/// A service that hears and speaks, shared by all calls.
pub trait SpeechToSpeech: Send + Sync {
    /// Its name in configuration, metrics and logs.
    fn name(&self) -> &str;

    /// How many calls it can serve now; `None`: no bound that could be known beforehand.
    fn slots(&self) -> Option<usize> {
        None
    }

    /// A session for one call; called on its media core, so it must not block.
    ///
    /// # Errors
    /// The service cannot serve the call.
    fn open(&self, call: SpeechCall) -> Result<Box<dyn SpeechSession>, SpeechError>;
}

/// One call's session. Dropping it cancels everything.
pub trait SpeechSession {
    /// Which audio it wants.
    fn hearing(&self) -> Hearing;

    /// The next frame of the caller. Never blocks.
    ///
    /// # Errors
    /// The session is broken.
    fn hear(&mut self, frame: &Frame) -> Result<(), SpeechError>;

    /// What was heard since the last commit was no turn.
    fn forget(&mut self);

    /// What was heard since the last commit is the turn of this number; its words are told by [`SpeechEvent::Heard`].
    ///
    /// # Errors
    /// The session is broken.
    fn commit(&mut self, turn: u32) -> Result<(), SpeechError>;

    /// Asks for an answer.
    ///
    /// # Errors
    /// The session is broken.
    fn answer(&mut self, wanted: Wanted) -> Result<(), SpeechError>;

    /// What came of the calls that the service asked for; `go_on`: the answer is to go on with that. Services that call
    /// nothing have nothing to be told.
    fn results(&mut self, _calls: Vec<Called>, _go_on: bool) {}

    /// The answer is not wanted any more; so much of its audio was heard, and nothing behind that was said.
    fn cancel(&mut self, heard: Duration);

    /// The next event, however much audio waits; a session without work is pending.
    ///
    /// # Errors
    /// The session is broken.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SpeechEvent, SpeechError>>;

    /// Writes the next 20 ms of the answer into the payload of `frame`, which has the call's format; `false`: there is
    /// nothing at the moment, and [`poll_event`](Self::poll_event) wakes when there is more.
    fn next_frame(&mut self, frame: &mut Frame) -> bool;
}

/// Why an all-in-one service failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// The engine failed.
    #[error("{engine}: {reason}")]
    Engine {
        /// Which.
        engine: String,
        /// What it said.
        reason: String,
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
