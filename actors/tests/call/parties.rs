//! Calls of several legs.

use crate::common::engines::{Reciter, all};
use crate::common::line::Line;
use crate::common::{World, with_call, with_engines};
use ringway_actors::{Audience, CallEventKind, EdgeKind, LegFault, LegSpec, LegState};
use ringway_frame::Format;
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession};
use ringway_turn::{EndReason, Event, Speaker};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::sleep as pass;

fn run<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    with_call(ringway_turn::Config::default(), test);
}

fn spec() -> LegSpec {
    LegSpec {
        edge: EdgeKind::Browser,
        format: Format::Pcm16k,
        label: "Agent".into(),
        listened: true,
        opened: Box::new(|_| Box::new(())),
    }
}

/// One more joins; the bot hears it.
async fn joins(world: &World) -> (Line, u32) {
    let number = Arc::new(AtomicU32::new(0));
    let told = number.clone();
    let opened = Box::new(move |leg| {
        told.store(leg, Ordering::Relaxed);
        Box::new(()) as _
    });
    let spec = LegSpec { opened, ..spec() };
    world.line.call.join(spec).expect("the call lives");
    pass(Duration::from_millis(20)).await;
    let leg = number.load(Ordering::Relaxed);
    let door = world.door(leg).expect("the leg waits");
    (Line::start(world.line.call.clone(), door), leg)
}

#[test]
fn a_leg_that_is_held_hears_nothing_and_is_not_heard_until_it_is_taken_back() {
    run(|mut world| async move {
        greeted(&world).await;
        let (agent, leg) = joins(&world).await;
        world.line.call.address(Audience::Nobody).expect("the call lives");
        pass(Duration::from_millis(200)).await;
        agent.door.become_state(LegState::Held).expect("it is up");
        pass(Duration::from_millis(200)).await;
        world.line.say(&["alpha"]);
        agent.say(&["bravo"]);
        pass(Duration::from_secs(2)).await;
        assert!(!has(&agent, "alpha") && !has(&world.line, "bravo"));
        agent.door.become_state(LegState::Up).expect("it is held");
        pass(Duration::from_millis(200)).await;
        world.line.say(&["charlie"]);
        agent.say(&["delta"]);
        agent.until("the caller", |agent| has(agent, "charlie")).await;
        world.line.until("the agent", |line| has(line, "delta")).await;
        assert!(!has(&agent, "alpha") && !has(&world.line, "bravo"), "what was said meanwhile is lost");
        let expected = [LegState::Dialling, LegState::Up, LegState::Held, LegState::Up];
        assert_eq!(states(&world.drain(), leg), expected);
    });
}

/// The greeting is over.
async fn greeted(world: &World) {
    world.line.until("the greeting", |line| line.heard().contains(&"sierra")).await;
    pass(Duration::from_secs(1)).await;
}

fn states(events: &[CallEventKind], of: u32) -> Vec<LegState> {
    let states = events.iter().filter_map(|event| match event {
        CallEventKind::Leg { leg, state } if *leg == of => Some(*state),
        _ => None,
    });
    states.collect()
}

fn has(line: &Line, word: &'static str) -> bool {
    line.heard().contains(&word)
}

#[test]
fn caller_and_agent_hear_each_other_and_the_bot_and_not_themselves() {
    run(|world| async move {
        greeted(&world).await;
        let (agent, leg) = joins(&world).await;
        assert_eq!(leg, 1);
        pass(Duration::from_millis(200)).await;
        world.line.say(&["alpha"]);
        agent.until("the caller and the answer", |agent| has(agent, "alpha") && has(agent, "papa")).await;
        assert!(has(&world.line, "papa") && !has(&world.line, "alpha"));
        agent.say(&["bravo"]);
        world.line.until("the agent, and an answer", |line| has(line, "bravo")).await;
        let before = world.line.heard().len();
        world.line.until("the answer to the agent", |line| line.heard().len() > before + 5).await;
        assert!(!has(&agent, "bravo"));
    });
}

#[test]
fn three_who_are_there_hear_each_other() {
    run(|world| async move {
        greeted(&world).await;
        let ((one, _), (two, _)) = (joins(&world).await, joins(&world).await);
        world.line.call.address(Audience::Nobody).expect("the call lives");
        pass(Duration::from_millis(200)).await;
        two.say(&["charlie"]);
        pass(Duration::from_secs(2)).await;
        assert!(has(&one, "charlie") && has(&world.line, "charlie") && !has(&two, "charlie"));
    });
}

