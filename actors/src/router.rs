//! The router of one call: what stages and edge report goes into the [`Turn`], what it decides goes out to them.

mod converse;
mod hedges;
mod hints;
mod language;
mod line;
pub(crate) mod news;
mod service_times;

use crate::cause::StageState;
use crate::clock::CallClock;
use crate::debt::Watches;
use crate::engines::Engines;
use crate::error::StageError;
use crate::event::CallEventKind;
use crate::health::ServiceHealth;
use crate::inbox::{Letterbox, Mail, Report};
use crate::leg::link::{Behind, EdgeCommand, EdgeLink};
use crate::orders::{self, Order, Orders, Permit, Summarise};
use crate::post::{self, Post};
use crate::publisher::Publisher;
use crate::record::Record;
use crate::retry::Retry;
use crate::snapshot::CallSnapshot;
use crate::stages::driver::{ExitReason, Pump, Stage};
use crate::stages::llm::{self, LlmStage};
use crate::stages::s2s::{SpeechStage, Talk};
use crate::stages::stt::{Listen, SttStage};
use crate::stages::tts::{Say, TtsStage};
use actix::prelude::*;
use hints::Hints;
use ringway_frame::Epoch;
use ringway_ring::EpochGate;
use ringway_stages::Expectation;
use ringway_stages::tool_use::ToolEffects;
use ringway_turn::{
    CallerTurn, ClauseId, Command, EndReason, Event, Input, Observer, Output, Playout, RequestId,
    SpeechState, StageKind, Stt, Turn,
};
use service_times::ServiceTimes;
use std::sync::Arc;
use std::task::{self, Poll};
use tokio::time::Instant;

/// Relays; it decides nothing. The conversation lives here, so that any stage can die and be replaced.
pub struct Router {
    turn: Turn,
    observer: Observer,
    inbox: Letterbox,
    clock: CallClock,
    stages: Stages,
    hints: Hints,
    gate: EpochGate,
    edge: EdgeLink,
    call: Orders,
    /// To tell the Call that the turn has closed its books.
    finish: Option<Permit>,
    events: Publisher,
    /// Why the call has to end, found while the turn's commands were done: it is told when they are.
    broken: Option<EndReason>,
    /// The call was told to end.
    ended: bool,
    health: Arc<ServiceHealth>,
    /// How long the request that was just made usually takes: told once its outputs are.
    usual: Option<Input>,
    engines: Arc<Engines>,
    record: Option<Box<dyn Record>>,
    /// What tools did.
    effects: ToolEffects,
    timer: Retry,
    exit_reason: ExitReason,
}

/// The stages that are there, and what each of them owes.
#[derive(Default)]
pub(crate) struct Stages {
    stt: Option<Post<SttStage>>,
    llm: Option<Post<LlmStage>>,
    tts: Option<Post<TtsStage>>,
    s2s: Option<Post<SpeechStage>>,
    watches: Watches,
    times: ServiceTimes,
}

/// Mail that is read before the edge gets its turn: what comes of it has room in the edge's queue.
const MAIL_AT_ONCE: usize = 32;

/// What a router is made of.
pub(crate) struct RouterParts {
    pub(crate) turn: Turn,
    pub(crate) inbox: Letterbox,
    pub(crate) clock: CallClock,
    pub(crate) gate: EpochGate,
    pub(crate) edge: EdgeLink,
    pub(crate) call: Orders,
    pub(crate) finish: Permit,
    pub(crate) events: Publisher,
    pub(crate) watches: Watches,
    pub(crate) health: Arc<ServiceHealth>,
    pub(crate) engines: Arc<Engines>,
    pub(crate) record: Option<Box<dyn Record>>,
    pub(crate) effects: ToolEffects,
}

