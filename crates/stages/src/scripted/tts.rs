use super::Config;
use super::tone::Tone;
use crate::alarm::Alarm;
use crate::text::word_end;
use crate::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use ringway_frame::Frame;
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Hums a tone as long as its text.
#[derive(Clone, Debug)]
pub struct ScriptedTts {
    delay: Duration,
}

impl ScriptedTts {
    /// A voice after this script.
    pub fn new(config: &Config) -> Self {
        Self { delay: config.tts }
    }
}

impl TextToSpeech for ScriptedTts {
    fn name(&self) -> &str {
        "scripted"
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        let tone = Tone::new(call.format);
        Ok(Box::new(Session { delay: self.delay, tone, clauses: VecDeque::new(), alarm: Alarm::default() }))
    }
}

#[derive(Debug)]
struct Session {
    delay: Duration,
    tone: Tone,
    clauses: VecDeque<Spoken>,
    alarm: Alarm,
}

impl TtsSession for Session {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if self.clauses.len() == MAX_CLAUSES {
            return Err(TtsError::Overloaded { queued: self.clauses.len() });
        }
        let due = Instant::now() + self.delay;
        self.clauses.push_back(Spoken { clause, due, frames: 0, words: 0, characters: 0 });
        Ok(())
    }

    fn cancel(&mut self) {
        self.clauses.clear();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let Some(spoken) = self.clauses.front_mut() else { return Poll::Pending };
        ready!(self.alarm.poll(spoken.due, cx));
        let event = spoken.next();
        match event {
            TtsEvent::Audio => frame.payload_mut().copy_from_slice(self.tone.payload(spoken.frames - 1)),
            TtsEvent::Done { .. } => drop(self.clauses.pop_front()),
            TtsEvent::Word { .. } => {}
        }
        Poll::Ready(Ok(event))
    }
}

/// A clause, and how far it was spoken.
#[derive(Debug)]
struct Spoken {
    clause: Clause,
    due: Instant,
    frames: usize,
    /// Bytes of the text up to the end of the last word that was reported.
    words: usize,
    /// The same in characters.
    characters: usize,
}

impl Spoken {
    fn next(&mut self) -> TtsEvent {
        let rest = &self.clause.text[self.words..];
        if rest.is_empty() {
            return TtsEvent::Done { clause: self.clause.id };
        }
        let word = &rest[..word_end(rest)];
        let characters = self.characters + word.chars().count();
        if self.frames < characters * FRAMES_PER_CHARACTER {
            self.frames += 1;
            return TtsEvent::Audio;
        }
        self.characters = characters;
        self.words += word.len();
        TtsEvent::Word { clause: self.clause.id, upto: self.words as u32 }
    }
}

/// 60 ms.
const FRAMES_PER_CHARACTER: usize = 3;
/// Clauses that wait to be spoken; beyond it the newest is refused.
const MAX_CLAUSES: usize = 64;
