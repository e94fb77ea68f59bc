//! The session that serves, and at times a second one that works on the same request: the first that begins to answer
//! goes on, and the other is cancelled before it has done anything.

use crate::event::Winner;
use crate::hedge::{AskSecond, HedgeNews, Over};
use ringway_stages::health::Health;
use ringway_stages::llm::{LlmError, LlmEvent, LlmRequest, LlmSession};
use ringway_stages::tools::ToolNews;
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
        | LlmEvent::Usage { id, .. }
        | LlmEvent::Done { id, .. }) = event;
        let waited_for = self.waiting.as_ref().is_some_and(|waiting| waiting.request.id == *id);
        waited_for && !is_citation(event) && !matches!(event, LlmEvent::Usage { .. })
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