impl Router {
    pub(crate) fn new(parts: RouterParts) -> Self {
        let stages = Stages { watches: parts.watches, ..Stages::default() };
        Self {
            turn: parts.turn,
            observer: Observer::default(),
            inbox: parts.inbox,
            clock: parts.clock,
            stages,
            hints: Hints::default(),
            gate: parts.gate,
            edge: parts.edge,
            call: parts.call,
            finish: Some(parts.finish),
            events: parts.events,
            broken: None,
            ended: false,
            health: parts.health,
            usual: None,
            engines: parts.engines,
            record: parts.record,
            effects: parts.effects,
            timer: Retry::default(),
            exit_reason: ExitReason::default(),
        }
    }

    /// What a stage said before its end comes before the news of it.
    fn catch_up(&mut self) {
        while let Some(mail) = self.inbox.next() {
            self.take(mail);
        }
    }

    /// The call ends, whoever wants it: the turn closes its books, so that the last words are told, and then the Call is.
    fn end(&mut self, reason: EndReason) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.feed(Input::Ended { reason: reason.clone() });
        self.finish(reason);
    }

    fn finish(&mut self, reason: EndReason) {
        if let Some(permit) = self.finish.take() {
            permit.put(Order::Finish(reason));
        }
    }

    fn end_if_ordered(&mut self) {
        if let Some(reason) = self.inbox.end().cloned() {
            self.end(reason);
        }
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Window(window) => self.feed(Input::Window(window)),
            Mail::Report(report) => self.take_report(*report),
            Mail::Edge(input) => self.edge_saw(input),
            Mail::Keep(answer) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer
                    .send(CallSnapshot { conversation: self.turn.snapshot(), effects: self.effects.keep() });
            }
            Mail::End => {}
        }
    }

    fn take_report(&mut self, report: Report) {
        match report {
            Report::Input(input) => {
                self.show(&input);
                self.feed(input);
            }
            Report::Language(code) => self.change_language(&code),
            Report::Expect { request, expectation } => self.expect(request, expectation),
            Report::Hedge(news) => self.hedge_news(news),
        }
    }

    fn feed(&mut self, input: Input) {
        let now = self.clock.now();
        self.stages.watches.heard(&input);
        let known = self.health.now();
        self.stages.times.heard(&input, now, known, |kind| self.events.put_inside(kind));
        if let Some(record) = &mut self.record {
            record.input(now, &input);
        }
        if let Some(mark) = self.observer.input(&input, now) {
            self.events.put_inside(CallEventKind::Mark(mark));
        }
        let tool = tool_of(&input);
        self.turn.handle(input, now);
        if let Some(request) = tool {
            self.mind_tools(request);
        }
        self.obey();
    }

    /// A tool has its own limit: the model owes nothing while one runs, and its reply from then on.
    fn mind_tools(&mut self, request: RequestId) {
        let watches = &self.stages.watches;
        let watch = if self.stages.s2s.is_some() { &watches.s2s } else { &watches.llm };
        match self.turn.tools_running(request) {
            None => {}
            Some(0) => watch.owe_anew(),
            Some(_) => watch.settle(),
        }
    }

    /// Does all that the turn wants done now, and sets the timer for what it wants later.
    fn obey(&mut self) {
        loop {
            let output = self.turn.poll();
            if let Some(record) = &mut self.record {
                record.output(&output);
            }
            match output {
                Output::Command(command) => self.execute(command),
                Output::Timeout(at) => {
                    self.timer.at(self.clock.instant(at));
                    break;
                }
            }
        }
        if let Some(usual) = self.usual.take() {
            self.feed(usual);
        }
        if let Some(reason) = self.broken.take() {
            self.end(reason);
        }
    }

    fn execute(&mut self, command: Command) {
        let events = &self.events;
        self.observer.command(&command, &self.turn, |mark| events.put_inside(CallEventKind::Mark(mark)));
        match command {
            Command::Stt(stt) => self.listen(stt),
            Command::Reply { request, caller, context, already } => {
                self.hints.begin(request);
                let greets = caller == CallerTurn::Joined;
                self.stages.times.model_asked(request, self.clock.now(), greets);
                let keep = self.may_hedge(request, &caller);
                self.events.put(working(StageKind::Llm));
                self.ask(llm::Ask::Reply { request, caller, context, already, keep });
                // A filler may have been released before it, and a reply that died after.
                if self.turn.is_released() {
                    self.ask(llm::Ask::Commit);
                }
            }
            Command::Summarise { summary, context, within } => {
                self.tell_call(Order::Summarise(Box::new(Summarise { summary, context, within })));
            }
            Command::CancelReply { .. } => {
                self.ask(llm::Ask::Cancel);
                self.events.put(ready(StageKind::Llm));
            }
            Command::Speak { epoch, clause, text } => {
                self.time_voice(epoch, clause, &text);
                self.say(Say::Clause { epoch, clause, text });
            }
            Command::Press { epoch, clause, keys } => self.say(Say::Keys { epoch, clause, keys }),
            Command::CancelSpeech { .. } => {
                self.say(Say::Cancel);
                self.events.put(ready(StageKind::Tts));
            }
            Command::Converse(converse) => self.converse(converse),
            Command::Hurry { stage } => self.tell_call(Order::Hurry(stage)),
            Command::Hedge { request } => self.tell_call(Order::Hedge(request)),
            Command::Language { language } => self.tell_call(Order::ChangeLanguage(language)),
            Command::Follow { stage } => self.tell_call(Order::Follow(stage)),
            Command::Playout(playout) => self.playout(playout),
            Command::Apologise { epoch } => self.tell_call(Order::Apologise(epoch)),
            Command::Transfer { to } => self.tell_edge(EdgeCommand::Transfer(to)),
            Command::HangUp { reason } => {
                self.ended = true;
                self.finish(reason);
            }
            Command::Event(event) => {
                if event == Event::State(SpeechState::Listening) {
                    self.tell_call(Order::BetweenTurns(StageKind::Llm));
                    self.tell_call(Order::BetweenTurns(StageKind::Tts));
                    if self.turn.hearing().is_none() {
                        self.tell_call(Order::BetweenTurns(StageKind::SpeechToSpeech));
                    }
                }
                self.events.put(CallEventKind::Turn(event));
            }
        }
    }

    /// What comes from memory is no work of the voice.
    fn time_voice(&mut self, epoch: Epoch, clause: ClauseId, text: &str) {
        if text == self.turn.filler() {
            self.stages.times.cached = Some(clause);
        } else {
            self.stages.times.tts.asked(epoch, self.clock.now());
        }
    }

    fn listen(&mut self, command: Stt) {
        if self.stages.s2s.is_some() {
            return self.talk(Talk::Turn(command));
        }
        match &command {
            Stt::Flush { ask, .. } => {
                self.stages.watches.stt.owe_anew();
                self.stages.times.stt.asked(*ask, self.clock.now());
            }
            Stt::Begin { .. } => self.events.put(working(StageKind::Stt)),
            Stt::Continue { .. } | Stt::Close { .. } | Stt::Drop { .. } => self.stages.watches.stt.settle(),
        }
        let over = matches!(command, Stt::Close { .. } | Stt::Drop { .. });
        self.order_stt(Listen::Turn(command));
        if over {
            self.events.put(ready(StageKind::Stt));
            self.tell_call(Order::BetweenTurns(StageKind::Stt));
        }
    }

    /// A stage that is not there is not asked: the turn asks again when it is.
    fn order_stt(&mut self, listen: Listen) {
        let put = self.stages.stt.as_ref().map(|stt| stt.put(listen));
        self.took(StageKind::Stt, put);
    }

    fn ask(&mut self, ask: llm::Ask) {
        match &ask {
            llm::Ask::Reply { .. } => self.stages.watches.llm.owe_anew(),
            llm::Ask::Commit => {}
            llm::Ask::Cancel => self.stages.watches.llm.settle(),
        }
        let put = self.stages.llm.as_ref().map(|llm| llm.put(ask));
        self.took(StageKind::Llm, put);
    }

    fn say(&mut self, say: Say) {
        match &say {
            // A voice that is not there owes nothing: the turn asks again when it is.
            Say::Clause { .. } | Say::Keys { .. } if self.stages.tts.is_none() => return,
            Say::Clause { .. } | Say::Keys { .. } => {
                self.stages.watches.tts.owe();
                self.events.put(working(StageKind::Tts));
            }
            Say::Cancel => self.stages.watches.tts.settle(),
        }
        let put = self.stages.tts.as_ref().map(|tts| tts.put(say));
        self.took(StageKind::Tts, put);
    }

    /// A stage that does not take its orders is as good as dead, and the next one is asked again.
    fn took(&mut self, stage: StageKind, put: Option<Result<(), post::Stuck>>) {
        if let Some(Err(post::Stuck)) = put {
            self.tell_call(Order::Overrun(stage));
        }
    }

    fn playout(&mut self, playout: Playout) {
        match playout {
            Playout::Release(epoch) => {
                self.gate.release(epoch);
                self.ask(llm::Ask::Commit);
                if let Some(expectation) = self.hints.accept() {
                    self.order_stt(Listen::Expect(expectation));
                }
            }
            Playout::Clear { epoch, .. } => raise_to(&self.gate, epoch),
            Playout::Pause | Playout::Resume => {}
        }
        self.tell_edge(EdgeCommand::Playout(playout, Instant::now()));
    }

    fn tell_edge(&mut self, command: EdgeCommand) {
        if let Err(Behind) = self.edge.put(command) {
            self.broken.get_or_insert(EndReason::SlowConsumer);
        }
    }

    /// A supervisor that takes no orders cannot keep the call alive.
    fn tell_call(&mut self, order: Order) {
        if let Err(orders::Stuck) = self.call.put(order) {
            tracing::error!(callId = %self.events.call, "the call's supervisor takes no orders");
            self.broken.get_or_insert(EndReason::Internal);
        }
    }

    fn expect(&mut self, request: RequestId, expectation: Expectation) {
        if let Some(expectation) = self.hints.learn(request, expectation) {
            self.order_stt(Listen::Expect(expectation));
        }
    }

    fn show(&self, input: &Input) {
        match input {
            Input::ReplyEnd { .. } if self.stages.s2s.is_some() => {
                self.events.put(ready(StageKind::SpeechToSpeech));
            }
            Input::ReplyEnd { .. } => self.events.put(ready(StageKind::Llm)),
            // This one is repaid when the turn has heard of it.
            Input::ClauseEnd { .. } | Input::ClauseRefused { left_out: Some(_), .. }
                if self.stages.watches.tts.answers() <= 1 =>
            {
                self.events.put(ready(StageKind::Tts));
            }
            _ => {}
        }
    }
}

fn tool_of(input: &Input) -> Option<RequestId> {
    match input {
        Input::ToolBegan { request, .. } | Input::ToolEnded { request, .. } => Some(*request),
        _ => None,
    }
}

fn working(stage: StageKind) -> CallEventKind {
    CallEventKind::Stage { stage, state: StageState::Working }
}

fn ready(stage: StageKind) -> CallEventKind {
    CallEventKind::Stage { stage, state: StageState::Ready }
}

fn raise_to(gate: &EpochGate, epoch: Epoch) {
    while gate.current() != epoch && !gate.is_void(epoch) {
        gate.raise();
    }
}

impl Stage for Router {
    const KIND: Option<StageKind> = None;

    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        while let Poll::Ready(()) = self.timer.poll(cx) {
            self.feed(Input::Tick);
        }
        for _ in 0..MAIL_AT_ONCE {
            let Poll::Ready(Some(mail)) = self.inbox.poll_next(cx) else {
                self.end_if_ordered();
                return Ok(());
            };
            self.take(mail);
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn exit_reason(&self) -> &ExitReason {
        &self.exit_reason
    }
}

impl Actor for Router {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }
}
