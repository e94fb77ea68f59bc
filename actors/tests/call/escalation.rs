//! A stage dies: the next engine serves, and when none may be restarted any more the caller hears an apology.

use crate::common::engines::{self, APOLOGY, GREETING, REPLY, Reader, Reciter, Speaker};
use crate::common::hooked::{Act, Hooked};
use crate::common::{World, with_engines};
use ringway_actors::{CallEventKind, Engines, Fault, RestartConfig, StageState};
use ringway_stages::llm::{LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession};
use ringway_stages::services::ServiceError;
use ringway_stages::stt::SpeechToText;
use ringway_stages::tts::TextToSpeech;
use ringway_turn::{EndReason, Event, Speaker as Who, StageKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::sleep as pass;

const SENTENCE: [&str; 4] = ["alpha", "bravo", "charlie", "delta"];

type Stt = Hooked<dyn SpeechToText>;
type Llm = Hooked<dyn LanguageModel>;
type Tts = Hooked<dyn TextToSpeech>;

fn stt(kills: fn(Act) -> bool) -> Arc<Stt> {
    Hooked::new(Arc::new(Reader) as Arc<dyn SpeechToText>, kills)
}

fn llm(kills: fn(Act) -> bool) -> Arc<Llm> {
    Hooked::new(Arc::new(Reciter) as Arc<dyn LanguageModel>, kills)
}

fn tts(kills: fn(Act) -> bool) -> Arc<Tts> {
    Hooked::new(Arc::new(Speaker) as Arc<dyn TextToSpeech>, kills)
}

fn of_nothing(_: Act) -> bool {
    false
}

fn of_being_opened(act: Act) -> bool {
    act == Act::Open
}

fn of_being_asked(act: Act) -> bool {
    act == Act::Ask
}

fn of_its_second_word(act: Act) -> bool {
    act == Act::Word(1)
}

/// Sessions of an engine that keeps dying: those that are permitted, and the first.
fn lives() -> usize {
    RestartConfig::default().max_restarts + 1
}

fn with<F: Future<Output = ()>>(engines: Engines, test: impl FnOnce(World) -> F) {
    with_engines(ringway_turn::Config::default(), |_| engines, test);
}

fn understood(events: &[CallEventKind]) -> Vec<String> {
    let of = |event: &CallEventKind| match event {
        CallEventKind::Turn(Event::Message { who: Who::Caller, text, .. }) => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// Greeting, sentence and answer, of which nothing is missing, though engines died.
async fn converses(mut world: World) {
    pass(Duration::from_secs(3)).await;
    world.line.say(&SENTENCE);
    let whole = format!("{GREETING} {REPLY}");
    world.line.until("the answer", |line| line.heard().join(" ") == whole).await;
    pass(Duration::from_secs(1)).await;
    let events = world.drain();
    assert_eq!(understood(&events), [SENTENCE.join(" ")], "no word of the caller is lost");
    assert_eq!(world.line.heard().join(" "), whole, "and none of the bot's");
    assert!(world.line.ended().is_none(), "the call goes on");
}

#[test]
fn a_recogniser_that_dies_gives_way_to_the_next() {
    let (dying, next) = (stt(of_being_asked), stt(of_nothing));
    with(Engines { stt: vec![dying.clone(), next.clone()], ..engines::all() }, converses);
    assert_eq!((dying.opened(), next.opened()), (1, 1));
}

#[test]
fn a_language_model_that_dies_gives_way_to_the_next_in_the_middle_of_the_answer() {
    let (dying, next) = (llm(of_its_second_word), llm(of_nothing));
    with(Engines { llm: vec![dying.clone(), next.clone()], ..engines::all() }, converses);
    assert_eq!((dying.opened(), next.opened()), (1, 1));
}

#[test]
fn a_voice_that_dies_gives_way_to_the_next_in_the_middle_of_the_answer() {
    let (dying, next) = (tts(of_its_second_word), tts(of_nothing));
    with(Engines { tts: vec![dying.clone(), next.clone()], ..engines::all() }, converses);
    assert_eq!((dying.opened(), next.opened()), (1, 1));
}

#[test]
fn an_engine_that_cannot_be_opened_is_passed_over_at_once() {
    let (refusing, next) = (stt(of_being_opened), stt(of_nothing));
    with(Engines { stt: vec![refusing.clone(), next.clone()], ..engines::all() }, converses);
    assert_eq!((refusing.opened(), next.opened()), (1, 1));
}

/// The caller hears the apology whole, and then the call ends with the reason.
async fn apologises(mut world: World, stage: StageKind) {
    world.line.until("the end", |line| line.ended().is_some()).await;
    assert_eq!(world.line.ended(), Some(EndReason::StageFailed(stage)));
    assert!(world.line.heard().ends_with(&APOLOGY), "{:?}", world.line.heard());
    pass(Duration::from_secs(1)).await;
    let events = world.drain();
    let gone = |event: &&CallEventKind| matches!(event, CallEventKind::Stage { stage: of, state: StageState::Gone } if *of == stage);
    assert_eq!(events.iter().filter(gone).count(), 1);
    let ended = |event: &&CallEventKind| matches!(event, CallEventKind::Ended { .. });
    assert_eq!(events.iter().filter(ended).count(), 1);
}

#[test]
fn without_a_recogniser_that_lives_the_call_ends_with_an_apology() {
    let (one, other) = (stt(of_being_asked), stt(of_being_asked));
    with(Engines { stt: vec![one.clone(), other.clone()], ..engines::all() }, |world| async move {
        pass(Duration::from_secs(3)).await;
        world.line.say(&SENTENCE);
        apologises(world, StageKind::Stt).await;
    });
    assert_eq!((one.opened(), other.opened()), (lives(), lives()));
}

#[test]
fn without_a_language_model_that_lives_the_call_ends_with_an_apology() {
    let (one, other) = (llm(of_being_asked), llm(of_being_asked));
    with(Engines { llm: vec![one.clone(), other.clone()], ..engines::all() }, |world| {
        apologises(world, StageKind::Llm)
    });
    assert_eq!((one.opened(), other.opened()), (lives(), lives()));
}

#[test]
fn without_a_voice_that_lives_the_apology_is_played_from_memory() {
    let (one, other) = (tts(of_being_asked), tts(of_being_asked));
    with(Engines { tts: vec![one.clone(), other.clone()], ..engines::all() }, |world| {
        apologises(world, StageKind::Tts)
    });
    assert_eq!((one.opened(), other.opened()), (lives(), lives()));
}

#[test]
fn a_detection_that_keeps_dying_in_one_call_ends_it_with_an_apology() {
    with(engines::all(), |world| async move {
        pass(Duration::from_secs(2)).await;
        for _ in 0..lives() {
            world.line.call.inject(StageKind::Vad, Fault::Panic).expect("the call lives");
            pass(Duration::from_millis(100)).await;
        }
        apologises(world, StageKind::Vad).await;
    });
}

#[test]
fn a_call_that_gets_no_recogniser_at_all_ends_with_an_apology() {
    let refusing = stt(of_being_opened);
    with(Engines { stt: vec![refusing], ..engines::all() }, |world| apologises(world, StageKind::Stt));
}

/// A model whose service answers each request with this status.
struct Refusing {
    status: u16,
    asked: Arc<AtomicUsize>,
}

struct RefusingSession(Arc<AtomicUsize>, u16);

impl Refusing {
    fn with(status: u16) -> Arc<Self> {
        Arc::new(Self { status, asked: Arc::default() })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl LanguageModel for Refusing {
    fn name(&self) -> &str {
        "refusing"
    }

    fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(RefusingSession(self.asked.clone(), self.status)))
    }
}

impl LlmSession for RefusingSession {
    fn reply(&mut self, _: LlmRequest) -> Result<(), LlmError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let source = ServiceError::Status { status: self.1, message: "so it is".into() };
        Err(LlmError::Service { engine: "refusing", source })
    }

    fn cancel(&mut self) {}

    fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        Poll::Pending
    }
}

/// Each on a thread of its own, since a thread is one media core.
fn for_each<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || test(case)).join().unwrap();
        }
    });
}

