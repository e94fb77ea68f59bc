//! The supervisor of one call: builds its stages, watches them, rebuilds them, and escalates.

use crate::clock::CallClock;
use crate::core::{Core, Place, mark};
use crate::edge::{CallHandle, EdgeCommand};
use crate::event::{CallEventKind, Cause, StageState};
use crate::inbox::Inbox;
use crate::llm::LlmStage;
use crate::plumbing::Plumbing;
use crate::recital::Recital;
use crate::restart::{Decision, RestartBudget};
use crate::router::{Events, Router, StageNews, Watches};
use crate::s2s::SpeechStage;
use crate::stage::{Child, Death, Fault, Inject, Rest, StageError, spawn};
use crate::stt::SttStage;
use crate::tts::{TtsStage, VoiceCount};
use crate::vad::VadStage;
use crate::vad_batch::Ticket;
use crate::watchdog::{WATCH_EVERY, Watchdog};
use actix::prelude::*;
use ringway_frame::{CallId, Epoch, Format};
use ringway_ring::OnLoan;
use ringway_stages::Expectation;
use ringway_stages::llm::LlmCall;
use ringway_stages::silero::WindowCutter;
use ringway_stages::speech_to_speech::SpeechCall;
use ringway_stages::stt::SttCall;
use ringway_stages::tts::TtsCall;
use ringway_turn::{EndReason, StageKind};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// One call.
pub struct Call {
    profile: Profile,
    core: Rc<Core>,
    plumbing: Plumbing,
    router: Child<Router>,
    inbox: Inbox,
    stages: Children,
    lives: [Life; StageKind::ALL.len()],
    watchdog: Watchdog,
    count: VoiceCount,
    edge: mpsc::Sender<EdgeCommand>,
    events: Events,
    apology: Option<Epoch>,
    /// The core's detector is away, and the router knows.
    deaf: bool,
    ended: bool,
    _place: Place,
}

/// What does not change in a call.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) id: CallId,
    pub(crate) format: Format,
    pub(crate) dialogue: Option<String>,
    pub(crate) carrier_call_id: Option<String>,
}

#[derive(Default)]
struct Children {
    vad: Option<Child<VadStage>>,
    stt: Option<Child<SttStage>>,
    llm: Option<Child<LlmStage>>,
    tts: Option<Child<TtsStage>>,
    s2s: Option<Child<SpeechStage>>,
}

/// One stage's past in this call.
#[derive(Debug)]
struct Life {
    budget: RestartBudget,
    generation: u32,
    died: Option<(Instant, Cause)>,
    /// It was given up: what it leaves undone is no news.
    gone: bool,
}

/// Ends the call.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Finish(pub(crate) EndReason);

/// Plays the apology in this epoch.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Apologise(pub(crate) Epoch);

/// Puts a fault into a stage.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct InjectInto {
    pub(crate) stage: StageKind,
    pub(crate) fault: Fault,
}

/// A stage ended by itself.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Ended {
    stage: Option<StageKind>,
    generation: u32,
    death: Death,
}

/// Commands that wait in a stage's mailbox at most.
const STAGE_MAILBOX: usize = 64;

/// Why a stage could not be started.
enum Refusal {
    /// The old one still holds a ring's end.
    OnLoan,
    /// The engine cannot serve the call.
    Engine(StageError),
}

impl From<OnLoan> for Refusal {
    fn from(_: OnLoan) -> Self {
        Self::OnLoan
    }
}

impl<E: Into<StageError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

/// What a call is made of.
pub(crate) struct CallParts {
    pub(crate) profile: Profile,
    pub(crate) core: Rc<Core>,
    pub(crate) plumbing: Plumbing,
    pub(crate) router: Child<Router>,
    pub(crate) inbox: Inbox,
    pub(crate) watches: Watches,
    pub(crate) edge: mpsc::Sender<EdgeCommand>,
    pub(crate) events: Events,
    pub(crate) place: Place,
}

impl Call {
    pub(crate) fn new(parts: CallParts) -> Self {
        let config = &parts.core.config;
        let lives = StageKind::ALL.map(|stage| Life {
            budget: RestartBudget::new(config.restart.clone(), parts.core.engines.count(stage)),
            generation: 0,
            died: None,
            gone: false,
        });
        let watchdog = Watchdog::new(config.stall.clone(), parts.plumbing.stats(), parts.watches);
        Self {
            profile: parts.profile,
            core: parts.core,
            plumbing: parts.plumbing,
            router: parts.router,
            inbox: parts.inbox,
            stages: Children::default(),
            lives,
            watchdog,
            count: VoiceCount::default(),
            edge: parts.edge,
            events: parts.events,
            apology: None,
            deaf: false,
            ended: false,
            _place: parts.place,
        }
    }

