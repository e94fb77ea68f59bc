//! Chains of services: the first fails in each of some ways, and the caller hears from the second, in time.

use crate::common::engines::{self, GREETING, REPLY, Reader, Reciter, Speaker};
use crate::common::hooked::{Act, Fate, Hooked};
use crate::common::{World, with_engines};
use ringway_actors::{CallEventKind, Cause, Engines, SwitchCause};
use ringway_stages::llm::LanguageModel;
use ringway_stages::stt::SpeechToText;
use ringway_stages::tts::TextToSpeech;
use ringway_turn::{Event, Speaker as Who, StageKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep as pass};

/// Within this the caller hears an answer, whatever fails.
const PATIENCE: Duration = Duration::from_millis(2_500);

const TURNS: [[&str; 2]; 2] = [["alpha", "bravo"], ["charlie", "delta"]];

/// A call whose `stage` has this engine in front of a good one.
fn engines(stage: StageKind, fates: impl Fn(Act) -> Fate + Send + Sync + 'static) -> Engines {
    let (stt, llm, tts): (Arc<dyn SpeechToText>, Arc<dyn LanguageModel>, Arc<dyn TextToSpeech>) =
        (Arc::new(Reader), Arc::new(Reciter), Arc::new(Speaker));
    let mut engines = engines::all();
    match stage {
        StageKind::Vad | StageKind::SpeechToSpeech => unreachable!("{stage:?} has no such substitute"),
        StageKind::Stt => engines.stt.insert(0, Hooked::new(stt, fates)),
        StageKind::Llm => engines.llm.insert(0, Hooked::new(llm, fates)),
        StageKind::Tts => engines.tts.insert(0, Hooked::new(tts, fates)),
    }
    engines
}

/// What became of a call.
struct Outcome {
    waits: Vec<Duration>,
    caller: Vec<String>,
    bot: Vec<&'static str>,
    switches: Vec<(StageKind, SwitchCause)>,
    ended: bool,
}

/// Has a conversation of two turns.
async fn converse(mut world: World) -> Outcome {
    world.line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
    let mut waits = Vec::new();
    for words in TURNS {
        pass(Duration::from_secs(1)).await;
        let before = world.line.heard().len();
        world.line.say(&words);
        world.line.until("the end of the sentence", |line| line.left_to_say() == 0).await;
        let ended = Instant::now();
        world.line.until("an answer", |line| line.heard().len() > before).await;
        waits.push(ended.elapsed());
        let last = REPLY.rsplit(' ').next();
        world
            .line
            .until("its end", |line| line.heard().len() > before && line.heard().last().copied() == last)
            .await;
    }
    pass(Duration::from_secs(1)).await;
    let (bot, ended) = (world.line.heard(), world.line.ended().is_some());
    let mut outcome = Outcome { waits, caller: Vec::new(), bot, switches: Vec::new(), ended };
    for event in world.drain() {
        match event {
            CallEventKind::Turn(Event::Message { who: Who::Caller, text, .. }) => outcome.caller.push(text),
            CallEventKind::ServiceSwitched { stage, cause, .. } => outcome.switches.push((stage, cause)),
            _ => {}
        }
    }
    outcome
}

/// The conversation, and that nothing of it was lost or heard twice, and that it was quick.
fn survives(stage: StageKind, fates: impl Fn(Act) -> Fate + Send + Sync + 'static) -> Outcome {
    let mut outcome = None;
    with_engines(
        ringway_turn::Config::default(),
        |_| engines(stage, fates),
        |world| async {
            outcome = Some(converse(world).await);
        },
    );
    let outcome = outcome.expect("it ran");
    assert_eq!(outcome.caller, TURNS.map(|words| words.join(" ")), "no word of the caller is lost");
    assert_eq!(
        outcome.bot.join(" "),
        format!("{GREETING} {REPLY} {REPLY}"),
        "all is heard, and nothing twice"
    );
    assert!(outcome.waits.iter().all(|wait| *wait <= PATIENCE), "{:?}", outcome.waits);
    assert!(!outcome.ended, "the call goes on");
    outcome
}

const fn when(is: bool, fate: Fate) -> Fate {
    if is { fate } else { Fate::Lives }
}

/// Ways to fail, as a stage sees them.
fn fails(stage: StageKind, fate: Fate, act: Act, cause: SwitchCause) {
    let outcome = survives(stage, move |now| when(now == act, fate));
    assert_eq!(outcome.switches.first(), Some(&(stage, cause)), "{:?}", outcome.switches);
}

macro_rules! fails {
    ($($name:ident: $stage:ident $fate:expr, $act:expr, $cause:expr;)*) => {
        $(#[test]
        fn $name() {
            fails(StageKind::$stage, $fate, $act, $cause);
        })*
    };
}

const ERROR: SwitchCause = SwitchCause::Died(Cause::Error);
const LATE: SwitchCause = SwitchCause::Died(Cause::Late);
const SLOW: Fate = Fate::Rests(Duration::from_secs(3));

