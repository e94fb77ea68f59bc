//! Engines that stand before others, and are told at each thing they do what becomes of them.

use ringway_frame::Frame;
use ringway_stages::llm::{LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession};
use ringway_stages::stt::{Segment, SpeechToText, SttCall, SttError, SttEvent, SttMode, SttSession};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep as pass};

/// Something an engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Begins a session.
    Open,
    /// Is asked for an answer.
    Ask,
    /// Looks for its next word after so many of this session.
    Word(usize),
}

/// What becomes of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does as it should.
    Lives,
    /// It fails.
    Dies,
    /// It says nothing any more.
    Hangs,
    /// It says nothing for so long.
    Rests(Duration),
}

impl From<bool> for Fate {
    fn from(dies: bool) -> Self {
        if dies { Self::Dies } else { Self::Lives }
    }
}

type Fates = Arc<dyn Fn(Act) -> Fate + Send + Sync>;

/// An engine and its fate.
pub struct Hooked<E: ?Sized> {
    engine: Arc<E>,
    fates: Fates,
    opened: AtomicUsize,
}

impl<E: ?Sized> Hooked<E> {
    /// What `fates` says becomes of the engine.
    pub fn new<F: Into<Fate>>(engine: Arc<E>, fates: impl Fn(Act) -> F + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { engine, fates: Arc::new(move |act| fates(act).into()), opened: AtomicUsize::new(0) })
    }

    /// Sessions that were begun.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    fn begin<S>(&self, session: S) -> Option<Session<S>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let mut session = Session { session, fates: self.fates.clone(), words: 0, hangs: false, rest: None };
        session.lives(Act::Open).then_some(session)
    }
}

struct Session<S> {
    session: S,
    fates: Fates,
    words: usize,
    hangs: bool,
    rest: Option<Pin<Box<Sleep>>>,
}

impl<S> Session<S> {
    /// Whether it survives this.
    fn lives(&mut self, act: Act) -> bool {
        match (self.fates)(act) {
            Fate::Lives => {}
            Fate::Dies => return false,
            Fate::Hangs => self.hangs = true,
            Fate::Rests(length) => self.rest = Some(Box::pin(pass(length))),
        }
        true
    }

    /// Whether it says nothing now.
    fn is_silent(&mut self, cx: &mut Context<'_>) -> bool {
        let rests = self.rest.as_mut().is_some_and(|rest| rest.as_mut().poll(cx).is_pending());
        if !rests {
            self.rest = None;
        }
        self.hangs || rests
    }
}

const ENGINE: &str = "hooked";
const REASON: &str = "killed";

fn stt_error() -> SttError {
    SttError::Engine { engine: ENGINE.into(), reason: REASON.into() }
}

fn llm_error() -> LlmError {
    LlmError::Engine { engine: ENGINE.into(), reason: REASON.into() }
}

fn tts_error() -> TtsError {
    TtsError::Engine { engine: ENGINE.into(), reason: REASON.into() }
}

impl SpeechToText for Hooked<dyn SpeechToText> {
    fn name(&self) -> &str {
        ENGINE
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(Box::new(self.begin(self.engine.open(call)?).ok_or_else(stt_error)?))
    }
}

impl SttSession for Session<Box<dyn SttSession>> {
    fn mode(&self) -> SttMode {
        self.session.mode()
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.session.begin(segment)
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.session.hear(frame)
    }

    fn flush(&mut self) -> Result<(), SttError> {
        if self.lives(Act::Ask) { self.session.flush() } else { Err(stt_error()) }
    }

    fn abandon(&mut self) {
        self.session.abandon();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        if !self.lives(Act::Word(self.words)) {
            return Poll::Ready(Err(stt_error()));
        }
        if self.is_silent(cx) {
            return Poll::Pending;
        }
        self.session.poll_event(cx).map_ok(|event| {
            self.words += 1;
            event
        })
    }
}

impl LanguageModel for Hooked<dyn LanguageModel> {
    fn name(&self) -> &str {
        ENGINE
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(self.begin(self.engine.open(call)?).ok_or_else(llm_error)?))
    }
}

impl LlmSession for Session<Box<dyn LlmSession>> {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        if self.lives(Act::Ask) { self.session.reply(request) } else { Err(llm_error()) }
    }

    fn cancel(&mut self) {
        self.session.cancel();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        if !self.lives(Act::Word(self.words)) {
            return Poll::Ready(Err(llm_error()));
        }
        if self.is_silent(cx) {
            return Poll::Pending;
        }
        self.session.poll_event(cx).map_ok(|event| {
            self.words += 1;
            event
        })
    }
}

impl TextToSpeech for Hooked<dyn TextToSpeech> {
    fn name(&self) -> &str {
        ENGINE
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(self.begin(self.engine.open(call)?).ok_or_else(tts_error)?))
    }
}

impl TtsSession for Session<Box<dyn TtsSession>> {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if self.lives(Act::Ask) { self.session.speak(clause) } else { Err(tts_error()) }
    }

    fn cancel(&mut self) {
        self.session.cancel();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        if !self.lives(Act::Word(self.words)) {
            return Poll::Ready(Err(tts_error()));
        }
        if self.is_silent(cx) {
            return Poll::Pending;
        }
        self.session.poll_next(cx, frame).map_ok(|event| {
            self.words += usize::from(matches!(event, TtsEvent::Word { .. }));
            event
        })
    }
}
