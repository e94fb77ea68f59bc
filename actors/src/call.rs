//! The supervisor of one call: builds its stages, watches them, rebuilds them, and escalates.

use crate::by_heart::ByHeart;
use crate::chain::Chain;
mod building;
mod endings;
mod hedging;
mod language;
mod orders;
mod summary;
mod watching;
mod whole;

use building::Refusal;
pub(crate) use language::{ChangeLanguage, Follow};
pub(crate) use summary::Summarise;
use summary::Summary;

use crate::clock::CallClock;
use crate::core::{Core, Place, mark};
use crate::edge::{CallHandle, EdgeLink};
use crate::event::{CallEventKind, Cause, StageState, SwitchCause};
use crate::inbox::Inbox;
use crate::language::LanguageIndex;
use crate::llm::LlmStage;
use crate::plumbing::Plumbing;
use crate::post::Post;
use crate::recital::Recital;
use crate::router::{Events, Router, StageNews, Watches};
use crate::s2s::SpeechStage;
use crate::stage::{Child, Death, Fault, Inject, Rest, StageError, spawn};
use crate::stt::SttStage;
use crate::tts::{Refusals, TtsStage, VoiceCount};
use crate::vad::VadStage;
use crate::vad_batch::Ticket;
use crate::watchdog::{WATCH_EVERY, WATCH_IDLE_EVERY, Watchdog};
use actix::prelude::*;
use ringway_frame::{CallId, Epoch, Format};
use ringway_ring::OnLoan;
use ringway_stages::Expectation;
use ringway_stages::health::{Health, Standing};
use ringway_stages::llm::LlmCall;
use ringway_stages::prompt::Variables;
use ringway_stages::silero::WindowCutter;
use ringway_stages::speech_to_speech::SpeechCall;
use ringway_stages::stt::SttCall;
use ringway_stages::tools::Deeds;
use ringway_stages::tts::{TtsCall, TtsError, TtsSession};
use ringway_turn::{EndReason, StageKind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// One call.
pub struct Call {
    profile: Profile,
    core: Rc<Core>,
    plumbing: Plumbing,
    news: Post<Router>,
    inbox: Inbox,
    stages: Children,
    /// It ends with its call.
    _router: Child<Router>,
    lives: [Life; StageKind::ALL.len()],
    watchdog: Watchdog,
    watching: (Duration, SpawnHandle),
    count: VoiceCount,
    refusals: Refusals,
    edge: EdgeLink,
    events: Events,
    apology: Option<Epoch>,
    /// The caller has waited for the stage that hears and speaks longer than is good, in this turn.
    late: bool,
    /// What tools did: a new session of the language model is told of it.
    deeds: Deeds,
    summary: Option<Summary>,
    /// The service that works on the language model's request beside the one that serves.
    second: Option<usize>,
    /// The core's detector is away, and the router knows.
    deaf: bool,
    ended: bool,
    _place: Place,
}

/// What a call is, and its language, which may change.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) id: CallId,
    pub(crate) format: Format,
    pub(crate) dialogue: Option<String>,
    pub(crate) carrier_call_id: Option<String>,
    pub(crate) variables: Arc<Variables>,
    /// The language that it is in.
    pub(crate) language: LanguageIndex,
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
    chain: Chain,
    generation: u32,
    died: Option<Died>,
    /// It was given up: what it leaves undone is no news.
    gone: bool,
    /// It was told to go over to the call's language, and is not there yet.
    follows: bool,
}

/// How a stage died that is not back yet.
#[derive(Debug)]
struct Died {
    /// Its last sign of progress.
    since: Instant,
    cause: Cause,
    detail: String,
}

/// The call ends: the turn has closed its books.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Finish(pub(crate) EndReason);

/// Plays the apology in this epoch.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Apologise(pub(crate) Epoch);

/// The stage is late: another service that does well takes its place.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Hurry(pub(crate) StageKind);

/// The stage does not take its orders.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Overrun(pub(crate) StageKind);

/// The stage has nothing to do until the next turn: time to go to the service that is preferred.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct BetweenTurns(pub(crate) StageKind);

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

/// What a call is made of.
pub(crate) struct CallParts {
    pub(crate) profile: Profile,
    pub(crate) core: Rc<Core>,
    pub(crate) plumbing: Plumbing,
    pub(crate) router: Child<Router>,
    pub(crate) inbox: Inbox,
    pub(crate) watches: Watches,
    pub(crate) edge: EdgeLink,
    pub(crate) events: Events,
    pub(crate) place: Place,
}