#[test]
fn whoever_interrupts_the_bot_silences_it_for_all() {
    for agent_does in [false, true] {
        run(|world| async move {
            greeted(&world).await;
            let (agent, _) = joins(&world).await;
            pass(Duration::from_millis(200)).await;
            world.line.say(&["alpha"]);
            agent.until("the middle of the answer", |agent| has(agent, "india")).await;
            let speaker = if agent_does { &agent } else { &world.line };
            speaker.say(&["bravo", "charlie", "delta", "echo"]);
            pass(Duration::from_millis(1_200)).await;
            assert!(!has(&world.line, "mike") && !has(&agent, "mike"), "{:?}", agent.heard());
        });
    }
}

#[test]
fn the_bot_whispers_to_one_and_what_it_whispers_ends_when_that_one_leaves() {
    run(|world| async move {
        greeted(&world).await;
        let (agent, leg) = joins(&world).await;
        world.line.call.address(Audience::Only(leg)).expect("the call lives");
        pass(Duration::from_millis(200)).await;
        agent.say(&["alpha"]);
        agent.until("the answer", |agent| has(agent, "india")).await;
        world.line.call.drop_leg(leg).expect("the call lives");
        pass(Duration::from_secs(3)).await;
        let heard = world.line.heard();
        let answer = ["golf", "hotel", "india", "juliet", "kilo", "papa"];
        assert!(answer.iter().all(|word| !heard.contains(word)), "{heard:?}");
        assert_eq!(agent.ended(), Some(EndReason::Operator));
        world.line.say(&["bravo"]);
        world.line.until("an answer to all who are left", |line| has(line, "papa")).await;
    });
}

#[test]
fn a_bot_that_is_away_says_nothing_and_writes_down_who_says_what() {
    run(|mut world| async move {
        greeted(&world).await;
        let (agent, _) = joins(&world).await;
        world.line.call.address(Audience::Nobody).expect("the call lives");
        pass(Duration::from_millis(200)).await;
        world.drain();
        agent.say(&["alpha"]);
        pass(Duration::from_secs(3)).await;
        world.line.say(&["bravo"]);
        pass(Duration::from_secs(3)).await;
        let said = world.drain().into_iter().filter_map(|event| match event {
            CallEventKind::Turn(Event::Message { who, text, .. }) => Some((who, text)),
            _ => None,
        });
        let said: Vec<_> = said.collect();
        assert!(said.iter().all(|(who, _)| *who != Speaker::Bot), "{said:?}");
        assert!(said.iter().any(|(_, text)| text.contains("alpha")), "{said:?}");
        assert!(said.iter().any(|(_, text)| text.contains("bravo")), "{said:?}");
        assert!(!has(&world.line, "papa") && !has(&agent, "papa"));
    });
}

#[test]
fn when_the_other_leaves_the_call_goes_on_as_one_of_one_leg() {
    run(|mut world| async move {
        greeted(&world).await;
        let (agent, leg) = joins(&world).await;
        pass(Duration::from_secs(1)).await;
        agent.hang_up();
        pass(Duration::from_secs(1)).await;
        assert!(world.door(leg).is_none());
        assert_eq!(world.load.lines(), 1);
        world.line.say(&["alpha"]);
        world.line.until("the answer", |line| has(line, "papa")).await;
        let expected = [LegState::Dialling, LegState::Up, LegState::Over];
        assert_eq!(states(&world.drain(), leg), expected);
        assert_eq!(world.line.ended(), None);
    });
}

#[test]
fn a_pump_of_another_leg_that_panics_takes_that_leg_alone_and_the_callers_is_rebuilt() {
    run(|world| async move {
        world.line.come_back();
        greeted(&world).await;
        let ((broken, leg), (agent, _)) = (joins(&world).await, joins(&world).await);
        pass(Duration::from_millis(200)).await;
        broken.break_down();
        world.line.break_down();
        pass(Duration::from_secs(1)).await;
        assert!(world.door(leg).is_none());
        world.line.come_back();
        pass(Duration::from_secs(1)).await;
        world.line.say(&["alpha"]);
        agent.until("the caller and the answer", |agent| has(agent, "alpha") && has(agent, "papa")).await;
    });
}

