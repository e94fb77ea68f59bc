//! A model that is later than usual, and a second one that is asked the same.

use crate::common::engines::{self, GREETING, REPLY};
use crate::common::puppet::{Puppet, Strings};
use crate::common::{World, with_engines};
use crate::tools::{LOOKS_UP, Sage, with_tools};
use ringway_actors::{CallEventKind, Cause, EdgeInput, Engines, SwitchCause, Winner};
use ringway_stages::llm::LanguageModel;
use ringway_turn::{Config, EndReason, Event, StageKind};
use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep as pass;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), hedge: true, ..Config::default() }
}

/// Calls that have talked to the first model before: how long it usually takes is known, and two may be asked twice.
const EARLIER: usize = 24;

/// A call of which nobody knows yet that its models are slow.
struct Talk {
    world: World,
    models: Vec<Strings>,
}

/// Runs `test` with a call that waits for its first word, and with this chain of models.
fn with_models<F: Future<Output = ()>>(names: &[&'static str], test: impl FnOnce(Talk) -> F) {
    with_chain(|| names.iter().map(|name| Puppet::reciter(name)).unzip(), test);
}

fn with_chain<F: Future<Output = ()>>(
    chain: impl FnOnce() -> (Vec<Arc<dyn LanguageModel>>, Vec<Strings>),
    test: impl FnOnce(Talk) -> F,
) {
    let strings = OnceCell::new();
    let made = |_: &_| {
        let (llm, models) = chain();
        strings.set(models).unwrap_or_else(|_| unreachable!());
        Engines { llm, ..engines::all() }
    };
    with_engines(config(), made, |mut world| async {
        talk_before(&mut world).await;
        let models = strings.get().cloned().expect("engines are made first");
        test(Talk { world, models }).await;
    });
}

/// The calls before this one.
async fn talk_before(world: &mut World) {
    let others: Vec<_> = (0..EARLIER).map(|_| world.another()).collect();
    pass(Duration::from_secs(2)).await;
    others.iter().for_each(|line| line.say(&["alpha", "bravo"]));
    for line in &others {
        line.until("an answer", |line| line.heard().len() > 3).await;
    }
    for line in &others {
        line.call.tell(EdgeInput::Closed(EndReason::Caller)).expect("it lives");
    }
    pass(Duration::from_millis(100)).await;
    world.drain();
}

impl Talk {
    /// The caller says something, and both models have been asked.
    async fn asked_twice(&self) {
        self.models.iter().for_each(|model| model.hold(true));
        self.world.line.say(&["alpha", "bravo"]);
        let all = |_: &_| self.waiting() == 2;
        self.world.line.until("two that work on it", all).await;
    }

    fn waiting(&self) -> usize {
        self.models.iter().map(|model| model.waiting().len()).sum()
    }

    /// All that the bot said is the greeting and one answer; what happened meanwhile.
    async fn answered_once(&mut self) -> Vec<CallEventKind> {
        let whole = format!("{GREETING} {REPLY}");
        self.world.line.until("the answer", |line| line.heard().join(" ") == whole).await;
        pass(Duration::from_secs(2)).await;
        assert_eq!(self.world.line.heard().join(" "), whole, "nothing is said twice");
        self.world.drain()
    }
}

fn winners(events: &[CallEventKind]) -> Vec<Winner> {
    let winner = |event: &CallEventKind| match event {
        CallEventKind::Hedged { stage: StageKind::Llm, winner } => Some(*winner),
        _ => None,
    };
    events.iter().filter_map(winner).collect()
}

fn switches(events: &[CallEventKind]) -> Vec<(&str, &str, SwitchCause)> {
    let switch = |event| match event {
        &CallEventKind::ServiceSwitched { ref from, ref to, cause, .. } => Some((&**from, &**to, cause)),
        _ => None,
    };
    events.iter().filter_map(switch).collect()
}

/// Who failed, and who gave all of an answer.
fn judged(events: &[CallEventKind]) -> (Vec<&str>, Vec<&str>) {
    let (mut failed, mut done) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            CallEventKind::ServiceFailed { stage: StageKind::Llm, service, .. } => failed.push(&**service),
            CallEventKind::ServiceDone { stage: StageKind::Llm, service } => done.push(&**service),
            _ => {}
        }
    }
    (failed, done)
}