impl Call {
    pub(crate) fn new(parts: CallParts) -> Self {
        let config = &parts.core.config;
        let lives = StageKind::ALL.map(|stage| {
            let services = parts.core.engines.count(stage);
            let mut chain = Chain::new(&config.restart, services, spread(parts.profile.id, stage));
            let links = parts.core.engines.links(stage, parts.profile.language);
            chain.narrow(&links, links.start);
            chain.serve(parts.core.health.first(stage, links));
            Life { chain, generation: 0, died: None, gone: false, follows: false }
        });
        let watchdog = Watchdog::new(config.stall.clone(), parts.plumbing.stats(), parts.watches);
        Self {
            profile: parts.profile,
            core: parts.core,
            plumbing: parts.plumbing,
            news: Post::to(parts.router.addr.clone()),
            _router: parts.router,
            inbox: parts.inbox,
            stages: Children::default(),
            lives,
            watchdog,
            watching: (Duration::ZERO, SpawnHandle::default()),
            count: VoiceCount::default(),
            refusals: Refusals::default(),
            edge: parts.edge,
            events: parts.events,
            apology: None,
            late: false,
            deeds: Deeds::default(),
            summary: None,
            second: None,
            deaf: false,
            ended: false,
            _place: parts.place,
        }
    }

    /// Builds all stages, before the first message of the edge.
    pub(crate) fn begin(&mut self, call: &Addr<Self>, handle: CallHandle) {
        let Profile { carrier_call_id, variables, .. } = &self.profile;
        let (carrier_call_id, variables) = (carrier_call_id.clone(), variables.clone());
        self.events.put(CallEventKind::Started { handle, carrier_call_id, variables });
        self.start(StageKind::Vad, call);
        self.start_conversation(call);
    }

    fn clock(&self) -> CallClock {
        self.events.clock
    }

    fn life(&mut self, stage: StageKind) -> &mut Life {
        &mut self.lives[stage as usize]
    }

    /// Starts a stage with the service whose turn it is, or the next one that can serve the call; one that failed just
    /// now after a pause.
    fn start(&mut self, stage: StageKind, call: &Addr<Self>) {
        loop {
            let pause = self.pause(stage);
            if !pause.is_zero() {
                return self.start_later(stage, pause, call);
            }
            let service = self.life(stage).chain.serving();
            match self.build(stage, service, call) {
                Ok(news) => return self.started(stage, news),
                Err(Refusal::OnLoan) => return self.start_later(stage, COMES_HOME, call),
                Err(Refusal::Engine(error)) => {
                    tracing::warn!(callId = %self.profile.id, ?stage, service, %error, "the engine cannot serve the call");
                    self.service_failed(stage, service, Cause::Error);
                    if !self.pass_on(stage, SwitchCause::Refused) {
                        return self.give_up(stage, call);
                    }
                }
            }
        }
    }

    /// Another service serves next, or the same one again; `false`: there is none.
    fn pass_on(&mut self, stage: StageKind, cause: SwitchCause) -> bool {
        let (at, health) = (self.clock().now().since_start(), self.core.health.clone());
        let from = self.life(stage).chain.serving();
        let standing = |service| health.standing(stage, service);
        let next = match cause {
            _ if stage == StageKind::SpeechToSpeech => self.next_whole(cause),
            SwitchCause::Refused => self.life(stage).chain.refused(at, standing),
            // The voice's next session is not given the same again.
            SwitchCause::Died(Cause::Refused) if stage != StageKind::Tts => {
                self.life(stage).chain.gave_up(at, standing)
            }
            _ => self.life(stage).chain.died(at, standing),
        };
        match next {
            Some(to) => self.switched(stage, from, to, cause),
            None if stage == StageKind::SpeechToSpeech => self.handed_over(Some(from), None, cause),
            None => {}
        }
        next.is_some()
    }

    fn switched(&self, stage: StageKind, from: usize, to: usize, cause: SwitchCause) {
        let name = |service| self.core.health.of(stage, service).map(|health| health.service().clone());
        if let (Some(from), Some(to)) = (name(from), name(to))
            && from != to
            && !self.recites(stage)
        {
            self.events.put(CallEventKind::ServiceSwitched { stage, from, to, cause });
        }
    }

    /// How long the service whose turn it is stays alone. What comes from memory does not wait, and a detector's stage
    /// waits for its core's detector.
    fn pause(&mut self, stage: StageKind) -> Duration {
        if self.recites(stage) || stage == StageKind::Vad {
            return Duration::ZERO;
        }
        let at = self.clock().now().since_start();
        self.life(stage).chain.pause(at)
    }