#[test]
fn a_service_that_keeps_failing_is_asked_again_over_seconds_and_not_at_once() {
    for_each([429, 503], |status| {
        let model = Refusing::with(status);
        with(Engines { llm: vec![model.clone()], ..engines::all() }, |mut world| async move {
            world.line.until("the end", |line| line.ended().is_some()).await;
            let pauses = world.drain().into_iter().filter_map(|event| match event {
                CallEventKind::StageRestarted { stage: StageKind::Llm, pause, .. } => Some(pause),
                _ => None,
            });
            let pauses: Vec<_> = pauses.collect();
            assert_eq!(pauses.len(), lives() - 1);
            assert!(pauses[0] < Duration::from_millis(10), "the first time at once: {pauses:?}");
            assert!(pauses.iter().sum::<Duration>() > Duration::from_secs(1), "{pauses:?}");
        });
        assert_eq!(model.asked(), lives());
    });
}

#[test]
fn what_a_service_refused_for_good_is_not_asked_of_it_again() {
    for_each([400, 401, 404, 422], |status| {
        let model = Refusing::with(status);
        with(Engines { llm: vec![model.clone()], ..engines::all() }, |world| {
            apologises(world, StageKind::Llm)
        });
        assert_eq!(model.asked(), 1, "{status}");
    });
}

#[test]
fn what_a_service_refused_for_good_is_asked_of_the_next_at_once() {
    for_each([(400, "refused"), (401, "unfit")], |(status, name)| {
        let (model, next) = (Refusing::with(status), llm(of_nothing));
        let engines = Engines { llm: vec![model.clone(), next], ..engines::all() };
        with(engines, |mut world| async move {
            world.line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            let restarted = world.drain().into_iter().find_map(|event| match event {
                CallEventKind::StageRestarted { cause, detail, pause, .. } => Some((cause, detail, pause)),
                _ => None,
            });
            let (cause, detail, pause) = restarted.expect("the stage died");
            assert_eq!((cause.name(), pause < Duration::from_millis(10)), (name, true));
            assert!(detail.contains(&format!("status {status}: so it is")), "{detail}");
        });
        assert_eq!(model.asked(), 1);
    });
}
