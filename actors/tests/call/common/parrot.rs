//! A service that hears and speaks: words of constant samples in, words of constant samples out, and a note of all that
//! was asked of it.

use super::engines::{GREETING, REPLY, WORD_FRAMES, WORDS, frame_of, word_of, words};
use ringway_frame::Frame;
use ringway_stages::llm::{Called, Cue, Said, ToolCall};
use ringway_stages::speech_to_speech::{
    Hearing, SpeechCall, SpeechError, SpeechEvent, SpeechSession, SpeechToSpeech, Wanted,
};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep as pass};

/// What was asked of it, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// A session was begun.
    Open,
    /// These words were a turn.
    Turn(String),
    /// An answer was wanted.
    Answer { cue: Cue, history: Vec<Said>, already: String },
    /// So much of it was heard.
    Cancel(Duration),
    /// These tools said this.
    Results(Vec<String>),
}

/// The service.
#[derive(Default)]
pub struct Parrot {
    asked: Arc<Mutex<Vec<Asked>>>,
    /// It takes no calls any more.
    pub closed: AtomicBool,
    /// It looks up what callers ask for before it answers.
    pub looks_up: AtomicBool,
}

impl Parrot {
    /// All that was asked of it.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl SpeechToSpeech for Parrot {
    fn name(&self) -> &str {
        "parrot"
    }

    fn open(&self, _: SpeechCall) -> Result<Box<dyn SpeechSession>, SpeechError> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(SpeechError::Engine { engine: "parrot".into(), reason: "closed".into() });
        }
        self.asked.lock().unwrap().push(Asked::Open);
        let looks_up = self.looks_up.load(Ordering::Relaxed);
        Ok(Box::new(Session { asked: self.asked.clone(), looks_up, ..Session::default() }))
    }
}

#[derive(Default)]
struct Session {
    asked: Arc<Mutex<Vec<Asked>>>,
    heard: Vec<Option<&'static str>>,
    turns: VecDeque<(Pin<Box<Sleep>>, u32, String)>,
    answer: Option<u32>,
    looks_up: bool,
    /// It waits for what it has asked for.
    calls: Option<bool>,
    text: VecDeque<String>,
    frames: VecDeque<&'static str>,
}

/// From the end of a turn to its words: later than the answer begins.
const WRITES: Duration = Duration::from_millis(300);

impl Session {
    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap().push(asked);
    }
}

impl SpeechSession for Session {
    fn hearing(&self) -> Hearing {
        Hearing::Utterances
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SpeechError> {
        self.heard.push(word_of(frame));
        Ok(())
    }

    fn forget(&mut self) {
        self.heard.clear();
    }

    fn commit(&mut self, turn: u32) -> Result<(), SpeechError> {
        let text = words(std::mem::take(&mut self.heard)).join(" ");
        self.note(Asked::Turn(text.clone()));
        self.turns.push_back((Box::pin(pass(WRITES)), turn, text));
        Ok(())
    }

    fn answer(&mut self, wanted: Wanted) -> Result<(), SpeechError> {
        let Wanted { id, cue, history, already, .. } = wanted;
        let text = if cue == Cue::Joined { GREETING } else { REPLY };
        let rest = text.strip_prefix(&already).expect("it was heard from us").trim_start();
        self.text = rest.split_inclusive(' ').map(str::to_owned).collect();
        let spoken = rest.split(' ').filter_map(|word| WORDS.iter().find(|known| **known == word));
        self.frames = spoken.flat_map(|word| std::iter::repeat_n(*word, WORD_FRAMES)).collect();
        self.answer = Some(id);
        self.calls = (self.looks_up && cue != Cue::Joined).then_some(false);
        self.note(Asked::Answer { cue, history, already });
        Ok(())
    }

    fn results(&mut self, calls: Vec<Called>, _: bool) {
        self.note(Asked::Results(calls.into_iter().map(|called| called.result).collect()));
        self.calls = None;
    }

    fn cancel(&mut self, heard: Duration) {
        self.note(Asked::Cancel(heard));
        (self.answer, self.text, self.frames) = (None, VecDeque::new(), VecDeque::new());
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SpeechEvent, SpeechError>> {
        if let Some((timer, turn, text)) = self.turns.front_mut()
            && timer.as_mut().poll(cx).is_ready()
        {
            let heard = SpeechEvent::Heard { turn: *turn, text: std::mem::take(text) };
            self.turns.pop_front();
            return Poll::Ready(Ok(heard));
        }
        let Some(id) = self.answer else { return Poll::Pending };
        match &mut self.calls {
            None => {}
            Some(true) => return Poll::Pending,
            Some(asked) => {
                *asked = true;
                let (name, arguments) = ("look_up", r#"{"question":"hours"}"#);
                let calls = vec![ToolCall::new("c1", name, arguments)];
                return Poll::Ready(Ok(SpeechEvent::Calls { id, calls }));
            }
        }
        if let Some(text) = self.text.pop_front() {
            return Poll::Ready(Ok(SpeechEvent::Text { id, text }));
        }
        if !self.frames.is_empty() {
            return Poll::Pending;
        }
        self.answer = None;
        Poll::Ready(Ok(SpeechEvent::Done { id, next: None }))
    }

    fn next_frame(&mut self, frame: &mut Frame) -> bool {
        self.calls.is_none()
            && self.frames.pop_front().is_some_and(|word| {
                frame_of(word, frame);
                true
            })
    }
}
