//! Tools of what hears and speaks by itself.

use crate::model::declared;
use ringway_frame::{Format, Frame};
use ringway_stages::llm::{Called, Cue, Next, ToolCall};
use ringway_stages::speech_to_speech::{
    Hearing, Remark, SpeechCall, SpeechError, SpeechEvent, SpeechSession, SpeechToSpeech, Wanted,
};
use ringway_stages::tool_use::{Outcome, ToolNews};
use ringway_stages::transfer::Destination;
use ringway_tools::{Config, Finding, Knowledge, Passage, SpeechToolbox, Tools};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What it does next when it is asked, or told results: words, and calls by name and arguments.
type Step = (&'static str, &'static [(&'static str, &'static str)]);

/// Takes one step after the other, and keeps what it was told.
#[derive(Clone, Default)]
struct Service {
    steps: Arc<Mutex<VecDeque<Step>>>,
    results: Arc<Mutex<Vec<(String, String, bool)>>>,
    remarks: Arc<Mutex<Vec<Vec<Remark>>>>,
    known: Arc<Mutex<Vec<String>>>,
}

struct Session {
    service: Service,
    id: u32,
    events: VecDeque<SpeechEvent>,
}

impl Service {
    fn that(steps: &[Step]) -> Self {
        let service = Self::default();
        service.steps.lock().unwrap().extend(steps);
        service
    }

    /// Results as they were told: the call's id, the words, and whether the answer was to go on.
    fn told(&self) -> Vec<(String, String, bool)> {
        self.results.lock().unwrap().clone()
    }
}

impl SpeechToSpeech for Service {
    fn name(&self) -> &str {
        "told"
    }

    fn open(&self, call: SpeechCall) -> Result<Box<dyn SpeechSession>, SpeechError> {
        *self.known.lock().unwrap() = call.tools.iter().map(|tool| tool.name.clone()).collect();
        Ok(Box::new(Session { service: self.clone(), id: 0, events: VecDeque::new() }))
    }
}

impl Session {
    fn step(&mut self) {
        let (text, calls) = self.service.steps.lock().unwrap().pop_front().unwrap_or_default();
        let id = self.id;
        if !text.is_empty() {
            self.events.push_back(SpeechEvent::Text { id, text: text.into() });
        }
        let named = |(at, (name, arguments)): (usize, &(&str, &str))| {
            ToolCall::new(format!("theirs-{at}"), *name, *arguments)
        };
        let calls: Vec<_> = calls.iter().enumerate().map(named).collect();
        self.events.push_back(match calls.is_empty() {
            true => SpeechEvent::Done { id, next: None },
            false => SpeechEvent::Calls { id, calls },
        });
    }
}

impl SpeechSession for Session {
    fn hearing(&self) -> Hearing {
        Hearing::Utterances
    }

    fn hear(&mut self, _: &Frame) -> Result<(), SpeechError> {
        Ok(())
    }

    fn forget(&mut self) {}

    fn commit(&mut self, _: u32) -> Result<(), SpeechError> {
        Ok(())
    }

    fn answer(&mut self, wanted: Wanted) -> Result<(), SpeechError> {
        self.id = wanted.id;
        self.service.remarks.lock().unwrap().push(wanted.remarks);
        self.step();
        Ok(())
    }

    fn results(&mut self, calls: Vec<Called>, go_on: bool) {
        let told = calls.into_iter().map(|called| (called.call.id, called.result, go_on));
        self.service.results.lock().unwrap().extend(told);
        if go_on {
            self.step();
        } else {
            self.events.push_back(SpeechEvent::Done { id: self.id, next: None });
        }
    }

    fn cancel(&mut self, _: Duration) {
        self.events.clear();
    }

    fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<SpeechEvent, SpeechError>> {
        self.events.pop_front().map_or(Poll::Pending, |event| Poll::Ready(Ok(event)))
    }

    fn next_frame(&mut self, _: &mut Frame) -> bool {
        false
    }
}

/// Knows one thing, as soon as it may.
#[derive(Debug)]
struct Sage(Arc<Semaphore>);

impl Knowledge for Sage {
    fn look_up(&self, _: String, _: usize) -> Finding {
        let may = self.0.clone();
        Box::pin(async move {
            may.acquire().await.unwrap().forget();
            Ok(vec![Passage { source: "hours.md".into(), text: "At nine.".into() }])
        })
    }
}

