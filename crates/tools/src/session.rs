use super::dispatch::{Dispatch, Round};
use super::memo::Memo;
use ringway_stages::Expectation;
use ringway_stages::llm::{LlmError, LlmEvent, LlmRequest, LlmSession, Next, ToolCall};
use ringway_stages::tool_use::{ToolNews, ToolRound, rounds};
use std::collections::VecDeque;
use std::task::{Context, Poll};

/// One call's model, with the tools that it calls.
pub(super) struct Session {
    model: Box<dyn LlmSession>,
    dispatch: Dispatch,
    reply: Option<Reply>,
    /// What is to be told before anything else.
    news: VecDeque<LlmEvent>,
}

/// A reply in the making.
struct Reply {
    /// As it was asked for, with the model's own memo.
    request: LlmRequest,
    /// What earlier replies' tools said.
    held: Vec<ToolRound>,
    /// It is wanted for certain.
    committed: bool,
    /// Rounds of calls so far.
    rounds: u32,
    /// What the model has said in this round.
    said: String,
    /// And before the calls of each earlier one.
    texts: Vec<String>,
    /// What is to follow the reply, by a tool's doing.
    next: Option<Next>,
    /// A tool has pressed keys.
    pressed: bool,
    step: Step,
}

enum Step {
    /// The model speaks, and wants these calls. `=> Wanted` when it has called, else the reply is done.
    Model(Vec<ToolCall>),
    /// They wait until the reply is wanted for certain. `=> Running`
    Wanted(Vec<ToolCall>),
    /// They run. `=> Model` with what came of them, or done.
    Running { round: Round, memo: String },
}

impl Session {
    pub(super) fn new(model: Box<dyn LlmSession>, dispatch: Dispatch) -> Self {
        Self { model, dispatch, reply: None, news: VecDeque::new() }
    }

    /// Asks the model; with all that tools have said until now.
    fn ask(&mut self) -> Result<(), LlmError> {
        let Some(reply) = &mut self.reply else { return Ok(()) };
        let journal = &self.dispatch.effects;
        let rounds = rounds(&reply.request, &journal.with_accepted(&reply.held), &journal.unheld());
        let mut request = LlmRequest { rounds, ..reply.request.clone() };
        if request.already.is_empty() {
            let own = request.rounds.iter_mut().rev().zip(reply.texts.iter().rev());
            own.for_each(|(round, text)| round.text.clone_from(text));
        } else {
            request.already += &reply.texts.concat();
        }
        reply.step = Step::Model(Vec::new());
        self.model.reply(request)
    }

    /// The model has stopped.
    fn stopped(&mut self, next: Next, memo: String) {
        let Some(reply) = &mut self.reply else { return };
        let Step::Model(calls) = &mut reply.step else { return };
        let calls = std::mem::take(calls);
        if calls.is_empty() || self.dispatch.is_exhausted(reply.rounds) {
            return self.finish(next, memo);
        }
        reply.request.memo = memo;
        reply.step = Step::Wanted(calls);
    }

    /// Makes the calls.
    fn run(&mut self, calls: Vec<ToolCall>) {
        let Some(reply) = &mut self.reply else { return };
        reply.rounds += 1;
        reply.texts.push(std::mem::take(&mut reply.said));
        let (id, news) = (reply.request.id, &mut self.news);
        let told = |tool| news.push_back(LlmEvent::Tool { id, news: tool });
        let round = self.dispatch.begin(&reply.request, reply.rounds, calls, told);
        let memo = std::mem::take(&mut reply.request.memo);
        reply.step = Step::Running { round, memo };
    }

    /// Looks after what runs. `true` when all of it is over.
    fn watch(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(reply) = &mut self.reply else { return false };
        let Step::Running { round, .. } = &mut reply.step else { return false };
        let (id, news) = (reply.request.id, &mut self.news);
        let (language, pressed) = (&mut reply.request.language, &mut reply.pressed);
        let told = |tool| {
            match &tool {
                ToolNews::Language(spoken) => language.clone_from(&spoken.name),
                ToolNews::Keys { .. } => *pressed = true,
                _ => {}
            }
            news.push_back(LlmEvent::Tool { id, news: tool });
        };
        self.dispatch.watch(round, cx, &mut reply.next, told)
    }