fn deaths(events: &[CallEventKind]) -> usize {
    events.iter().filter(|event| matches!(event, CallEventKind::StageDied { .. })).count()
}

const NOBODY: [&str; 0] = [];

#[test]
fn the_second_answers_first_and_serves_from_then_on() {
    with_models(&["first", "second"], |mut talk| async move {
        talk.asked_twice().await;
        let first = talk.models[0].waiting()[0];
        let second = talk.models[1].answer();
        assert!(talk.models[1].is_committed(second), "the caller's turn is over");
        let events = talk.answered_once().await;
        assert!(talk.models[0].is_gone(first));
        assert_eq!(winners(&events), [Winner::Second]);
        assert_eq!(switches(&events)[0], ("first", "second", SwitchCause::Hedge));
        assert_eq!(judged(&events), (NOBODY.to_vec(), vec!["second"]));
        assert_eq!(deaths(&events), 0);
        let told = |event: &&CallEventKind| matches!(event, CallEventKind::Turn(Event::Hedged { .. }));
        assert_eq!(events.iter().filter(told).count(), 1);
    });
}

#[test]
fn the_first_answers_after_all_and_the_second_is_cancelled() {
    with_models(&["first", "second"], |mut talk| async move {
        talk.asked_twice().await;
        let second = talk.models[1].waiting()[0];
        talk.models[0].answer();
        let events = talk.answered_once().await;
        assert!(talk.models[1].is_gone(second));
        assert_eq!(winners(&events), [Winner::First]);
        assert_eq!(switches(&events), []);
        assert_eq!(judged(&events), (NOBODY.to_vec(), vec!["first"]));
    });
}

#[test]
fn both_answer_at_once_and_one_is_heard() {
    with_models(&["first", "second"], |mut talk| async move {
        talk.asked_twice().await;
        talk.models.iter().for_each(Strings::answer_all);
        let events = talk.answered_once().await;
        assert_eq!(winners(&events).len(), 1);
        assert_eq!(judged(&events).1.len(), 1);
    });
}

#[test]
fn a_model_that_is_alone_is_asked_again_itself() {
    with_models(&["only"], |mut talk| async move {
        talk.asked_twice().await;
        let [first, second] = talk.models[0].waiting()[..] else { panic!("two sessions wait") };
        talk.models[0].answer_one(second);
        let events = talk.answered_once().await;
        assert!(talk.models[0].is_gone(first));
        assert_eq!((winners(&events), switches(&events)), (vec![Winner::Second], vec![]));
    });
}

#[test]
fn the_first_dies_and_the_second_goes_on() {
    with_models(&["first", "second"], |mut talk| async move {
        talk.asked_twice().await;
        talk.models[0].die();
        pass(Duration::from_millis(40)).await;
        talk.models[1].answer();
        let events = talk.answered_once().await;
        assert_eq!(winners(&events), [Winner::Second]);
        assert_eq!(switches(&events), [("first", "second", SwitchCause::Died(Cause::Error))]);
        assert_eq!(judged(&events), (vec!["first"], vec!["second"]));
        assert_eq!(deaths(&events), 0, "the stage lives on");
    });
}

#[test]
fn the_second_dies_and_the_first_goes_on() {
    with_models(&["first", "second"], |mut talk| async move {
        talk.asked_twice().await;
        talk.models[1].die();
        pass(Duration::from_millis(40)).await;
        talk.models[0].answer();
        let events = talk.answered_once().await;
        assert_eq!((winners(&events), switches(&events)), (vec![Winner::First], vec![]));
        assert_eq!(judged(&events), (vec!["second"], vec!["first"]));
        assert_eq!(deaths(&events), 0);
    });
}

#[test]
fn both_die_and_the_stage_with_them() {
    with_models(&["first", "second"], |mut talk| async move {
        talk.asked_twice().await;
        talk.models.iter().for_each(|model| model.hold(false));
        talk.models.iter().for_each(|model| _ = model.die());
        let events = talk.answered_once().await;
        assert_eq!((winners(&events), deaths(&events)), (vec![Winner::Second], 1));
        let (failed, done) = judged(&events);
        assert_eq!((failed, done.len()), (vec!["first", "second"], 1));
    });
}

