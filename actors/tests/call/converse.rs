//! One stage hears and speaks by itself, in place of recogniser, language model and voice.

use crate::common::engines::{self, GREETING, REPLY};
use crate::common::hooked::Hooked;
use crate::common::line::Line;
use crate::common::parrot::{Asked, Parrot};
use crate::common::{World, with_engines};
use ringway_actors::{CallEventKind, Engines, Fault, RestartConfig, StageState};
use ringway_frame::FRAME;
use ringway_stages::llm::{Cue, Role, Said};
use ringway_stages::stt::SpeechToText;
use ringway_turn::{Event, Speaker, StageKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep as pass;

const S2S: StageKind = StageKind::SpeechToSpeech;

/// On a thread of its own, for a thread is one media core.
fn with_parrot<F: Future<Output = ()>>(test: impl FnOnce(World, Arc<Parrot>) -> F + Send + 'static) {
    let core = std::thread::spawn(move || {
        let parrot = Arc::<Parrot>::default();
        let of_engines = parrot.clone();
        let engines = move |_: &_| Engines { s2s: vec![of_engines], ..engines::all() };
        with_engines(ringway_turn::Config::default(), engines, |world| test(world, parrot));
    });
    if let Err(panic) = core.join() {
        std::panic::resume_unwind(panic);
    }
}

fn messages(world: &mut World) -> Vec<(Speaker, String)> {
    let message = |event| match event {
        CallEventKind::Turn(Event::Message { who, text, .. }) => Some((who, text)),
        _ => None,
    };
    world.drain().into_iter().filter_map(message).collect()
}

async fn greeted(world: &World) {
    world.line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
    pass(Duration::from_millis(600)).await;
}

fn turns(parrot: &Parrot) -> Vec<String> {
    let turn = |asked| if let Asked::Turn(words) = asked { Some(words) } else { None };
    parrot.asked().into_iter().filter_map(turn).collect()
}

#[test]
fn a_conversation_needs_none_of_the_three() {
    let recogniser: Arc<dyn SpeechToText> = Arc::new(engines::Reader);
    let stt = Hooked::new(recogniser, |_| false);
    let (of_engines, parrot) = (stt.clone(), Arc::<Parrot>::default());
    let s2s = parrot.clone();
    let engines = move |_: &_| Engines { s2s: vec![s2s], stt: vec![of_engines], ..engines::all() };
    with_engines(ringway_turn::Config::default(), engines, |mut world| async move {
        greeted(&world).await;
        world.line.say(&["alpha", "bravo"]);
        let whole = format!("{GREETING} {REPLY}");
        world.line.until("the answer", |line| line.heard().join(" ") == whole).await;
        pass(Duration::from_secs(1)).await;
        let said = |who, text: &str| (who, text.to_owned());
        let expected =
            [said(Speaker::Bot, GREETING), said(Speaker::Caller, "alpha bravo"), said(Speaker::Bot, REPLY)];
        assert_eq!(messages(&mut world), expected);
        let asked = parrot.asked();
        assert_eq!(asked[..1], [Asked::Open]);
        assert_eq!(turns(&parrot), ["alpha bravo"], "all of it, and nothing else");
        assert!(
            matches!(&asked[3], Asked::Answer { cue: Cue::Said(words), .. } if words.is_empty()),
            "{asked:?}"
        );
        assert_eq!(stt.opened(), 0);
    });
}

#[test]
fn a_caller_who_speaks_over_the_answer_stops_it_and_it_is_told_how_much_was_heard() {
    with_parrot(|world, parrot| async move {
        greeted(&world).await;
        world.line.say(&["alpha"]);
        world.line.until("the third word", |line| line.heard().len() == 5).await;
        world.line.say(&["bravo", "charlie"]);
        world.line.until("the next answer", |line| line.heard().ends_with(&["oscar", "papa"])).await;
        let heard = world.line.heard().join(" ");
        let (first, second) = heard.strip_prefix(GREETING).unwrap().trim().rsplit_once("golf").unwrap();
        assert_eq!(format!("golf{second}"), REPLY, "the second answer whole");
        let spoken = first.split_whitespace().count();
        assert!((3..=5).contains(&spoken), "the first answer stops: {first}");
        let cancelled = parrot.asked().into_iter().find_map(|asked| match asked {
            Asked::Cancel(heard) => Some(heard),
            _ => None,
        });
        let words = cancelled.expect("it is told").as_millis() / (15 * FRAME).as_millis();
        assert!((spoken as u128 - 1..=spoken as u128).contains(&words), "{words} of {spoken} words");
        assert_eq!(turns(&parrot), ["alpha", "bravo charlie"]);
    });
}

#[test]
fn one_that_dies_while_it_speaks_goes_on_and_knows_what_was_said() {
    for fault in [Fault::Error, Fault::Panic, Fault::Stall] {
        with_parrot(move |world, parrot| async move {
            greeted(&world).await;
            world.line.say(&["alpha"]);
            world.line.until("the fourth word", |line| line.heard().len() == 6).await;
            world.line.call.inject(S2S, fault).unwrap();
            world.line.until("the end", |line| line.heard().ends_with(&["oscar", "papa"])).await;
            let heard = world.line.heard();
            let mut answer = heard[2..].to_vec();
            answer.dedup();
            let mut known = answer.clone();
            known.sort_unstable();
            known.dedup();
            assert_eq!(known.len(), REPLY.split(' ').count(), "{fault:?}: no word is lost: {answer:?}");
            let again = parrot.asked().into_iter().rev().find_map(|asked| match asked {
                Asked::Answer { cue, history, already } => Some((cue, history, already)),
                _ => None,
            });
            let (cue, history, already) = again.unwrap();
            assert_eq!(cue, Cue::Said("alpha".into()), "{fault:?}");
            assert_eq!(history, [Said { role: Role::Assistant, text: GREETING.into() }]);
            assert!(REPLY.starts_with(&already) && !already.is_empty(), "{already}");
            assert_eq!(world.line.ended(), None);
        });
    }
}

#[test]
fn one_that_dies_while_the_caller_speaks_hears_all_of_it_again() {
    for fault in [Fault::Error, Fault::Panic] {
        with_parrot(move |world, parrot| async move {
            greeted(&world).await;
            world.line.say(&["alpha", "bravo", "charlie", "delta"]);
            world.line.until("the middle", |line| line.left_to_say() <= 2).await;
            world.line.call.inject(S2S, fault).unwrap();
            world.line.until("the answer", |line| line.heard().ends_with(&["oscar", "papa"])).await;
            assert_eq!(turns(&parrot), ["alpha bravo charlie delta"], "{fault:?}");
        });
    }
}

#[test]
fn when_it_fails_for_good_the_three_take_over() {
    with_parrot(|mut world, parrot| async move {
        greeted(&world).await;
        world.line.say(&["alpha"]);
        world.line.until("the answer", |line| line.heard().ends_with(&["oscar", "papa"])).await;
        pass(Duration::from_secs(1)).await;
        parrot.closed.store(true, Ordering::Relaxed);
        world.line.call.inject(S2S, Fault::Error).unwrap();
        pass(Duration::from_millis(200)).await;
        let gone = |event: &CallEventKind| {
            matches!(event, CallEventKind::Stage { stage: S2S, state: StageState::Gone })
        };
        assert!(world.drain().iter().any(gone));
        world.line.say(&["bravo"]);
        let whole = format!("{GREETING} {REPLY} {REPLY}");
        world.line.until("an answer of the three", |line| line.heard().join(" ") == whole).await;
        assert_eq!(turns(&parrot), ["alpha"]);
        assert_eq!(world.line.ended(), None);
    });
}

#[test]
fn one_that_fails_again_in_the_same_answer_leaves_the_rest_of_it_to_the_three() {
    with_parrot(|mut world, parrot| async move {
        greeted(&world).await;
        world.line.say(&["alpha"]);
        world.line.until("the third word", |line| line.heard().len() == 5).await;
        world.line.call.inject(S2S, Fault::Error).unwrap();
        world.line.until("two words more", |line| line.heard().len() >= 7).await;
        world.line.call.inject(S2S, Fault::Error).unwrap();
        world.line.until("the end", |line| line.heard().ends_with(&["oscar", "papa"])).await;
        let answer = world.line.heard()[2..].to_vec();
        let mut known = answer.clone();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), REPLY.split(' ').count(), "no word is lost: {answer:?}");
        let gone = |event: &CallEventKind| {
            matches!(event, CallEventKind::Stage { stage: S2S, state: StageState::Gone })
        };
        assert_eq!(world.drain().iter().filter(|event| gone(event)).count(), 1);
        assert_eq!(parrot.asked().iter().filter(|asked| **asked == Asked::Open).count(), 2);
    });
}

