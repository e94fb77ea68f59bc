//! A voice that refuses a clause: the others are heard, and the call goes on.

use crate::common::engines::{self, GREETING, Speaker};
use crate::common::{World, with_engines};
use ringway_actors::{CallEventKind, Engines};
use ringway_frame::Frame;
use ringway_stages::services::ServiceError;
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use ringway_turn::{Event, Speculation, StageKind};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::sleep as pass;

/// Speaks all but clauses with this word in them.
struct Picky {
    word: &'static str,
    status: u16,
}

struct PickySession {
    voice: Box<dyn TtsSession>,
    word: &'static str,
    status: u16,
    refused: VecDeque<u32>,
}

impl TextToSpeech for Picky {
    fn name(&self) -> &str {
        "picky"
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        let voice = Speaker.open(call)?;
        Ok(Box::new(PickySession { voice, word: self.word, status: self.status, refused: VecDeque::new() }))
    }
}

impl TtsSession for PickySession {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if !self.refused.is_empty() {
            return Err(TtsError::Overloaded { queued: 1 });
        }
        if !clause.text.contains(self.word) {
            return self.voice.speak(clause);
        }
        self.refused.push_back(clause.id);
        Ok(())
    }

    fn cancel(&mut self) {
        self.refused.clear();
        self.voice.cancel();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let spoken = self.voice.poll_next(cx, frame);
        let Some(clause) = self.refused.pop_front_if(|_| spoken.is_pending()) else { return spoken };
        let source = ServiceError::Status { status: self.status, message: "no".into() };
        let lasting = self.status == 400;
        Poll::Ready(Err(TtsError::Refused { engine: "picky", clause, source, lasting }))
    }
}

/// What a turn with such a voice came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    heard: String,
    deaths: usize,
    left_out: usize,
    ended: bool,
}

async fn converse(mut world: World) -> Outcome {
    pass(Duration::from_secs(2)).await;
    world.line.say(&["alpha"]);
    pass(Duration::from_secs(12)).await;
    let (heard, ended) = (world.line.heard().join(" "), world.line.ended().is_some());
    let mut outcome = Outcome { heard, deaths: 0, left_out: 0, ended };
    for event in world.drain() {
        match event {
            CallEventKind::StageDied { stage: StageKind::Tts, .. } => outcome.deaths += 1,
            CallEventKind::Turn(Event::Unspoken { .. }) => outcome.left_out += 1,
            _ => {}
        }
    }
    outcome
}

/// One reply to a caller whose turn is over.
fn with_voices(voices: Vec<Arc<dyn TextToSpeech>>) -> Outcome {
    speculating(Speculation::Off, voices)
}

fn speculating(speculation: Speculation, voices: Vec<Arc<dyn TextToSpeech>>) -> Outcome {
    // Clauses of two words, and no question after a silence: the same would be refused of it.
    let turn = ringway_turn::Config {
        clause_max: 16,
        clause_min: 16,
        speculation,
        silence_prompt_after: Duration::from_secs(60),
        ..ringway_turn::Config::default()
    };
    let mut outcome = None;
    let engines = |_: &_| Engines { tts: voices, ..engines::all() };
    with_engines(turn, engines, |world| async {
        outcome = Some(converse(world).await);
    });
    outcome.expect("it ran")
}

fn picky(word: &'static str, status: u16) -> Arc<dyn TextToSpeech> {
    Arc::new(Picky { word, status })
}

/// The reply without the clause "india juliet".
const WITHOUT: &str = "golf hotel kilo lima mike november oscar papa";

#[test]
fn a_clause_that_is_refused_for_good_is_left_out_at_once_where_nobody_else_could_say_it() {
    let outcome = with_voices(vec![picky("juliet", 400)]);
    let heard = format!("{GREETING} {WITHOUT}");
    assert_eq!(outcome, Outcome { heard, deaths: 0, left_out: 1, ended: false });
}

#[test]
fn nothing_is_left_out_of_a_reply_that_nobody_was_to_hear() {
    // What is said to the beginning of "alpha" is thrown away.
    let outcome = speculating(Speculation::Tts, vec![picky("juliet", 400)]);
    let heard = format!("{GREETING} {WITHOUT}");
    assert_eq!(outcome, Outcome { heard, deaths: 0, left_out: 1, ended: false });
}

#[test]
fn a_clause_that_is_refused_twice_is_left_out_and_the_others_are_heard() {
    let outcome = with_voices(vec![picky("juliet", 500)]);
    let heard = format!("{GREETING} {WITHOUT}");
    assert_eq!(outcome, Outcome { heard, deaths: 2, left_out: 1, ended: false });
}

#[test]
fn another_voice_says_what_the_first_refuses() {
    let outcome = with_voices(vec![picky("juliet", 400), Arc::new(Speaker)]);
    let heard = format!("{GREETING} {}", engines::REPLY);
    assert_eq!(outcome, Outcome { heard, deaths: 1, left_out: 0, ended: false });
}

#[test]
fn a_voice_that_refuses_everything_has_failed() {
    let outcome = with_voices(vec![picky("", 400)]);
    assert!(outcome.ended && outcome.deaths > 1, "{outcome:?}");
}