#[test]
fn a_caller_who_goes_on_cancels_both() {
    with_models(&["first", "second"], |mut talk| async move {
        talk.asked_twice().await;
        let sessions = [talk.models[0].waiting()[0], talk.models[1].waiting()[0]];
        talk.models.iter().for_each(|model| model.hold(false));
        talk.world.line.say(&["charlie"]);
        let events = talk.answered_once().await;
        assert!(talk.models[1].is_gone(sessions[1]));
        assert_eq!(winners(&events), [Winner::Neither]);
        assert_eq!(switches(&events), []);
        assert_eq!(judged(&events), (NOBODY.to_vec(), vec!["first"]));
    });
}

#[test]
fn a_call_that_ends_ends_both() {
    with_models(&["first", "second"], |mut talk| async move {
        talk.asked_twice().await;
        talk.world.line.call.tell(EdgeInput::Closed(EndReason::Caller)).expect("it lives");
        pass(Duration::from_millis(200)).await;
        assert_eq!((talk.waiting(), winners(&talk.world.drain())), (0, vec![Winner::Neither]));
    });
}

#[test]
fn two_that_are_silent_give_way_to_a_third() {
    with_models(&["first", "second", "third"], |mut talk| async move {
        talk.models[..2].iter().for_each(|model| model.hold(true));
        talk.world.line.say(&["alpha", "bravo"]);
        let events = talk.answered_once().await;
        assert_eq!(winners(&events), [Winner::Neither]);
        assert_eq!(switches(&events)[0], ("first", "third", SwitchCause::Died(Cause::Late)));
        assert_eq!(judged(&events), (vec!["second", "first"], vec!["third"]));
    });
}

#[test]
fn no_more_than_a_twentieth_of_all_requests_is_asked_twice() {
    with_models(&["first", "second"], |mut talk| async move {
        let mut heard = 2;
        let mut hedges = 0;
        for _ in 0..6 {
            talk.models[0].hold(true);
            talk.world.line.say(&["alpha", "bravo"]);
            heard += REPLY.split(' ').count();
            talk.world.line.until("an answer", |line| line.heard().len() == heard).await;
            talk.models[0].hold(false);
            pass(Duration::from_secs(3)).await;
            hedges += winners(&talk.world.drain()).len();
        }
        let requests: usize = talk.models.iter().map(Strings::requests).sum();
        assert!(hedges > 0 && hedges * 20 <= requests - hedges, "{hedges} of {requests}");
        assert!(hedges < 6, "{requests} requests are not enough for that");
    });
}

#[test]
fn as_long_as_nothing_is_known_of_a_model_nobody_is_asked_twice() {
    let (llm, models): (Vec<_>, Vec<_>) = ["first", "second"].into_iter().map(Puppet::reciter).unzip();
    with_engines(
        config(),
        |_| Engines { llm, ..engines::all() },
        |world| async move {
            let mut talk = Talk { world, models };
            talk.world.line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            talk.models[0].hold(true);
            talk.world.line.say(&["alpha", "bravo"]);
            let events = talk.answered_once().await;
            assert_eq!(winners(&events), []);
            assert_eq!(switches(&events)[0], ("first", "second", SwitchCause::Died(Cause::Late)));
        },
    );
}

#[test]
fn two_that_want_the_same_tool_call_it_once() {
    let sage = Sage::default();
    let asked = sage.asked.clone();
    let chain = || {
        let clerks = ["first", "second"].map(|name| Puppet::on_strings(name, Arc::new(LOOKS_UP)));
        let (llm, models) = clerks.into_iter().unzip();
        (with_tools(llm, sage), models)
    };
    with_chain(chain, |mut talk| async move {
        let before = asked.load(Ordering::Relaxed);
        talk.asked_twice().await;
        talk.models.iter().for_each(|model| model.hold(false));
        talk.models.iter().for_each(Strings::answer_all);
        let line = &talk.world.line;
        line.until("the answer", |line| line.heard().join(" ").ends_with(REPLY)).await;
        assert_eq!(asked.load(Ordering::Relaxed), before + 1);
        assert_eq!(winners(&talk.world.drain()), [Winner::First]);
    });
}
