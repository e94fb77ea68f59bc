//! The session that serves, and at times a second one that works on the same request: the first that begins to answer
//! goes on, and the other is cancelled before it has done anything.

use crate::cause::Winner;
use crate::hedge::{AskSecond, HedgeNews, Over};
use ringway_stages::health::Health;
use ringway_stages::llm::{LlmError, LlmEvent, LlmRequest, LlmSession};
use ringway_stages::tool_use::ToolNews;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// One stage's sessions.
pub(super) struct Pair {
    session: Box<dyn LlmSession>,
    service: Arc<str>,
    second: Option<Second>,
    /// What was asked, until an answer begins.
    waiting: Option<Waiting>,
    /// What is told before anything else.
    queue: VecDeque<LlmEvent>,
}

struct Second {
    session: Box<dyn LlmSession>,
    service: Arc<str>,
    /// What it told that is no beginning of an answer.
    held: Vec<LlmEvent>,
}

struct Waiting {
    request: LlmRequest,
    committed: bool,
    /// The one that serves has told what it was given of the knowledge base; the other is given the same.
    cited: bool,
}

/// What a pair tells.
#[derive(Debug)]
pub(super) enum Told {
    Event(LlmEvent),
    Hedge(HedgeNews),
}

impl Pair {
    /// Of one that serves.
    pub(super) fn new(session: Box<dyn LlmSession>, service: Arc<str>) -> Self {
        Self { session, service, second: None, waiting: None, queue: VecDeque::new() }
    }

    /// The name of the one that serves.
    pub(super) fn service(&self) -> &Arc<str> {
        &self.service
    }

    /// Asks the one that serves. To `keep` the request is the condition for asking another the same.
    pub(super) fn reply(&mut self, request: LlmRequest, keep: bool) -> Result<(), LlmError> {
        let waiting = |request| Waiting { request, committed: false, cited: false };
        self.waiting = keep.then(|| waiting(request.clone()));
        self.queue.clear();
        self.session.reply(request)
    }

    pub(super) fn commit(&mut self) {
        self.session.commit();
        if let Some(second) = &mut self.second {
            second.session.commit();
        }
        if let Some(waiting) = &mut self.waiting {
            waiting.committed = true;
        }
    }

    pub(super) fn cancel(&mut self) {
        self.session.cancel();
        self.waiting = None;
        self.queue.clear();
    }

    /// Nobody wants an answer of either: the second is cancelled. `None`: there was none.
    pub(super) fn break_off(&mut self) -> Option<HedgeNews> {
        self.second.take()?.session.cancel();
        Some(HedgeNews::Over(Over { winner: Winner::Neither, failed: None }))
    }

    /// Asks another the same, if the request still waits.
    pub(super) fn ask_second(&mut self, ask: AskSecond, memo: String) -> HedgeNews {
        let fits = |waiting: &&Waiting| waiting.request.id == ask.request.number() && self.second.is_none();
        let Some(waiting) = self.waiting.as_ref().filter(fits) else { return HedgeNews::NotAsked };
        let AskSecond { request, model, call, health } = ask;
        match model.open(call).and_then(|session| waiting.asked_of(session, &health, memo)) {
            Ok(second) => {
                self.second = Some(second);
                HedgeNews::Asked { request, second: health }
            }
            Err(error) => failed(Winner::First, &error),
        }
    }

    /// The next thing of the one that serves; of two, of the one that begins to answer.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Told, LlmError>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Poll::Ready(Ok(Told::Event(event)));
            }
            if let Poll::Ready(told) = self.session.poll_event(cx) {
                return Poll::Ready(match (told, self.second.take()) {
                    (Ok(event), second) => Ok(self.first_told(event, second)),
                    (Err(error), Some(second)) => Ok(self.hand_over(second, Some(&error))),
                    (Err(error), None) => Err(error),
                });
            }
            let Some(second) = &mut self.second else { return Poll::Pending };
            let told = ready!(second.session.poll_event(cx));
            if let Some(told) = self.second_told(told) {
                return Poll::Ready(Ok(told));
            }
        }
    }

    fn first_told(&mut self, event: LlmEvent, second: Option<Second>) -> Told {
        if let Some(waiting) = &mut self.waiting {
            waiting.cited |= is_citation(&event);
        }
        if !self.begins(&event) {
            self.second = second;
            return Told::Event(event);
        }
        self.waiting = None;
        let Some(mut second) = second else { return Told::Event(event) };
        second.session.cancel();
        self.queue.push_back(event);
        Told::Hedge(HedgeNews::Over(Over { winner: Winner::First, failed: None }))
    }

    fn second_told(&mut self, told: Result<LlmEvent, LlmError>) -> Option<Told> {
        let mut second = self.second.take()?;
        match told {
            Ok(event) if self.begins(&event) => {
                self.session.cancel();
                let told = self.hand_over(second, None);
                self.queue.push_back(event);
                self.waiting = None;
                Some(told)
            }
            Ok(event) => {
                second.held.push(event);
                self.second = Some(second);
                None
            }
            Err(error) => Some(Told::Hedge(failed(Winner::First, &error))),
        }
    }

    /// The second serves from now on.
    fn hand_over(&mut self, second: Second, first: Option<&LlmError>) -> Told {
        (self.session, self.service) = (second.session, second.service);
        let cited = self.waiting.as_ref().is_some_and(|waiting| waiting.cited);
        self.queue.extend(second.held.into_iter().filter(|event| !cited || !is_citation(event)));
        Told::Hedge(match first {
            Some(error) => failed(Winner::Second, error),
            None => HedgeNews::Over(Over { winner: Winner::Second, failed: None }),
        })
    }

    /// It is the first of the answer that is waited for: words, a tool, or the end.
    fn begins(&self, event: &LlmEvent) -> bool {
        let (LlmEvent::Text { id, .. }
        | LlmEvent::Call { id, .. }
        | LlmEvent::Tool { id, .. }
        | LlmEvent::Slots { id, .. }
        | LlmEvent::Usage { id, .. }
        | LlmEvent::Done { id, .. }) = event;
        let waited_for = self.waiting.as_ref().is_some_and(|waiting| waiting.request.id == *id);
        waited_for && !is_citation(event) && !matches!(event, LlmEvent::Slots { .. } | LlmEvent::Usage { .. })
    }
}

