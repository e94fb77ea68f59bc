use super::key::{Key, Voice};
use super::speech::{Playback, Recording};
use super::store::Store;
use crate::tts::{Clause, TtsError, TtsEvent, TtsSession};
use ringway_frame::{Format, Frame};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// One call's voice: clauses from memory and from the engine, in order.
pub(super) struct Session {
    engine: Box<dyn TtsSession>,
    voice: Voice,
    format: Format,
    store: Arc<Store>,
    clauses: VecDeque<Source>,
    made: u64,
}

/// Where a clause comes from.
enum Source {
    Memory(Playback),
    /// The engine's next clause, and a copy for the store.
    Engine(Key, Recording),
}

impl Session {
    pub(super) fn new(engine: Box<dyn TtsSession>, voice: Voice, format: Format, store: Arc<Store>) -> Self {
        Self { engine, voice, format, store, clauses: VecDeque::new(), made: 0 }
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
                self.store.keep(key, speech);
            }
        }
    }
}

impl TtsSession for Session {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if self.clauses.len() == MAX_CLAUSES {
            return Err(TtsError::Overloaded { queued: self.clauses.len() });
        }
        let key = self.voice.key(self.format, &clause.text);
        let source = match self.store.get(key) {
            Some(speech) => Source::Memory(Playback::new(clause.id, speech)),
            None => {
                let recording = Recording::new(&clause, self.format, self.store.most());
                self.engine.speak(clause)?;
                Source::Engine(key, recording)
            }
        };
        self.clauses.push_back(source);
        Ok(())
    }

    fn cancel(&mut self) {
        self.clauses.clear();
        self.engine.cancel();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let event = match self.clauses.front_mut() {
            None => return Poll::Pending,
            Some(Source::Memory(playback)) => playback.next(frame),
            Some(Source::Engine(_, recording)) => {
                let event = ready!(self.engine.poll_next(cx, frame))?;
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
