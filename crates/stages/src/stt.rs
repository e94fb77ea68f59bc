//! Speech to text.

use crate::Expectation;
use ringway_frame::{Format, Frame};
use std::task::{Context, Poll};

/// What a session needs to know of its call.
#[derive(Clone, Copy, Debug)]
pub struct SttCall {
    /// The format of the frames that it will hear.
    pub format: Format,
}

/// How a recogniser wants its audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SttMode {
    /// Every frame of the caller as it comes; [`SttSession::begin`] marks the first sign of an utterance.
    Streaming,
    /// Whole segments: after [`SttSession::begin`] the segment's frames at once, then [`SttSession::flush`].
    Segments,
}

/// Numbers the segments of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u32);

/// What a segment is recognised for; an overloaded engine serves the urgent ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A guess to show while the caller speaks: dropped when the engine has other work.
    Partial,
    /// The turn may be over.
    Speculation,
    /// The turn is over: the caller waits.
    Turn,
}

/// A stretch of speech to be recognised.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// What for.
    pub urgency: Urgency,
    /// What the dialogue expects.
    pub expectation: Expectation,
}

/// What a recogniser says.
#[derive(Clone, Debug, PartialEq)]
pub enum SttEvent {
    /// A guess that may change.
    Partial {
        /// The segment.
        segment: SegmentId,
        /// The words, as the recogniser writes them.
        text: String,
    },
    /// The words of a whole segment after [`SttSession::flush`], or of a part of a stream for good. Those of an answer are
    /// all since the last ones that were for good: when speech goes on, the next answer says them again.
    Final {
        /// The segment.
        segment: SegmentId,
        /// The words, as the recogniser writes them; empty when nothing was understood.
        text: String,
        /// The segment's flush is answered; `false`: more of it may follow.
        flushed: bool,
    },
    /// How likely the caller has finished, by the recogniser's own judgement. Zero takes back an answer to a flush that
    /// was given before: its words were but the beginning.
    EndOfTurn {
        /// The segment.
        segment: SegmentId,
        /// 0 to 1.
        probability: f32,
    },
}

/// A recogniser, shared by all calls.
pub trait SpeechToText: Send + Sync {
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
    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError>;
}

/// One call's recogniser. Dropping it cancels everything.
pub trait SttSession {
    /// How it wants its audio.
    fn mode(&self) -> SttMode;

    /// A segment begins; it replaces an unfinished one.
    ///
    /// # Errors
    /// [`SttError::Overloaded`]: not now; anything else: the session is broken.
    fn begin(&mut self, segment: Segment) -> Result<(), SttError>;

    /// The next frame. Never blocks.
    ///
    /// # Errors
    /// The session is broken.
    fn hear(&mut self, frame: &Frame) -> Result<(), SttError>;

    /// All of the segment has been heard: answer with one `Final { flushed: true }`.
    ///
    /// # Errors
    /// The session is broken.
    fn flush(&mut self) -> Result<(), SttError>;

    /// The segment waits for an engine: late, but not lost.
    fn is_queued(&self) -> bool {
        false
    }

    /// The running segment is not wanted any more: of a stream, because its turn is over or it was no speech.
    fn abandon(&mut self);

    /// The next event; a session without work is pending.
    ///
    /// # Errors
    /// [`SttError::Overloaded`]: a guess ([`Urgency::Partial`]) gave way to something more urgent, and will not come;
    /// anything else: the session is broken.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>>;
}

/// Why recognition failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SttError {
    /// All engines are busy and their queue is full; try again shortly.
    #[error("all recognisers are busy ({queued} waiting)")]
    Overloaded {
        /// How many segments wait.
        queued: usize,
    },
    /// A model file cannot be used.
    #[error("speech model {path}: {reason}")]
    Model {
        /// Where it was looked for.
        path: std::path::PathBuf,
        /// What is wrong.
        reason: String,
    },
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