impl Waiting {
    fn asked_of(
        &self,
        mut session: Box<dyn LlmSession>,
        health: &Health,
        memo: String,
    ) -> Result<Second, LlmError> {
        session.reply(LlmRequest { memo, ..self.request.clone() })?;
        if self.committed {
            session.commit();
        }
        Ok(Second { session, service: health.service().clone(), held: Vec::new() })
    }
}

fn is_citation(event: &LlmEvent) -> bool {
    matches!(event, LlmEvent::Tool { news: ToolNews::Cited { .. }, .. })
}

fn failed(winner: Winner, error: &LlmError) -> HedgeNews {
    HedgeNews::Over(Over { winner, failed: Some(error.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_stages::Expectation;
    use ringway_stages::health::Config;
    use ringway_stages::llm::{Cue, LanguageModel, LlmCall, Next};
    use ringway_turn::RequestId;
    use std::sync::Mutex;
    use std::task::Waker;

    /// What a model says next, and what was done to its session.
    #[derive(Clone, Default)]
    struct Model(Arc<Mutex<Inner>>);

    #[derive(Default)]
    struct Inner {
        says: VecDeque<Result<LlmEvent, LlmError>>,
        done: Vec<&'static str>,
        polls: u32,
    }

    impl Model {
        fn says(&self, event: LlmEvent) {
            self.0.lock().unwrap().says.push_back(Ok(event));
        }

        fn fails(&self) {
            let error = LlmError::Engine { engine: "model".into(), reason: "killed".into() };
            self.0.lock().unwrap().says.push_back(Err(error));
        }

        fn did(&self, what: &'static str) {
            self.0.lock().unwrap().done.push(what);
        }

        fn done(&self) -> Vec<&'static str> {
            self.0.lock().unwrap().done.clone()
        }
    }

    impl LanguageModel for Model {
        fn name(&self) -> &str {
            "model"
        }

        fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
            Ok(Box::new(self.clone()))
        }
    }

    impl LlmSession for Model {
        fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
            assert!(["", "of the second"].contains(&&*request.memo), "each has its own memo");
            self.did("asked");
            Ok(())
        }

        fn commit(&mut self) {
            self.did("committed");
        }

        fn cancel(&mut self) {
            self.did("cancelled");
        }

        fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
            let mut inner = self.0.lock().unwrap();
            inner.polls += 1;
            inner.says.pop_front().map_or(Poll::Pending, Poll::Ready)
        }
    }

    fn text(id: u32, text: &str) -> LlmEvent {
        LlmEvent::Text { id, text: text.into() }
    }

    fn cited(source: &str) -> LlmEvent {
        LlmEvent::Tool { id: 1, news: ToolNews::Cited { passages: vec![source.into()] } }
    }

    fn end(id: u32) -> LlmEvent {
        LlmEvent::Done { id, next: Next::Listen(Expectation::anything()), memo: String::new() }
    }

    fn ask(model: &Model, request: u32) -> AskSecond {
        let health = Arc::new(Health::new("second", &Config::default(), None));
        let model = Arc::new(model.clone());
        AskSecond { request: RequestId::new(request), model, call: LlmCall::default(), health }
    }

    /// Two models that were asked request 1.
    fn two() -> (Pair, Model, Model) {
        let (first, second) = (Model::default(), Model::default());
        let mut pair = Pair::new(Box::new(first.clone()), "first".into());
        pair.reply(LlmRequest::new(1, Cue::Said("hi".into())), true).unwrap();
        pair.commit();
        let news = pair.ask_second(ask(&second, 1), "of the second".into());
        assert!(matches!(news, HedgeNews::Asked { .. }), "{news:?}");
        (pair, first, second)
    }

    /// All that is told now: events, and who goes on.
    fn told(pair: &mut Pair) -> (Vec<LlmEvent>, Vec<Winner>) {
        let (mut events, mut winners) = (Vec::new(), Vec::new());
        while let Poll::Ready(told) = pair.poll(&mut Context::from_waker(Waker::noop())) {
            match told.unwrap() {
                Told::Event(event) => events.push(event),
                Told::Hedge(HedgeNews::Over(over)) => winners.push(over.winner),
                Told::Hedge(news) => panic!("{news:?}"),
            }
        }
        (events, winners)
    }

    #[test]
    fn the_first_to_begin_goes_on_and_the_other_is_cancelled() {
        let (mut pair, first, second) = two();
        second.says(text(1, "Yes"));
        assert_eq!(told(&mut pair), (vec![text(1, "Yes")], vec![Winner::Second]));
        assert_eq!(&**pair.service(), "second");
        assert_eq!(first.done(), ["asked", "committed", "cancelled"]);
        assert_eq!(second.done(), ["asked", "committed"]);
    }

    #[test]
    fn when_both_have_begun_the_second_is_not_even_listened_to() {
        let (mut pair, first, second) = two();
        first.says(text(1, "Yes"));
        second.says(text(1, "No"));
        assert_eq!(told(&mut pair), (vec![text(1, "Yes")], vec![Winner::First]));
        assert_eq!(second.done().last(), Some(&"cancelled"));
        assert_eq!(second.0.lock().unwrap().polls, 0, "its tool would have run");
    }

    #[test]
    fn what_was_looked_up_before_is_no_beginning_and_is_told_once() {
        let (mut pair, first, second) = two();
        second.says(cited("hours"));
        assert_eq!(told(&mut pair), (vec![], vec![]));
        first.says(cited("hours"));
        assert_eq!(told(&mut pair), (vec![cited("hours")], vec![]));
        second.says(text(1, "Yes"));
        assert_eq!(told(&mut pair), (vec![text(1, "Yes")], vec![Winner::Second]));
    }

    #[test]
    fn what_only_the_second_looked_up_is_told_when_it_goes_on() {
        let (mut pair, _first, second) = two();
        second.says(cited("hours"));
        second.says(end(1));
        assert_eq!(told(&mut pair), (vec![cited("hours"), end(1)], vec![Winner::Second]));
    }

    #[test]
    fn what_belongs_to_an_earlier_request_is_no_beginning() {
        let (mut pair, first, second) = two();
        first.says(text(0, "late"));
        second.says(text(0, "later"));
        assert_eq!(told(&mut pair), (vec![text(0, "late")], vec![]));
        first.says(text(1, "Yes"));
        assert_eq!(told(&mut pair), (vec![text(1, "Yes")], vec![Winner::First]));
    }

    #[test]
    fn one_that_fails_leaves_the_other_and_two_that_fail_leave_none() {
        let (mut pair, first, second) = two();
        first.fails();
        assert_eq!(told(&mut pair), (vec![], vec![Winner::Second]));
        second.fails();
        let end = pair.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(end, Poll::Ready(Err(_))), "{end:?}");
    }

    #[test]
    fn what_is_cancelled_is_cancelled_for_both() {
        let (mut pair, first, second) = two();
        let over = pair.break_off();
        pair.cancel();
        let neither = Some(HedgeNews::Over(Over { winner: Winner::Neither, failed: None }));
        assert_eq!(format!("{over:?}"), format!("{neither:?}"));
        assert_eq!([first.done().last(), second.done().last()], [Some(&"cancelled"); 2]);
        assert!(pair.break_off().is_none(), "once");
    }

    #[test]
    fn nobody_is_asked_what_was_answered_or_replaced_or_asked_twice_already() {
        let other = Model::default();
        let refused = |pair: &mut Pair, request| {
            let news = pair.ask_second(ask(&other, request), String::new());
            assert!(matches!(news, HedgeNews::NotAsked), "{news:?}");
        };
        let (mut pair, first, _second) = two();
        refused(&mut pair, 1);
        first.says(text(1, "Yes"));
        told(&mut pair);
        refused(&mut pair, 1);
        pair.reply(LlmRequest::new(2, Cue::Said("hi".into())), true).unwrap();
        refused(&mut pair, 1);
        pair.reply(LlmRequest::new(3, Cue::Said("hi".into())), false).unwrap();
        refused(&mut pair, 3);
        assert!(other.done().is_empty());
    }

    #[test]
    fn a_second_that_cannot_be_asked_leaves_the_first() {
        #[derive(Clone)]
        struct Closed;
        impl LanguageModel for Closed {
            fn name(&self) -> &str {
                "closed"
            }

            fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
                Err(LlmError::Engine { engine: "closed".into(), reason: "no".into() })
            }
        }
        let first = Model::default();
        let mut pair = Pair::new(Box::new(first.clone()), "first".into());
        pair.reply(LlmRequest::new(1, Cue::Said("hi".into())), true).unwrap();
        let ask = AskSecond { model: Arc::new(Closed), ..ask(&first, 1) };
        let news = pair.ask_second(ask, String::new());
        assert!(matches!(news, HedgeNews::Over(Over { winner: Winner::First, failed: Some(_) })), "{news:?}");
        first.says(text(1, "Yes"));
        assert_eq!(told(&mut pair), (vec![text(1, "Yes")], vec![]));
    }
}