    /// All calls of the round are over: the model goes on, unless it has said goodbye already.
    fn go_on(&mut self) -> Result<(), LlmError> {
        let Some(reply) = &mut self.reply else { return Ok(()) };
        let Step::Running { memo, .. } = &mut reply.step else { return Ok(()) };
        let memo = std::mem::take(memo);
        if reply.next.is_some() && reply.texts.last().is_some_and(|text| !text.trim().is_empty()) {
            self.finish(Next::HangUp, memo);
            return Ok(());
        }
        reply.request.memo = memo;
        self.ask()
    }

    fn finish(&mut self, next: Next, model: String) {
        let Some(reply) = self.reply.take() else { return };
        let mut held = reply.held;
        held.extend(self.dispatch.effects.unheld().into_iter().filter(ToolRound::is_done));
        held.iter_mut().for_each(ToolRound::forget_provided);
        let memo = Memo { model, rounds: held }.write();
        self.news.push_back(LlmEvent::Done { id: reply.request.id, next: reply.next.unwrap_or(next), memo });
    }

    /// The running reply is over before its end.
    fn leave(&mut self) {
        let Some(Reply { request, step: Step::Running { round, .. }, .. }) = self.reply.take() else {
            return;
        };
        self.news.extend(round.interrupt().map(|news| LlmEvent::Tool { id: request.id, news }));
    }

    fn hear(&mut self, event: LlmEvent) -> Option<LlmEvent> {
        let reply = self.reply.as_mut()?;
        match event {
            LlmEvent::Text { text, id } => {
                reply.said += &text;
                Some(LlmEvent::Text { id, text })
            }
            LlmEvent::Call { call, .. } => {
                if let Step::Model(calls) = &mut reply.step {
                    calls.push(call);
                }
                None
            }
            LlmEvent::Done { next, memo, .. } => {
                self.stopped(next, memo);
                None
            }
            LlmEvent::Tool { .. } | LlmEvent::Slots { .. } | LlmEvent::Usage { .. } => Some(event),
        }
    }
}

impl LlmSession for Session {
    fn reply(&mut self, mut request: LlmRequest) -> Result<(), LlmError> {
        self.leave();
        let Memo { model, rounds: held } = Memo::read(&request.memo);
        self.dispatch.effects.accept(&held);
        request.memo = model;
        let (said, step) = (String::new(), Step::Model(Vec::new()));
        let texts = Vec::new();
        let reply = Reply {
            request,
            held,
            committed: false,
            rounds: 0,
            said,
            texts,
            next: None,
            pressed: false,
            step,
        };
        self.reply = Some(reply);
        self.ask()
    }

    fn commit(&mut self) {
        if let Some(reply) = &mut self.reply {
            reply.committed = true;
        }
        self.model.commit();
    }

    fn cancel(&mut self) {
        self.model.cancel();
        self.leave();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        loop {
            if let Some(news) = self.news.pop_front() {
                return Poll::Ready(Ok(news));
            }
            let Some(reply) = &mut self.reply else { return Poll::Pending };
            match &mut reply.step {
                Step::Model(_) => {
                    match std::task::ready!(self.model.poll_event(cx)) {
                        // What is to follow was said by tools.
                        Err(LlmError::Empty { .. }) if reply.next.is_some() || reply.pressed => {
                            let memo = std::mem::take(&mut reply.request.memo);
                            self.finish(Next::Listen(Expectation::anything()), memo);
                        }
                        event => {
                            if let Some(event) = self.hear(event?) {
                                return Poll::Ready(Ok(event));
                            }
                        }
                    }
                }
                // Whoever commits polls again.
                Step::Wanted(_) if !reply.committed => return Poll::Pending,
                Step::Wanted(calls) => {
                    let calls = std::mem::take(calls);
                    self.run(calls);
                }
                Step::Running { .. } => {
                    if self.watch(cx) {
                        self.go_on()?;
                    } else if self.news.is_empty() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}
