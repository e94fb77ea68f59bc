//! More at once than anybody has room for: it waits, and nothing is lost.

use crate::common::engines::{self, WORD_FRAMES, WORDS};
use crate::common::with_engines;
use ringway_actors::{CallEventKind, Engines};
use ringway_frame::Frame;
use ringway_stages::Expectation;
use ringway_stages::llm::{LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::time::Instant;

/// Says all of this at once, in these pieces.
struct Torrent(Vec<String>);

struct Session {
    pieces: Vec<String>,
    events: VecDeque<LlmEvent>,
}

impl LanguageModel for Torrent {
    fn name(&self) -> &str {
        "torrent"
    }

    fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(Session { pieces: self.0.clone(), events: VecDeque::new() }))
    }
}

impl LlmSession for Session {
    fn reply(&mut self, LlmRequest { id, .. }: LlmRequest) -> Result<(), LlmError> {
        let text = |text: String| LlmEvent::Text { id, text };
        self.events = std::mem::take(&mut self.pieces).into_iter().map(text).collect();
        let next = Next::Listen(Expectation::anything());
        self.events.push_back(LlmEvent::Done { id, next, memo: String::new() });
        Ok(())
    }

    fn cancel(&mut self) {
        self.events.clear();
    }

    fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        self.events.pop_front().map_or(Poll::Pending, |event| Poll::Ready(Ok(event)))
    }
}

/// A call whose greeting is said so hears these words, and no stage dies of it.
fn is_heard(pieces: Vec<String>, words: &[&'static str]) {
    let model = Arc::new(Torrent(pieces));
    let engines = Engines { llm: vec![model], ..engines::all() };
    with_engines(
        ringway_turn::Config::default(),
        |_| engines,
        |mut world| async move {
            world.line.until("all of it", |line| line.heard() == words).await;
            let events = world.drain();
            assert!(!events.iter().any(|event| matches!(event, CallEventKind::StageDied { .. })));
        },
    );
}

#[test]
fn a_hundred_clauses_at_once_are_all_heard() {
    let words: Vec<_> = WORDS.into_iter().cycle().take(100).collect();
    let text: String = words.iter().map(|word| format!("{word}. ")).collect();
    is_heard(vec![text], &words);
}

#[test]
fn four_thousand_tokens_at_once_are_all_taken() {
    let mut pieces = vec!["so ".to_owned(); 4_000];
    pieces.push("papa.".to_owned());
    is_heard(pieces, &["papa"]);
}

/// A voice that notes when it makes a frame.
struct Noted {
    voice: Arc<dyn TextToSpeech>,
    made: Arc<Mutex<Vec<Instant>>>,
}

struct NotedSession {
    session: Box<dyn TtsSession>,
    made: Arc<Mutex<Vec<Instant>>>,
}

impl TextToSpeech for Noted {
    fn name(&self) -> &str {
        "noted"
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(NotedSession { session: self.voice.open(call)?, made: self.made.clone() }))
    }
}

impl TtsSession for NotedSession {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        self.session.speak(clause)
    }

    fn cancel(&mut self) {
        self.session.cancel();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let event = self.session.poll_next(cx, frame);
        if let Poll::Ready(Ok(TtsEvent::Audio)) = event {
            self.made.lock().unwrap().push(Instant::now());
        }
        event
    }
}

#[test]
fn a_voice_that_is_a_second_ahead_makes_some_frames_at_a_time() {
    let words: Vec<_> = WORDS.into_iter().take(20).collect();
    let made = Arc::default();
    let voice = Arc::new(Noted { voice: Arc::new(engines::Speaker), made: Arc::clone(&made) });
    let model = Arc::new(Torrent(vec![format!("{}.", words.join(" "))]));
    let engines = Engines { llm: vec![model], tts: vec![voice], ..engines::all() };
    with_engines(
        ringway_turn::Config::default(),
        |_| engines,
        |world| async move {
            world.line.until("all of it", |line| line.heard() == words).await;
            let mut times: Vec<Instant> = made.lock().unwrap().clone();
            let frames = times.len();
            times.dedup();
            assert_eq!(frames, words.len() * WORD_FRAMES);
            assert!(times.len() <= 30, "{frames} frames were made at {} times", times.len());
        },
    );
}
