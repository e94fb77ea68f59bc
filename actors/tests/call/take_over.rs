//! Conversations that are taken over from another process, where one stage hears and speaks in place of three, in
//! either process or in both.

use crate::common::engines::{self, GREETING, REPLY};
use crate::common::line::Line;
use crate::common::parrot::{Asked, Parrot};
use crate::common::{World, with_engines};
use ringway_actors::Engines;
use ringway_turn::EndReason;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep as pass;

/// Who serves a conversation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    /// The stage that hears and speaks by itself.
    One,
    /// The three, since that one refuses the call.
    Three,
    /// The three, since that one's circuit is open.
    ThreeByCircuit,
}

/// On a thread of its own, for a thread is one media core.
fn with_parrot<F: Future<Output = ()>>(by: By, test: impl FnOnce(World, Arc<Parrot>) -> F + Send + 'static) {
    let core = std::thread::spawn(move || {
        let parrot = Arc::<Parrot>::default();
        parrot.closed.store(by != By::One, Ordering::Relaxed);
        let of_engines = parrot.clone();
        let engines = move |_: &_| Engines { s2s: vec![of_engines], ..engines::all() };
        with_engines(ringway_turn::Config::default(), engines, |world| test(world, parrot));
    });
    if let Err(panic) = core.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The call is kept and over; another one goes on with it, served so.
async fn moved(world: &World, parrot: &Parrot, by: By) -> Line {
    let kept = world.line.call.keep().await.expect("the call lives");
    let kept = serde_json::to_string(&kept).expect("JSON");
    world.line.call.hang_up(EndReason::Drain).expect("the call lives");
    pass(Duration::from_secs(1)).await;
    parrot.closed.store(by != By::One, Ordering::Relaxed);
    if by == By::ThreeByCircuit {
        open_circuit(world).await;
    }
    world.take_over(serde_json::from_str(&kept).expect("a snapshot"))
}

/// Calls that it refuses, until it is asked no more.
async fn open_circuit(world: &World) {
    let refused = [world.another(), world.another(), world.another()];
    pass(Duration::from_millis(100)).await;
    for line in &refused {
        line.call.hang_up(EndReason::Caller).expect("the call lives");
    }
    pass(Duration::from_millis(100)).await;
}

async fn greeted(world: &World) {
    world.line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
    pass(Duration::from_millis(600)).await;
}

async fn is_answered(line: &Line) {
    let words = line.heard().len();
    line.say(&["bravo"]);
    let answered = |line: &Line| line.heard().len() > words && line.heard().ends_with(&["oscar", "papa"]);
    line.until("the next answer", answered).await;
    assert!(line.heard()[words..].join(" ").ends_with(REPLY), "{:?}", line.heard());
}

const MOVES: [(By, By); 5] = [
    (By::One, By::One),
    (By::One, By::Three),
    (By::One, By::ThreeByCircuit),
    (By::Three, By::One),
    (By::Three, By::Three),
];

#[test]
fn an_answer_that_was_begun_is_said_to_its_end_whoever_serves_the_call_then() {
    for (before, after) in MOVES {
        with_parrot(before, move |world, parrot| async move {
            greeted(&world).await;
            world.line.say(&["alpha"]);
            world.line.until("the fourth word", |line| line.heard().len() == 6).await;
            let line = moved(&world, &parrot, after).await;
            line.until("the end", |line| line.heard().ends_with(&["oscar", "papa"])).await;
            let heard = line.heard();
            let case = format!("{before:?} to {after:?}: {heard:?}");
            assert!(!heard.contains(&"tango") && !heard.contains(&"golf"), "said again, {case}");
            let rest = heard.join(" ");
            assert!(REPLY.ends_with(&rest) && rest.len() > 30, "words are lost, {case}");
            pass(Duration::from_secs(1)).await;
            is_answered(&line).await;
            assert_eq!(line.ended(), None, "{case}");
        });
    }
}

#[test]
fn a_caller_who_was_listened_to_is_answered_by_whoever_serves_the_call_then() {
    for (before, after) in MOVES {
        with_parrot(before, move |world, parrot| async move {
            greeted(&world).await;
            let line = moved(&world, &parrot, after).await;
            pass(Duration::from_secs(1)).await;
            assert_eq!(line.heard(), Vec::<&str>::new(), "{before:?} to {after:?}: nothing is owed");
            is_answered(&line).await;
        });
    }
}

#[test]
fn a_call_that_is_taken_over_at_any_time_is_never_silent_for_good() {
    for (before, after) in MOVES {
        for moment in (0..3_600).step_by(300) {
            with_parrot(before, move |world, parrot| async move {
                greeted(&world).await;
                world.line.say(&["alpha", "delta"]);
                pass(Duration::from_millis(moment)).await;
                let line = moved(&world, &parrot, after).await;
                // A reply that the caller waits for comes without another word.
                pass(Duration::from_secs(6)).await;
                let heard = line.heard();
                let whole = heard.is_empty() || heard.ends_with(&["oscar", "papa"]);
                assert!(whole, "{before:?} to {after:?}, kept after {moment} ms: {heard:?}");
                is_answered(&line).await;
            });
        }
    }
}

#[test]
fn the_one_that_takes_over_is_told_what_was_said_and_what_was_heard() {
    for before in [By::One, By::Three] {
        with_parrot(before, move |world, parrot| async move {
            greeted(&world).await;
            world.line.say(&["alpha"]);
            world.line.until("the fourth word", |line| line.heard().len() == 6).await;
            let line = moved(&world, &parrot, By::One).await;
            line.until("the end", |line| line.heard().ends_with(&["oscar", "papa"])).await;
            let last = parrot.asked().into_iter().rev().find_map(|asked| match asked {
                Asked::Answer { history, already, .. } => Some((history, already)),
                _ => None,
            });
            let (history, already) = last.expect("it is asked for the rest");
            let said: Vec<_> = history.into_iter().map(|said| said.text).collect();
            assert_eq!(said.first().map(String::as_str), Some(GREETING), "{before:?}: {said:?}");
            assert!(REPLY.starts_with(&already) && !already.is_empty(), "{before:?}: {already}");
        });
    }
}