    /// Builds all stages, before the first message of the edge.
    pub(crate) fn begin(&mut self, call: &Addr<Self>, handle: CallHandle) {
        self.events
            .put(CallEventKind::Started { handle, carrier_call_id: self.profile.carrier_call_id.clone() });
        self.start(StageKind::Vad, call);
        if self.core.engines.s2s.is_empty() {
            self.start_three(call)
        } else {
            self.start(StageKind::SpeechToSpeech, call)
        }
    }

    /// Recogniser, language model and voice, each by itself.
    fn start_three(&mut self, call: &Addr<Self>) {
        for stage in [StageKind::Stt, StageKind::Llm, StageKind::Tts] {
            self.start(stage, call);
        }
    }

    fn clock(&self) -> CallClock {
        self.events.clock
    }

    fn life(&mut self, stage: StageKind) -> &mut Life {
        &mut self.lives[stage as usize]
    }

    /// Starts a stage with the first of its engines that can serve the call.
    fn start(&mut self, stage: StageKind, call: &Addr<Self>) {
        let mut engine = self.life(stage).budget.engine();
        loop {
            match self.build(stage, engine, call) {
                Ok(news) => return self.started(stage, news),
                Err(Refusal::OnLoan) => return self.start_later(stage, call),
                Err(Refusal::Engine(error)) => {
                    tracing::warn!(callId = %self.profile.id, ?stage, engine, %error, "the engine cannot serve the call");
                    self.service_failed(stage, engine, Cause::Error);
                    match self.life(stage).budget.unusable() {
                        Decision::Restart { engine: next } => engine = next,
                        Decision::GiveUp => return self.give_up(stage, call),
                    }
                }
            }
        }
    }

