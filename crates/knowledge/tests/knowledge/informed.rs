//! A language model that is given what is known.

use ringway_knowledge::{Config, Informed};
use ringway_stages::Expectation;
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next};
use ringway_stages::tool_use::ToolNews;
use ringway_tools::{Finding, Knowledge, KnowledgeError, Passage};
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

/// What a model was asked and told, in order.
type Heard = Arc<Mutex<Vec<String>>>;

/// A model that notes what it hears, and is done at once.
struct Parrot(Heard);

struct Session(Heard, Option<LlmEvent>);

impl LanguageModel for Parrot {
    fn name(&self) -> &str {
        "parrot"
    }

    fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(Session(self.0.clone(), None)))
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        self.0.lock().unwrap().push(format!("{:?}", request.cue));
        let next = Next::Listen(Expectation::anything());
        self.1 = Some(LlmEvent::Done { id: request.id, next, memo: String::new() });
        Ok(())
    }

    fn commit(&mut self) {
        self.0.lock().unwrap().push("commit".into());
    }

    fn cancel(&mut self) {
        self.1 = None;
    }

    fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        self.1.take().map_or(Poll::Pending, |event| Poll::Ready(Ok(event)))
    }
}

/// Knows one thing, or nothing, or never says.
#[derive(Clone, Debug)]
enum Sage {
    Knows(Arc<AtomicUsize>),
    Lacks,
    Fails,
    Ponders,
}

impl Knowledge for Sage {
    fn look_up(&self, _: String, _: usize) -> Finding {
        let passage = Passage { source: "shop.md, Hours".into(), text: "Open at nine.".into() };
        match self {
            Self::Knows(asked) => {
                asked.fetch_add(1, Ordering::Relaxed);
                Box::pin(std::future::ready(Ok(vec![passage])))
            }
            Self::Lacks => Box::pin(std::future::ready(Ok(Vec::new()))),
            Self::Fails => Box::pin(std::future::ready(Err(KnowledgeError("it burnt down".into())))),
            Self::Ponders => Box::pin(std::future::pending()),
        }
    }
}

fn open(sage: Sage) -> (Box<dyn LlmSession>, Heard) {
    let heard = Heard::default();
    let config = Config { wait: Duration::from_secs(5), ..Config::default() };
    let informed = Informed::new(Arc::new(Parrot(heard.clone())), Arc::new(sage), &config);
    (informed.open(LlmCall::default()).unwrap(), heard)
}

async fn event(session: &mut dyn LlmSession) -> LlmEvent {
    poll_fn(|cx| session.poll_event(cx)).await.unwrap()
}

fn said(words: &str) -> LlmRequest {
    LlmRequest::new(7, Cue::Said(words.into()))
}

#[tokio::test]
async fn a_turn_is_given_what_is_known_of_it_and_the_call_is_told() {
    let (mut session, heard) = open(Sage::Knows(Arc::default()));
    session.reply(said("When do you open?")).unwrap();
    session.commit();
    let passages = vec!["shop.md, Hours".to_owned()];
    assert_eq!(event(&mut *session).await, LlmEvent::Tool { id: 7, news: ToolNews::Cited { passages } });
    assert!(matches!(event(&mut *session).await, LlmEvent::Done { id: 7, .. }));
    let heard = heard.lock().unwrap();
    assert!(heard[0].starts_with("Said(\"When do you open?\\n\\n(The caller did not say"), "{heard:?}");
    assert!(heard[0].ends_with("[shop.md, Hours]\\nOpen at nine.\")"), "{heard:?}");
    assert_eq!(heard[1..], ["commit"], "once it has been asked");
}

#[tokio::test]
async fn a_turn_of_which_nothing_is_known_is_told_so() {
    let (mut session, heard) = open(Sage::Lacks);
    session.reply(said("Do you sell cheese?")).unwrap();
    assert!(matches!(event(&mut *session).await, LlmEvent::Done { .. }));
    let heard = heard.lock().unwrap();
    assert!(heard[0].starts_with("Said(\"Do you sell cheese?\\n\\n(The caller did not say"), "{heard:?}");
    assert!(heard[0].contains("nothing in the knowledge base fits"), "{heard:?}");
}

#[tokio::test]
async fn a_reply_that_goes_on_after_its_tools_is_searched_for_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let (mut session, heard) = open(Sage::Knows(asked.clone()));
    for _ in 0..2 {
        session.reply(said("When do you open?")).unwrap();
        while !matches!(event(&mut *session).await, LlmEvent::Done { .. }) {}
    }
    assert_eq!((asked.load(Ordering::Relaxed), heard.lock().unwrap().len()), (1, 2));
    session.reply(said("And on Sundays?")).unwrap();
    while !matches!(event(&mut *session).await, LlmEvent::Done { .. }) {}
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_is_no_question_is_not_searched_for() {
    let asked = Arc::new(AtomicUsize::new(0));
    let (mut session, heard) = open(Sage::Knows(asked.clone()));
    for cue in [Cue::Joined, Cue::Silent(1), Cue::Pressed("1".into()), Cue::Said("...".into())] {
        session.reply(LlmRequest::new(7, cue)).unwrap();
        assert!(matches!(event(&mut *session).await, LlmEvent::Done { .. }));
    }
    assert_eq!((asked.load(Ordering::Relaxed), heard.lock().unwrap().len()), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn a_search_that_fails_or_never_ends_costs_no_more_than_the_wait() {
    for sage in [Sage::Fails, Sage::Ponders] {
        let (mut session, heard) = open(sage);
        session.reply(said("When do you open?")).unwrap();
        assert!(matches!(event(&mut *session).await, LlmEvent::Done { .. }));
        assert_eq!(*heard.lock().unwrap(), ["Said(\"When do you open?\")"]);
    }
}

#[tokio::test]
async fn a_search_that_is_not_wanted_any_more_asks_nothing() {
    let (mut session, heard) = open(Sage::Ponders);
    session.reply(said("When do you")).unwrap();
    session.cancel();
    session.reply(LlmRequest::new(8, Cue::Silent(1))).unwrap();
    assert!(matches!(event(&mut *session).await, LlmEvent::Done { id: 8, .. }));
    assert_eq!(*heard.lock().unwrap(), ["Silent(1)"]);
}
