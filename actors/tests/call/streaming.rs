//! Recognisers that hear every frame as it comes.

use crate::common::engines::{all, word_of, words};
use crate::common::{World, with_engines};
use ringway_actors::{CallEventKind, Fault};
use ringway_frame::Frame;
use ringway_stages::stt::{
    Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttMode, SttSession,
};
use ringway_turn::{Event, Speaker, StageKind};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep as pass};

/// Answers after a time with all words of the segment; after its first answers it judges the turn's end.
#[derive(Clone, Default)]
struct Streamer {
    takes: Duration,
    judgements: Arc<Mutex<VecDeque<f32>>>,
    questions: Arc<AtomicUsize>,
    abandoned: Arc<AtomicUsize>,
}

struct Session {
    service: Streamer,
    segment: SegmentId,
    frames: Vec<Option<&'static str>>,
    from: usize,
    /// What had been heard when it was asked.
    heard: String,
    answer: Option<Pin<Box<Sleep>>>,
    events: VecDeque<SttEvent>,
}

/// What is heard before the sign of speech belongs to it.
const ONSET_FRAMES: usize = 15;

impl SpeechToText for Streamer {
    fn name(&self) -> &str {
        "streamer"
    }

    fn open(&self, _: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(Box::new(Session {
            service: self.clone(),
            segment: SegmentId(0),
            frames: Vec::new(),
            from: 0,
            heard: String::new(),
            answer: None,
            events: VecDeque::new(),
        }))
    }
}

impl SttSession for Session {
    fn mode(&self) -> SttMode {
        SttMode::Streaming
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.segment = segment.id;
        self.from = self.frames.len().saturating_sub(ONSET_FRAMES);
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.frames.push(word_of(frame));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        self.service.questions.fetch_add(1, Ordering::Relaxed);
        self.heard = words(self.frames[self.from..].iter().copied()).join(" ");
        self.answer = Some(Box::pin(pass(self.service.takes)));
        Ok(())
    }

    fn abandon(&mut self) {
        self.service.abandoned.fetch_add(1, Ordering::Relaxed);
        self.answer = None;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        if self.answer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
            self.answer = None;
            let text = self.heard.clone();
            let segment = self.segment;
            self.events.push_back(SttEvent::Final { segment, text, flushed: true });
            let judgement = self.service.judgements.lock().unwrap().pop_front();
            self.events.extend(judgement.map(|probability| SttEvent::EndOfTurn { segment, probability }));
        }
        self.events.pop_front().map_or(Poll::Pending, |event| Poll::Ready(Ok(event)))
    }
}

/// What was understood in a call whose caller does this until they are answered; on a thread of its own, since a thread is
/// one media core.
fn understood(service: &Streamer, caller: impl AsyncFnOnce(&World) + Send) -> Vec<String> {
    std::thread::scope(|scope| scope.spawn(|| understood_here(service, caller)).join().unwrap())
}

fn understood_here(service: &Streamer, caller: impl AsyncFnOnce(&World)) -> Vec<String> {
    let understood = Arc::new(Mutex::new(Vec::new()));
    let told = understood.clone();
    let mut engines = all();
    engines.stt = vec![Arc::new(service.clone())];
    let test = async move |mut world: World| {
        pass(Duration::from_secs(2)).await;
        caller(&world).await;
        world.line.until("the answer", |line| line.heard().ends_with(&["oscar", "papa"])).await;
        let said = world.drain().into_iter().filter_map(|event| match event {
            CallEventKind::Turn(Event::Message { who: Speaker::Caller, text, .. }) => Some(text),
            _ => None,
        });
        told.lock().unwrap().extend(said);
    };
    with_engines(ringway_turn::Config::default(), |_| engines, test);
    std::mem::take(&mut *understood.lock().unwrap())
}

/// Pauses for a quarter of a second.
async fn pausing(world: &World) {
    world.line.say(&["alpha", "bravo"]);
    world.line.until("a pause", |line| line.left_to_say() == 0).await;
    pass(Duration::from_millis(250)).await;
    world.line.say(&["charlie", "delta"]);
}

#[test]
fn words_before_a_pause_are_said_once_however_late_their_answer_is() {
    // Within the pause, and behind it.
    for takes in [40, 400] {
        let service = Streamer { takes: Duration::from_millis(takes), ..Streamer::default() };
        assert_eq!(understood(&service, pausing), ["alpha bravo charlie delta"], "{takes} ms");
        assert_eq!(service.abandoned.load(Ordering::Relaxed), 1, "the turn is over once");
    }
}

#[test]
fn an_answer_that_the_recogniser_takes_back_is_asked_for_again() {
    let asked = |judgements: &[f32]| {
        let takes = Duration::from_millis(40);
        let judgements = Arc::new(Mutex::new(judgements.iter().copied().collect()));
        let service = Streamer { takes, judgements, ..Streamer::default() };
        assert_eq!(understood(&service, pausing), ["alpha bravo charlie delta"]);
        service.questions.load(Ordering::Relaxed)
    };
    assert_eq!(asked(&[0.75]) + 1, asked(&[0.0]));
}

#[test]
fn a_recogniser_that_takes_over_in_a_sentence_hears_all_of_it() {
    let service = Streamer { takes: Duration::from_millis(40), ..Streamer::default() };
    let said = understood(&service, async |world| {
        world.line.say(&["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"]);
        world.line.until("the last words", |line| line.left_to_say() <= 2).await;
        world.line.call.inject(StageKind::Stt, Fault::Error).expect("the call lives");
    });
    assert_eq!(said, ["alpha bravo charlie delta echo foxtrot"]);
}

#[test]
fn a_recogniser_that_takes_over_behind_the_last_word_hears_all_before_it_is_asked() {
    let service = Streamer { takes: Duration::from_millis(400), ..Streamer::default() };
    let said = understood(&service, async |world| {
        world.line.say(&["alpha", "bravo"]);
        world.line.until("the last word", |line| line.left_to_say() == 0).await;
        pass(Duration::from_millis(300)).await;
        world.line.call.inject(StageKind::Stt, Fault::Error).expect("the call lives");
    });
    assert_eq!(said, ["alpha bravo"]);
}