    /// A ring's end comes home when the old stage's task has been dropped: at the latest in the next turn of the loop.
    fn start_later(&self, stage: StageKind, call: &Addr<Self>) {
        let call = call.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let _ = call.try_send(StartAgain(stage));
        });
    }

    fn build(&mut self, stage: StageKind, engine: usize, call: &Addr<Self>) -> Result<StageNews, Refusal> {
        let recites = stage == StageKind::Tts && self.apology.is_some();
        if engine >= self.core.engines.count(stage) && !recites {
            return Err(Refusal::Engine(StageError::NoEngine));
        }
        let _marked = mark(Some(stage));
        match stage {
            StageKind::Vad => self.build_vad(call),
            StageKind::Stt => self.build_stt(engine, call),
            StageKind::Llm => self.build_llm(engine, call),
            StageKind::Tts => self.build_tts(engine, call),
            StageKind::SpeechToSpeech => self.build_s2s(engine, call),
        }
    }

    fn build_vad(&mut self, call: &Addr<Self>) -> Result<StageNews, Refusal> {
        let format = self.profile.format;
        let engine = &self.core.engines.vad;
        let cutter = WindowCutter::new(format, engine.rate)?;
        let seat = (self.core.vad.clone(), Ticket::new(engine));
        let ends = (self.plumbing.mic.lend()?, self.plumbing.speech_in.lend()?);
        let actor = VadStage::new(ends, seat, cutter, (format, self.clock()), self.inbox.clone());
        self.stages.vad = Some(spawn(actor, STAGE_MAILBOX, self.bury(StageKind::Vad, call)));
        Ok(StageNews::Vad)
    }

    fn build_stt(&mut self, engine: usize, call: &Addr<Self>) -> Result<StageNews, Refusal> {
        let format = self.profile.format;
        let service = self.core.engines.stt[engine].clone();
        let session = service.open(SttCall { format })?;
        let speech = self.plumbing.speech_out.lend()?;
        let actor = SttStage::new(speech, session, Expectation::anything(), format, self.inbox.clone());
        let child = spawn(actor, STAGE_MAILBOX, self.bury(StageKind::Stt, call));
        let news = StageNews::Stt(child.addr.clone(), service.name().into());
        self.stages.stt = Some(child);
        Ok(news)
    }

    fn build_llm(&mut self, engine: usize, call: &Addr<Self>) -> Result<StageNews, Refusal> {
        let dialogue = self.profile.dialogue.clone();
        let service = self.core.engines.llm[engine].clone();
        let session = service.open(LlmCall { dialogue })?;
        let actor = LlmStage::new(session, self.inbox.clone());
        let child = spawn(actor, STAGE_MAILBOX, self.bury(StageKind::Llm, call));
        let news = StageNews::Llm(child.addr.clone(), service.name().into());
        self.stages.llm = Some(child);
        Ok(news)
    }

    fn build_tts(&mut self, engine: usize, call: &Addr<Self>) -> Result<StageNews, Refusal> {
        let format = self.profile.format;
        let session = match self.apology {
            None => self.core.engines.tts[engine].open(TtsCall { format })?,
            Some(_) => Box::new(Recital::new(self.core.engines.apology.audio(format).clone())),
        };
        let voice = self.plumbing.voice.lend()?;
        let actor = TtsStage::new(session, voice, self.count.clone(), format, self.inbox.clone());
        let child = spawn(actor, STAGE_MAILBOX, self.bury(StageKind::Tts, call));
        let addr = child.addr.clone();
        self.stages.tts = Some(child);
        Ok(match self.apology {
            None => StageNews::Tts(addr, self.core.engines.tts[engine].name().into()),
            Some(epoch) => StageNews::Recital(addr, epoch),
        })
    }

    fn build_s2s(&mut self, engine: usize, call: &Addr<Self>) -> Result<StageNews, Refusal> {
        let Profile { format, dialogue, .. } = self.profile.clone();
        let service = self.core.engines.s2s[engine].clone();
        let session = service.open(SpeechCall { format, dialogue })?;
        let ends = (self.plumbing.speech_out.lend()?, self.plumbing.voice.lend()?);
        let actor = SpeechStage::new(ends, session, self.count.clone(), format, self.inbox.clone());
        let child = spawn(actor, STAGE_MAILBOX, self.bury(StageKind::SpeechToSpeech, call));
        let news = StageNews::SpeechToSpeech(child.addr.clone(), service.name().into());
        self.stages.s2s = Some(child);
        Ok(news)
    }

    /// Tells this call how the stage of the present generation ended.
    fn bury(&mut self, stage: StageKind, call: &Addr<Self>) -> impl FnOnce(Death) + 'static {
        let call = call.clone();
        let life = self.life(stage);
        life.generation += 1;
        let generation = life.generation;
        move |death| {
            let _ = call.try_send(Ended { stage: Some(stage), generation, death });
        }
    }

    /// A router that ends by itself is a defect of ours.
    pub(crate) fn bury_router(call: &Addr<Self>) -> impl FnOnce(Death) + 'static {
        let call = call.clone();
        move |death| {
            let _ = call.try_send(Ended { stage: None, generation: 0, death });
        }
    }

    fn started(&mut self, stage: StageKind, news: StageNews) {
        self.tell_router(news);
        self.events.put(CallEventKind::Stage { stage, state: StageState::Ready });
        let life = self.life(stage);
        if let Some((since, cause)) = life.died.take() {
            let kind = CallEventKind::StageRestarted {
                stage,
                cause,
                pause: since.elapsed(),
                restarts: life.budget.total(),
            };
            self.events.put(kind);
        }
    }

    /// A stage is dead: the router is told, and it is rebuilt or given up.
    fn died(&mut self, stage: StageKind, cause: Cause, detail: String, since: Instant, call: &Addr<Self>) {
        tracing::warn!(callId = %self.profile.id, ?stage, cause = cause.name(), detail, "stage died");
        self.drop_child(stage);
        let at = self.clock().now().since_start();
        let engine = self.life(stage).budget.engine();
        self.service_failed(stage, engine, cause);
        let life = self.life(stage);
        life.died = Some((since, cause));
        let decision = life.budget.died(at);
        self.events.put(CallEventKind::StageDied { stage, cause, detail });
        self.tell_router(StageNews::Lost(stage));
        match decision {
            Decision::Restart { .. } => self.start(stage, call),
            Decision::GiveUp => self.give_up(stage, call),
        }
    }

    /// Of the apology, which comes from memory, there is nothing to say.
    fn service_failed(&self, stage: StageKind, engine: usize, cause: Cause) {
        let recites = stage == StageKind::Tts && self.apology.is_some();
        let names = self.core.engines.names(stage);
        if let Some(name) = names.get(engine).filter(|_| !recites) {
            let service = (*name).into();
            self.events.put_inside(CallEventKind::ServiceFailed { stage, service, cause });
        }
    }

    fn give_up(&mut self, stage: StageKind, call: &Addr<Self>) {
        if std::mem::replace(&mut self.life(stage).gone, true) {
            return;
        }
        tracing::error!(callId = %self.profile.id, ?stage, "no engine is left");
        self.events.put(CallEventKind::Stage { stage, state: StageState::Gone });
        self.tell_router(StageNews::Gone(stage));
        if stage == StageKind::SpeechToSpeech {
            self.start_three(call);
        }
    }

    fn drop_child(&mut self, stage: StageKind) {
        // A death that the old one still reports is of an older generation than the next.
        self.life(stage).generation += 1;
        match stage {
            StageKind::Vad => self.stages.vad = None,
            StageKind::Stt => self.stages.stt = None,
            StageKind::Llm => self.stages.llm = None,
            StageKind::Tts => self.stages.tts = None,
            StageKind::SpeechToSpeech => self.stages.s2s = None,
        }
        self.plumbing.revoke(stage);
    }

    fn tell_router(&self, news: StageNews) {
        if self.router.addr.try_send(news).is_err() {
            tracing::error!(callId = %self.profile.id, "the router takes no messages");
        }
    }

    fn watch(&mut self, call: &Addr<Self>) {
        if let Some(report) = self.plumbing.report_rings() {
            self.events.put_inside(CallEventKind::Rings(report));
            if self.plumbing.fell_idle() {
                self.rest();
            }
        }
        self.look_at_detector();
        while let Some((stage, since)) = self.watchdog.stuck() {
            let detail = format!("no progress for {} ms", since.elapsed().as_millis());
            self.watchdog.forgive(stage);
            if !self.life(stage).gone {
                self.died(stage, Cause::Stall, detail, since, call);
            }
        }
    }

    /// While the core's detector is away its stages wait and are not to blame, and silence proves nothing.
    fn look_at_detector(&mut self) {
        let deaf = self.core.vad.is_building();
        if deaf {
            self.watchdog.forgive(StageKind::Vad);
        }
        if std::mem::replace(&mut self.deaf, deaf) != deaf {
            self.tell_router(if deaf { StageNews::Lost(StageKind::Vad) } else { StageNews::Vad });
        }
    }

    /// An idle call costs no rings: those who write to them give their memory back, as the edge does with *mic*.
    fn rest(&self) {
        let vad = self.stages.vad.as_ref().map(|vad| vad.addr.try_send(Rest).is_ok());
        let tts = self.stages.tts.as_ref().map(|tts| tts.addr.try_send(Rest).is_ok());
        let s2s = self.stages.s2s.as_ref().map(|s2s| s2s.addr.try_send(Rest).is_ok());
        tracing::debug!(callId = %self.profile.id, ?vad, ?tts, ?s2s, "idle");
    }

    fn end(&mut self, reason: EndReason, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.stages = Children::default();
        let _ = self.edge.try_send(EdgeCommand::End(reason.clone()));
        {
            let report = self.plumbing.report();
            self.events.put_inside(CallEventKind::Rings(report));
        }
        self.events.put_inside(CallEventKind::Ended { reason });
        ctx.stop();
    }
}