const ASKS: Step = ("", &[("look_up", r#"{"question":"hours"}"#)]);

fn toolbox(service: &Service, text: &str, may: &Arc<Semaphore>) -> SpeechToolbox {
    let tools = Tools::start(declared(text), Some(Arc::new(Sage(may.clone())))).unwrap();
    SpeechToolbox::new(Arc::new(service.clone()), tools, Config::default())
}

fn open(service: &Service, text: &str) -> Box<dyn SpeechSession> {
    let may = Arc::new(Semaphore::new(100));
    toolbox(service, text, &may).open(SpeechCall::of(Format::Mulaw8k)).unwrap()
}

async fn event(session: &mut dyn SpeechSession) -> SpeechEvent {
    poll_fn(|cx| session.poll_event(cx)).await.unwrap()
}

/// An answer to its end: its words, how its tools ended, and what follows.
async fn answer(session: &mut dyn SpeechSession, id: u32) -> (String, Vec<Outcome>, Option<Next>) {
    session.answer(Wanted::new(id, Cue::Said(String::new()))).unwrap();
    let (mut words, mut outcomes) = (String::new(), Vec::new());
    loop {
        match event(session).await {
            SpeechEvent::Text { text, .. } => words += &text,
            SpeechEvent::Tool { news: ToolNews::Ended { outcome, .. }, .. } => outcomes.push(outcome),
            SpeechEvent::Tool { .. } => {}
            SpeechEvent::Done { next, .. } => return (words, outcomes, next),
            event => panic!("{event:?} came out"),
        }
    }
}

#[tokio::test]
async fn the_answer_goes_on_with_what_the_tool_said() {
    let service = Service::that(&[ASKS, ("At nine.", &[])]);
    let mut session = open(&service, "[built_in.look_up]\n");
    assert_eq!(*service.known.lock().unwrap(), ["look_up"]);
    assert_eq!(answer(&mut *session, 1).await, ("At nine.".into(), vec![Outcome::Done], None));
    assert_eq!(service.told(), [("theirs-0".into(), "[hours.md]\nAt nine.".into(), true)]);
    // It knows that from then on, unless it begins anew.
    answer(&mut *session, 2).await;
    let remark = &service.remarks.lock().unwrap()[1][0];
    assert!(remark.told && remark.text.ends_with("has said: [hours.md]\nAt nine."), "{remark:?}");
}

#[tokio::test]
async fn who_has_said_goodbye_is_not_asked_for_more() {
    let service = Service::that(&[("Goodbye.", &[("hang_up", "{}")])]);
    let mut session = open(&service, "[built_in.hang_up]\n");
    let over = answer(&mut *session, 1).await;
    assert_eq!(over, ("Goodbye.".into(), vec![Outcome::Done], Some(Next::HangUp)));
    assert!(!service.told()[0].2);
    let silent = Service::that(&[("", &[("transfer", r#"{"to":"desk"}"#)]), ("One moment.", &[])]);
    let put_through = answer(&mut *open(&silent, "[built_in.transfer]\n"), 1).await;
    assert_eq!(put_through.2, Some(Next::Transfer(Destination::written("+431234").unwrap())));
    assert_eq!((put_through.0.as_str(), silent.told()[0].2), ("One moment.", true));
}

#[tokio::test]
async fn a_service_that_only_calls_is_stopped() {
    let call: Step = ("", &[("fly", "{}")]);
    let service = Service::that(&[call; 20]);
    let (words, outcomes, next) = answer(&mut *open(&service, "[built_in.hang_up]\n"), 1).await;
    // Four rounds, and two in which calls are refused as too many.
    assert_eq!((words.as_str(), outcomes.len(), next), ("", 6, None));
    assert!(service.told()[0].1.starts_with("there is no tool \"fly\""), "{:?}", service.told());
    assert!(service.told()[4].1.starts_with("no more calls"), "{:?}", service.told());
}

#[tokio::test]
async fn a_tool_is_dropped_or_finishes_when_the_caller_speaks_and_the_service_is_told() {
    for (manner, at_once, later) in [
        ("cancel", "cancelled: the caller spoke before it was done", None),
        ("finish", "It is still running; its result will be told later.", Some("[hours.md]\nAt nine.")),
    ] {
        let (service, may) = (Service::that(&[ASKS, ("Yes?", &[])]), Arc::new(Semaphore::new(0)));
        let text = format!("[built_in.look_up]\non_barge_in = \"{manner}\"\n");
        let mut session = toolbox(&service, &text, &may).open(SpeechCall::of(Format::Mulaw8k)).unwrap();
        session.answer(Wanted::new(1, Cue::Said(String::new()))).unwrap();
        assert!(matches!(event(&mut *session).await, SpeechEvent::Tool { id: 1, .. }), "{manner}");
        session.cancel(Duration::ZERO);
        assert_eq!(service.told(), [("theirs-0".into(), at_once.into(), false)], "{manner}");
        may.add_permits(1);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        answer(&mut *session, 2).await;
        let remarks = service.remarks.lock().unwrap()[1].clone();
        let new: Vec<_> = remarks.iter().filter(|remark| !remark.told).collect();
        assert_eq!(new.len(), usize::from(later.is_some()), "{manner}: {remarks:?}");
        assert!(later.is_none_or(|later| new[0].text.ends_with(later)), "{new:?}");
    }
}

#[tokio::test]
async fn a_session_is_told_of_what_a_dead_one_had_done() {
    let (service, may) = (Service::that(&[ASKS]), Arc::new(Semaphore::new(1)));
    let (toolbox, call) = (toolbox(&service, "[built_in.look_up]\n", &may), SpeechCall::of(Format::Mulaw8k));
    answer(&mut *toolbox.open(call.clone()).unwrap(), 1).await;
    answer(&mut *toolbox.open(call).unwrap(), 2).await;
    let remarks = service.remarks.lock().unwrap()[1].clone();
    assert!(
        matches!(&remarks[..], [Remark { told: false, text }] if text.contains("look_up")),
        "{remarks:?}"
    );
}