#[test]
fn a_fault_that_is_put_into_another_leg_takes_that_leg_alone_and_its_seat_is_free() {
    for fault in [LegFault::Panic, LegFault::Disconnect] {
        run(|mut world| async move {
            greeted(&world).await;
            let mut agents = Vec::new();
            for _ in 0..7 {
                agents.push(joins(&world).await);
            }
            pass(Duration::from_millis(200)).await;
            let (_, leg) = agents.remove(0);
            world.line.call.inject_leg(leg, fault).expect("the call lives");
            pass(Duration::from_secs(1)).await;
            assert!(world.door(leg).is_none(), "{fault:?}");
            assert_eq!(states(&world.drain(), leg).last(), Some(&LegState::Over), "{fault:?}");
            let (again, next) = joins(&world).await;
            assert_eq!(next, 8, "its seat is free");
            world.line.say(&["alpha"]);
            again.until("the caller and the answer", |one| has(one, "alpha") && has(one, "papa")).await;
            assert_eq!(world.line.ended(), None);
        });
    }
}

#[test]
fn a_leg_that_may_come_back_has_its_seat_while_its_network_is_away() {
    run(|mut world| async move {
        greeted(&world).await;
        let (agent, leg) = joins(&world).await;
        agent.come_back();
        pass(Duration::from_secs(1)).await;
        world.line.call.inject_leg(leg, LegFault::Disconnect).expect("the call lives");
        pass(Duration::from_secs(10)).await;
        assert_eq!(states(&world.drain(), leg).last(), Some(&LegState::Detached));
        agent.come_back();
        pass(Duration::from_secs(1)).await;
        world.line.say(&["alpha"]);
        agent.until("the caller", |agent| has(agent, "alpha")).await;
        world.line.call.inject_leg(leg, LegFault::Disconnect).expect("the call lives");
        pass(Duration::from_secs(31)).await;
        assert_eq!(states(&world.drain(), leg).last(), Some(&LegState::Over));
        assert!(world.door(leg).is_none());
    });
}

#[test]
fn a_call_ends_with_its_caller_whoever_else_is_there_and_its_place_is_free() {
    run(|world| async move {
        greeted(&world).await;
        let mut agents = Vec::new();
        for _ in 0..7 {
            agents.push(joins(&world).await);
        }
        let opened = Box::new(|_| unreachable!("there is no room for a ninth leg"));
        let refused = LegSpec { opened, ..spec() };
        world.line.call.join(refused).expect("the call lives");
        pass(Duration::from_millis(200)).await;
        world.line.hang_up();
        pass(Duration::from_secs(3)).await;
        assert!(agents.iter().all(|(agent, _)| agent.ended() == Some(EndReason::Caller)));
        assert_eq!((world.load.calls(), world.load.lines()), (0, 0));
        assert!(agents.iter().all(|(_, leg)| world.door(*leg).is_none()));
    });
}

/// Says the same to everything, and keeps what it was asked.
struct Asked(Cues);

type Cues = Arc<Mutex<Vec<String>>>;

struct Session(Box<dyn LlmSession>, Cues);

impl LanguageModel for Asked {
    fn name(&self) -> &str {
        "asked"
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(Session(Reciter.open(call)?, self.0.clone())))
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        if let Cue::Said(text) = &request.cue {
            self.1.lock().unwrap().push(text.clone());
        }
        self.0.reply(request)
    }

    fn cancel(&mut self) {
        self.0.cancel();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        self.0.poll_event(cx)
    }
}

#[test]
fn the_model_is_told_who_of_them_speaks() {
    let cues = Cues::default();
    let model = Arc::new(Asked(cues.clone()));
    let engines = |_: &_| ringway_actors::Engines { llm: vec![model], ..all() };
    with_engines(ringway_turn::Config::default(), engines, |world| async move {
        greeted(&world).await;
        let (agent, _) = joins(&world).await;
        pass(Duration::from_millis(200)).await;
        agent.say(&["alpha"]);
        world.line.until("an answer to the agent", |line| has(line, "papa")).await;
        pass(Duration::from_secs(2)).await;
        world.line.say(&["bravo"]);
        pass(Duration::from_secs(2)).await;
    });
    let cues = cues.lock().unwrap();
    assert_eq!(cues.first().map(String::as_str), Some("Agent: alpha"));
    assert_eq!(cues.last().map(String::as_str), Some("bravo"));
}