    fn started(&mut self, stage: StageKind, news: StageNews) {
        self.tell_router(news);
        if std::mem::take(&mut self.life(stage).follows) {
            self.tell_router(StageNews::Followed(stage));
        }
        self.events.put(CallEventKind::Stage { stage, state: StageState::Ready });
        let life = self.life(stage);
        if let Some(Died { since, cause, detail }) = life.died.take() {
            let (pause, restarts) = (since.elapsed(), life.chain.deaths());
            self.events.put(CallEventKind::StageRestarted { stage, cause, detail, pause, restarts });
        }
    }

    /// A stage is dead: the router is told, and it is rebuilt or given up.
    fn died(&mut self, stage: StageKind, cause: Cause, detail: String, since: Instant, call: &Addr<Self>) {
        tracing::warn!(callId = %self.profile.id, ?stage, cause = cause.name(), detail, "stage died");
        if stage == StageKind::Llm {
            self.drop_second(Some(cause));
        }
        self.drop_child(stage);
        let service = self.life(stage).chain.serving();
        self.service_failed(stage, service, cause);
        self.life(stage).died = Some(Died { since, cause, detail: detail.clone() });
        self.events.put(CallEventKind::StageDied { stage, cause, detail });
        self.tell_router(StageNews::Lost(stage));
        let cause = if cause == Cause::Unfit { SwitchCause::Refused } else { SwitchCause::Died(cause) };
        if self.pass_on(stage, cause) {
            self.start(stage, call);
        } else {
            self.give_up(stage, call);
        }
    }

    /// Whom the caller waits for gives way, if another service does well.
    fn hurry(&mut self, stage: StageKind, call: &Addr<Self>) {
        let at = self.clock().now().since_start();
        let second = self.second.filter(|_| stage == StageKind::Llm);
        let standing = |service| match second {
            // It was asked already.
            Some(second) if second == service => Standing::Tried,
            _ => self.core.health.standing(stage, service),
        };
        let substitute = self.lives[stage as usize].chain.substitute(at, standing);
        if substitute.is_some() && self.is_running(stage) {
            self.died(stage, Cause::Late, "it keeps the caller waiting".to_owned(), Instant::now(), call);
        } else if stage == StageKind::SpeechToSpeech {
            self.late = true;
        }
    }

    /// It is there, and serves the conversation.
    fn is_running(&self, stage: StageKind) -> bool {
        let there = match stage {
            StageKind::Vad => self.stages.vad.is_some(),
            StageKind::Stt => self.stages.stt.is_some(),
            StageKind::Llm => self.stages.llm.is_some(),
            StageKind::Tts => self.stages.tts.is_some(),
            StageKind::SpeechToSpeech => self.stages.s2s.is_some(),
        };
        there && !self.ended && !self.recites(stage)
    }

    fn recites(&self, stage: StageKind) -> bool {
        stage == StageKind::Tts && self.apology.is_some()
    }

    /// Of the apology, which comes from memory, there is nothing to say.
    fn service_failed(&self, stage: StageKind, service: usize, cause: Cause) {
        if let Some(health) = self.core.health.of(stage, service).filter(|_| !self.recites(stage)) {
            health.failed(self.core.health.now());
            let service = health.service().clone();
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
            StageKind::Llm => {
                self.drop_second(None);
                self.stages.llm = None;
            }
            StageKind::Tts => self.stages.tts = None,
            StageKind::SpeechToSpeech => self.stages.s2s = None,
        }
        self.plumbing.revoke(stage);
    }

    /// A few news for each thing that befalls a stage.
    fn tell_router(&self, news: StageNews) {
        self.news.put_surely(news);
    }

    fn end(&mut self, reason: EndReason, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.drop_second(None);
        self.stages = Children::default();
        self.edge.end(reason.clone());
        {
            let report = self.plumbing.report();
            self.events.put_inside(CallEventKind::Rings(report));
        }
        self.events.put_inside(CallEventKind::Ended { reason });
        ctx.stop();
    }
}

/// A ring's end comes home when the old stage's task has been dropped: at the latest in the next turn of the loop.
const COMES_HOME: Duration = Duration::from_millis(1);

/// Calls that a service failed together do not come back together.
fn spread(call: CallId, stage: StageKind) -> u64 {
    let bits = call.to_bits();
    (bits ^ (bits >> 64)) as u64 ^ stage as u64
}

impl Actor for Call {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.watch_each(WATCH_EVERY, ctx);
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