#[test]
fn the_three_give_the_conversation_back_when_it_may_be_tried_again() {
    let parrot = Arc::<Parrot>::default();
    let s2s = parrot.clone();
    let engines = move |_: &_| Engines { s2s: vec![s2s], ..engines::all() };
    let patient =
        ringway_turn::Config { silence_prompt_after: Duration::from_secs(60), ..Default::default() };
    with_engines(patient, engines, |world| async move {
        greeted(&world).await;
        for _ in 0..2 {
            world.line.call.inject(S2S, Fault::Error).unwrap();
            pass(Duration::from_millis(200)).await;
        }
        // By then the call has forgiven it.
        pass(RestartConfig::default().within + Duration::from_secs(1)).await;
        for word in ["alpha", "bravo"] {
            let heard = world.line.heard().len();
            world.line.say(&[word]);
            let answered =
                |line: &Line| line.heard().len() > heard && line.heard().ends_with(&["oscar", "papa"]);
            world.line.until("the answer", answered).await;
            pass(Duration::from_secs(1)).await;
        }
        assert_eq!(turns(&parrot), ["bravo"], "the three have answered the first");
        let last = parrot.asked().into_iter().rev().find_map(|asked| match asked {
            Asked::Answer { history, .. } => Some(history),
            _ => None,
        });
        let said: Vec<_> = last.unwrap().into_iter().map(|said| said.text).collect();
        assert!(said.contains(&"alpha".to_owned()), "it is told what was said meanwhile: {said:?}");
        assert_eq!(world.line.ended(), None);
    });
}

#[test]
fn one_that_cannot_serve_at_all_leaves_the_call_to_the_three() {
    let parrot = Arc::<Parrot>::default();
    parrot.closed.store(true, Ordering::Relaxed);
    let engines = move |_: &_| Engines { s2s: vec![parrot], ..engines::all() };
    with_engines(ringway_turn::Config::default(), engines, |world| async move {
        greeted(&world).await;
        world.line.say(&["alpha"]);
        let whole = format!("{GREETING} {REPLY}");
        world.line.until("the answer", |line| line.heard().join(" ") == whole).await;
    });
}
