//! What was said grows longer than its budget in the middle of a call.

use crate::common::engines::{self, GREETING, REPLY, Reciter};
use crate::common::{World, with_engines};
use ringway_actors::{CallEventKind, Engines};
use ringway_stages::Expectation;
use ringway_stages::llm::{LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, Task};
use ringway_turn::{Config, Event};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::sleep as pass;

/// Recites, and makes summaries or fails at them.
struct Scribe {
    name: &'static str,
    summary: Option<&'static str>,
    asked: Arc<Mutex<Vec<(&'static str, LlmRequest)>>>,
}

struct Session {
    name: &'static str,
    summary: Option<&'static str>,
    asked: Arc<Mutex<Vec<(&'static str, LlmRequest)>>>,
    reciter: Box<dyn LlmSession>,
    events: VecDeque<Option<LlmEvent>>,
}

impl LanguageModel for Scribe {
    fn name(&self) -> &str {
        self.name
    }

    fn summarises(&self) -> bool {
        true
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        let (reciter, events) = (Reciter.open(call)?, VecDeque::new());
        let Self { name, summary, asked } = self;
        Ok(Box::new(Session { name, summary: *summary, asked: asked.clone(), reciter, events }))
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        self.asked.lock().unwrap().push((self.name, request.clone()));
        if request.task == Task::Reply {
            return self.reciter.reply(request);
        }
        let id = request.id;
        let next = Next::Listen(Expectation::anything());
        self.events.push_back(self.summary.map(|text| LlmEvent::Text { id, text: text.into() }));
        self.events.push_back(Some(LlmEvent::Done { id, next, memo: String::new() }));
        Ok(())
    }

    fn cancel(&mut self) {
        self.reciter.cancel();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        match self.events.pop_front() {
            Some(Some(event)) => Poll::Ready(Ok(event)),
            Some(None) => {
                let engine = self.name.to_owned();
                Poll::Ready(Err(LlmError::Engine { engine, reason: "it has no pencil".into() }))
            }
            None => self.reciter.poll_event(cx),
        }
    }
}

/// Three turns, the last of them with the summary of the first, if there is one.
async fn talk(world: &World) {
    let mut heard = GREETING.to_owned();
    world.line.until("the greeting", |line| line.heard().join(" ") == heard).await;
    for _ in 0..3 {
        pass(Duration::from_millis(500)).await;
        world.line.say(&["alpha", "bravo", "charlie"]);
        heard = format!("{heard} {REPLY}");
        world.line.until("an answer", |line| line.heard().join(" ") == heard).await;
    }
    pass(Duration::from_secs(1)).await;
}

fn run(summaries: [Option<&'static str>; 2]) -> (Vec<(&'static str, LlmRequest)>, Vec<Event>) {
    let (asked, told) = (Arc::default(), Arc::new(Mutex::new(Vec::new())));
    let config = Config { context_tokens: 80, ..Config::default() };
    let scribe = |name, summary| -> Arc<dyn LanguageModel> {
        Arc::new(Scribe { name, summary, asked: Arc::clone(&asked) })
    };
    let llm = vec![scribe("first", summaries[0]), scribe("second", summaries[1])];
    with_engines(
        config,
        |_| Engines { llm, ..engines::all() },
        |mut world| {
            let told = told.clone();
            async move {
                talk(&world).await;
                let turns = world.drain().into_iter().filter_map(|event| match event {
                    CallEventKind::Turn(event) => Some(event),
                    _ => None,
                });
                told.lock().unwrap().extend(turns);
            }
        },
    );
    let (asked, told) = (asked.lock().unwrap().clone(), told.lock().unwrap().clone());
    (asked, told)
}

#[test]
fn the_next_service_of_the_chain_makes_a_summary_that_the_first_cannot_make() {
    let (asked, told) = run([None, Some("They spell.")]);
    let summaries: Vec<_> = asked.iter().filter(|(_, request)| request.task == Task::Summary).collect();
    let names: Vec<_> = summaries.iter().map(|(name, _)| *name).collect();
    assert!(!names.is_empty() && names.chunks(2).all(|pair| pair == ["first", "second"]), "{names:?}");
    assert_eq!(summaries[0].1.history.len(), 3, "the greeting and a turn");
    assert!(told.iter().any(|event| matches!(event, Event::Summarised { messages: 3, .. })), "{told:?}");
    let (name, last) = asked.iter().rev().find(|(_, request)| request.task == Task::Reply).unwrap();
    assert_eq!((*name, last.summary.as_str(), last.history.len()), ("first", "They spell.", 2));
}

#[test]
fn without_a_summary_the_call_goes_on_and_the_oldest_is_forgotten() {
    let (_, told) = run([None, None]);
    assert!(told.iter().any(|event| matches!(event, Event::NotSummarised { .. })), "{told:?}");
    assert!(told.iter().any(|event| matches!(event, Event::Forgotten { messages: 1.., .. })), "{told:?}");
}