fails! {
    a_recogniser_that_refuses_the_call_gives_way: Stt Fate::Dies, Act::Open, SwitchCause::Refused;
    a_recogniser_that_fails_when_asked_gives_way: Stt Fate::Dies, Act::Ask, ERROR;
    a_recogniser_that_hangs_gives_way: Stt Fate::Hangs, Act::Ask, LATE;
    a_recogniser_that_is_slow_gives_way: Stt SLOW, Act::Ask, LATE;
    a_model_that_refuses_the_call_gives_way: Llm Fate::Dies, Act::Open, SwitchCause::Refused;
    a_model_that_fails_when_asked_gives_way: Llm Fate::Dies, Act::Ask, ERROR;
    a_model_that_hangs_gives_way: Llm Fate::Hangs, Act::Ask, LATE;
    a_model_that_is_slow_gives_way: Llm SLOW, Act::Ask, LATE;
    a_model_that_breaks_off_gives_way: Llm Fate::Dies, Act::Word(1), ERROR;
    a_voice_that_refuses_the_call_gives_way: Tts Fate::Dies, Act::Open, SwitchCause::Refused;
    a_voice_that_fails_when_asked_gives_way: Tts Fate::Dies, Act::Ask, ERROR;
    a_voice_that_hangs_gives_way: Tts Fate::Hangs, Act::Ask, LATE;
    a_voice_that_is_slow_gives_way: Tts SLOW, Act::Ask, LATE;
    a_voice_that_breaks_off_gives_way: Tts Fate::Dies, Act::Word(1), ERROR;
}

#[test]
fn a_recogniser_that_does_well_is_not_left() {
    assert_eq!(survives(StageKind::Stt, |_| Fate::Lives).switches, []);
}

#[test]
fn a_model_that_does_well_is_not_left() {
    assert_eq!(survives(StageKind::Llm, |_| Fate::Lives).switches, []);
}

#[test]
fn a_voice_that_does_well_is_not_left() {
    assert_eq!(survives(StageKind::Tts, |_| Fate::Lives).switches, []);
}

/// Fails the first who asks, and nobody else.
fn once() -> impl Fn(Act) -> Fate + Send + Sync + 'static {
    let asked = AtomicUsize::new(0);
    move |act| when(act == Act::Ask && asked.fetch_add(1, Ordering::Relaxed) == 0, Fate::Dies)
}

#[test]
fn a_call_goes_back_to_the_preferred_service_once_that_has_answered_somebody() {
    with_engines(
        ringway_turn::Config::default(),
        |_| engines(StageKind::Llm, once()),
        |mut world| async move {
            let other = world.another();
            for line in [&world.line, &other] {
                line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            }
            other.say(&TURNS[0]);
            other.until("the answer", |line| line.heard().len() > 2).await;
            pass(Duration::from_secs(1)).await;
            world.line.say(&TURNS[1]);
            world
                .line
                .until("the answer", |line| line.heard().join(" ") == format!("{GREETING} {REPLY}"))
                .await;
            pass(Duration::from_secs(1)).await;
            let switch = |event| match event {
                CallEventKind::ServiceSwitched { cause, .. } => Some(cause),
                _ => None,
            };
            let switches: Vec<_> = world.drain().into_iter().filter_map(switch).collect();
            assert_eq!(switches, [ERROR, SwitchCause::Preferred]);
        },
    );
}

#[test]
fn what_one_call_learns_of_a_service_another_call_knows() {
    let dead = |act| when(act == Act::Ask, Fate::Dies);
    with_engines(
        ringway_turn::Config::default(),
        |_| engines(StageKind::Llm, dead),
        |mut world| async move {
            let others: Vec<_> = (0..2).map(|_| world.another()).collect();
            pass(Duration::from_secs(3)).await;
            world.drain();
            let late = world.another();
            late.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            let switched =
                world.drain().iter().any(|event| matches!(event, CallEventKind::ServiceSwitched { .. }));
            assert!(!switched, "three calls were enough to open the circuit");
            assert!(others.iter().all(|line| line.heard().join(" ") == GREETING));
        },
    );
}

#[test]
fn with_one_service_a_stage_is_restarted_as_ever() {
    let asked = AtomicUsize::new(0);
    let once = move |act| when(act == Act::Ask && asked.fetch_add(1, Ordering::Relaxed) == 0, Fate::Dies);
    let only = Engines {
        llm: vec![Hooked::new(Arc::new(Reciter) as Arc<dyn LanguageModel>, once)],
        ..engines::all()
    };
    with_engines(
        ringway_turn::Config::default(),
        |_| only,
        |mut world| async move {
            world.line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            let events = world.drain();
            let restarted =
                |event: &CallEventKind| matches!(event, CallEventKind::StageRestarted { restarts: 1, .. });
            assert!(events.iter().any(restarted));
            assert!(!events.iter().any(|event| matches!(event, CallEventKind::ServiceSwitched { .. })));
        },
    );
}

#[test]
fn a_filler_comes_from_memory_when_no_model_answers() {
    let hangs = |_| Fate::Hangs;
    let only = Engines {
        llm: vec![Hooked::new(Arc::new(Reciter) as Arc<dyn LanguageModel>, hangs)],
        ..engines::all()
    };
    let quick = ringway_turn::Config { filler_after: Some(Duration::from_secs(1)), ..Default::default() };
    with_engines(
        quick,
        |_| only,
        |world| async move {
            pass(Duration::from_secs(1)).await;
            world.line.say(&TURNS[0]);
            world.line.until("the filler", |line| line.heard() == ["echo"]).await;
        },
    );
}
