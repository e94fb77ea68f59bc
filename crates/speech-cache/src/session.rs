use super::Key;
use super::key::Voice;
use super::speech::{Playback, Recording, Speech};
use super::tiers::{Found, Tiers};
use ringway_frame::{Format, Frame};
use ringway_stages::Alarm;
use ringway_stages::tts::{Clause, TtsError, TtsEvent, TtsSession};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// One call's voice: clauses from memory, from the disk and from the engine, in order.
pub(super) struct Session {
    engine: Box<dyn TtsSession>,
    voice: Voice,
    format: Format,
    tiers: Arc<Tiers>,
    clauses: VecDeque<Source>,
    /// Of the clause that the disk is asked for.
    alarm: Alarm,
    made: u64,
}

/// Where a clause comes from.
enum Source {
    Memory(Playback),
    /// The disk reads it.
    Disk(Key, Clause, Reading),
    /// The engine's, when it is known where those before it come from: an engine speaks in the order it is asked.
    Behind(Key, Clause),
    /// The engine's next clause, and a copy for the cache.
    Engine(Key, Recording),
}

/// A clause that was asked of the disk.
struct Reading {
    answer: oneshot::Receiver<Option<Speech>>,
    /// Since the clause's turn to be resolved came.
    since: Option<Instant>,
}

impl Session {
    pub(super) fn new(engine: Box<dyn TtsSession>, voice: Voice, format: Format, tiers: Arc<Tiers>) -> Self {
        let (clauses, alarm) = (VecDeque::new(), Alarm::default());
        Self { engine, voice, format, tiers, clauses, alarm, made: 0 }
    }

    /// Clauses that the engine has completed.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// The front is over.
    fn finish(&mut self) {
        if let Some(Source::Engine(key, recording)) = self.clauses.pop_front() {
            self.made += 1;
            if let Some(speech) = recording.finish(self.format) {
                self.tiers.keep(key, speech);
            }
        }
    }

    fn ask_engine(&mut self, key: Key, clause: Clause) -> Result<Source, TtsError> {
        let recording = Recording::new(&clause, self.format, self.tiers.most());
        self.engine.speak(clause)?;
        Ok(Source::Engine(key, recording))
    }

    fn is_unresolved(&self) -> bool {
        self.clauses.iter().any(|source| matches!(source, Source::Disk(..)))
    }

    /// Finds out where clauses come from, up to the first that the disk still reads.
    fn resolve(&mut self, cx: &mut Context<'_>) -> Result<(), TtsError> {
        for at in 0..self.clauses.len() {
            let read = match &mut self.clauses[at] {
                Source::Memory(_) | Source::Engine(..) => continue,
                Source::Behind(..) => None,
                Source::Disk(_, _, reading) => match reading.poll(&mut self.alarm, cx) {
                    Poll::Ready(read) => read,
                    Poll::Pending => return Ok(()),
                },
            };
            self.settle(at, read)?;
        }
        Ok(())
    }

    /// The clause comes from what was read, or else from the engine.
    fn settle(&mut self, at: usize, read: Option<Speech>) -> Result<(), TtsError> {
        let (Source::Behind(key, clause) | Source::Disk(key, clause, _)) = &self.clauses[at] else {
            return Ok(());
        };
        let (key, clause) = (*key, clause.clone());
        self.clauses[at] =
            match read.filter(|speech| speech.format() == self.format && !speech.audio().is_empty()) {
                Some(speech) => Source::Memory(Playback::new(clause.id, self.tiers.promote(key, speech))),
                None => self.ask_engine(key, clause)?,
            };
        Ok(())
    }

    /// An engine without work may have a connection to look after.
    fn look_after_engine(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Result<(), TtsError> {
        let works = self.clauses.iter().any(|source| matches!(source, Source::Engine(..)));
        if !works && let Poll::Ready(Err(error)) = self.engine.poll_next(cx, frame) {
            return Err(error);
        }
        Ok(())
    }
}

impl Reading {
    fn poll(&mut self, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<Option<Speech>> {
        if let Poll::Ready(read) = Pin::new(&mut self.answer).poll(cx) {
            return Poll::Ready(read.unwrap_or_default());
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        alarm.poll(since + PATIENCE, cx).map(|()| None)
    }
}

impl TtsSession for Session {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if self.clauses.len() == MAX_CLAUSES {
            return Err(TtsError::Overloaded { queued: self.clauses.len() });
        }
        let key = self.voice.key(self.format, &clause.text);
        let source = match self.tiers.find(key) {
            Found::Here(speech) => Source::Memory(Playback::new(clause.id, speech)),
            Found::Asked(answer) => Source::Disk(key, clause, Reading { answer, since: None }),
            Found::Nowhere if self.is_unresolved() => Source::Behind(key, clause),
            Found::Nowhere => self.ask_engine(key, clause)?,
        };
        self.clauses.push_back(source);
        Ok(())
    }

    fn cancel(&mut self) {
        self.clauses.clear();
        self.engine.cancel();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        self.resolve(cx)?;
        self.look_after_engine(cx, frame)?;
        let event = match self.clauses.front_mut() {
            None | Some(Source::Disk(..) | Source::Behind(..)) => return Poll::Pending,
            Some(Source::Memory(playback)) => playback.next(frame),
            Some(Source::Engine(_, recording)) => {
                let event = match ready!(self.engine.poll_next(cx, frame)) {
                    Err(refused @ TtsError::Refused { .. }) => {
                        self.clauses.pop_front();
                        return Poll::Ready(Err(refused));
                    }
                    event => event?,
                };
                match event {
                    TtsEvent::Audio => recording.hear(frame),
                    TtsEvent::Word { upto, .. } => recording.mark(upto),
                    TtsEvent::Done { .. } => {}
                }
                event
            }
        };
        if let TtsEvent::Done { .. } = event {
            self.finish();
        }
        Poll::Ready(Ok(event))
    }
}

/// Clauses that wait to be spoken; beyond it the newest is refused.
const MAX_CLAUSES: usize = 64;

/// A disk that takes longer is not waited for: the engine makes the clause.
const PATIENCE: Duration = Duration::from_millis(50);