/// A stage whose ring end was on loan is tried again.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
struct StartAgain(StageKind);

impl Actor for Call {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let call = ctx.address();
        ctx.run_interval(WATCH_EVERY, move |this, ctx| {
            this.watch(&call);
            if this.edge.is_closed() {
                this.end(EndReason::Caller, ctx);
            }
        });
    }
}

impl Handler<Finish> for Call {
    type Result = ();

    fn handle(&mut self, Finish(reason): Finish, ctx: &mut Self::Context) {
        self.end(reason, ctx);
    }
}

impl Handler<InjectInto> for Call {
    type Result = ();

    fn handle(&mut self, InjectInto { stage, fault }: InjectInto, _: &mut Self::Context) {
        let sent = match stage {
            StageKind::Vad => self.stages.vad.as_ref().is_some_and(|child| child.inject(Inject(fault))),
            StageKind::Stt => self.stages.stt.as_ref().is_some_and(|child| child.inject(Inject(fault))),
            StageKind::Llm => self.stages.llm.as_ref().is_some_and(|child| child.inject(Inject(fault))),
            StageKind::Tts => self.stages.tts.as_ref().is_some_and(|child| child.inject(Inject(fault))),
            StageKind::SpeechToSpeech => {
                self.stages.s2s.as_ref().is_some_and(|child| child.inject(Inject(fault)))
            }
        };
        tracing::info!(callId = %self.profile.id, ?stage, ?fault, sent, "fault injected");
    }
}

impl Handler<StartAgain> for Call {
    type Result = ();

    fn handle(&mut self, StartAgain(stage): StartAgain, ctx: &mut Self::Context) {
        if !self.ended {
            self.start(stage, &ctx.address());
        }
    }
}

impl Handler<Ended> for Call {
    type Result = ();

    fn handle(&mut self, ended: Ended, ctx: &mut Self::Context) {
        let Some(stage) = ended.stage else { return self.end(EndReason::Internal, ctx) };
        if self.ended || self.life(stage).generation != ended.generation {
            return;
        }
        let (cause, detail) = ended.death.unwrap_or((Cause::Error, "stopped".to_owned()));
        self.died(stage, cause, detail, Instant::now(), &ctx.address());
    }
}

impl Handler<Apologise> for Call {
    type Result = ();

    /// Needs no engine: the voice's stage is rebuilt with one that only recites what is in memory.
    fn handle(&mut self, Apologise(epoch): Apologise, ctx: &mut Self::Context) {
        self.drop_child(StageKind::Tts);
        self.drop_child(StageKind::SpeechToSpeech);
        self.apology = Some(epoch);
        self.start(StageKind::Tts, &ctx.address());
    }
}
