//! The supervisor of one call: builds its stages, watches them, rebuilds them, and escalates.

mod building;
mod chain;
mod endings;
mod hedging;
mod language;
mod leg;
mod mixing;
mod orders;
mod rings;
pub(crate) mod start;
mod summary;
mod watchdog;
mod watching;
mod whole;

use crate::call::leg::Leg;
use crate::call::start::Awaits;
use crate::cause::{Cause, StageState, SwitchCause};
use crate::clock::CallClock;
use crate::core::Core;
use crate::core::load::Place;
use crate::debt::Watches;
use crate::engines::Engines;
use crate::event::CallEventKind;
use crate::handle::CallHandle;
use crate::inbox::Inbox;
use crate::language::LanguageIndex;
use crate::leg::input::EdgeInput;
use crate::leg::link::EdgeLink;
use crate::leg::mixer::CALLER;
use crate::orders::{OrderBook, Orders};
use crate::post::Post;
use crate::publisher::Publisher;
use crate::retry::Retry;
use crate::router::Router;
use crate::router::news::StageNews;
use crate::stages::driver::Child;
use crate::stages::llm::LlmStage;
use crate::stages::s2s::SpeechStage;
use crate::stages::stt::SttStage;
use crate::stages::tts::{Refusals, TtsStage, VoiceCount};
use crate::stages::vad::VadStage;
use building::Refusal;
use chain::Chain;
use mixing::Others;
use rings::CallRings;
use ringway_frame::{CallId, Epoch, Format};
use ringway_stages::health::Standing;
use ringway_stages::prompt::Variables;
use ringway_stages::tool_use::ToolEffects;
use ringway_turn::{EndReason, StageKind};
use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use summary::Summary;
use tokio::time::Instant;
use watchdog::{WATCH_EVERY, Watchdog};

/// One call.
pub(crate) struct Call {
    profile: Profile,
    core: Rc<Core>,
    rings: CallRings,
    leg: Leg,
    others: Others,
    news: Post<Router>,
    inbox: Inbox,
    stages: Children,
    /// It ends with its call.
    _router: Child<Router>,
    lives: [Life; StageKind::ALL.len()],
    watchdog: Watchdog,
    /// What it is told to do, and where its stages' ends are told.
    book: OrderBook,
    orders: Orders,
    /// When it looks next how its stages do.
    looks: Retry,
    count: VoiceCount,
    refusals: Refusals,
    edge: EdgeLink,
    events: Publisher,
    apology: Option<Epoch>,
    /// The caller has waited for the stage that hears and speaks longer than is good, in this turn.
    late: bool,
    /// What tools did: a new session of the language model is told of it.
    effects: ToolEffects,
    summary: Option<Summary>,
    /// The service that works on the language model's request beside the one that serves.
    second: Option<usize>,
    /// The core's detector is away, and the router knows.
    deaf: bool,
    ended: bool,
    /// Its place, and what else is given back when it is over.
    _kept: (Place, Box<dyn Any + Send>),
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

impl Profile {
    fn started(&self, handle: CallHandle, engines: &Engines) -> CallEventKind {
        CallEventKind::Started {
            handle,
            carrier_call_id: self.carrier_call_id.clone(),
            variables: self.variables.clone(),
            dialogue: self.dialogue.clone(),
            language: engines.language(self.language).map(|language| language.code.clone()),
        }
    }
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
    /// When it is started once more, unless something else starts it or takes it away before.
    again: Retry,
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

/// What a call is made of.
pub(crate) struct CallParts {
    pub(crate) profile: Profile,
    pub(crate) core: Rc<Core>,
    pub(crate) rings: CallRings,
    pub(crate) leg: Leg,
    pub(crate) effects: ToolEffects,
    pub(crate) router: Child<Router>,
    pub(crate) inbox: Inbox,
    pub(crate) watches: Watches,
    pub(crate) orders: (Orders, OrderBook),
    pub(crate) edge: EdgeLink,
    pub(crate) events: Publisher,
    pub(crate) kept: (Place, Box<dyn Any + Send>),
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
            Life { chain, generation: 0, again: Retry::default(), died: None, gone: false, follows: false }
        });
        let (orders, book) = parts.orders;
        let mut looks = Retry::default();
        looks.after(WATCH_EVERY);
        let watchdog = Watchdog::new(config.stall.clone(), parts.rings.stats(), parts.watches);
        Self {
            profile: parts.profile,
            core: parts.core,
            rings: parts.rings,
            leg: parts.leg,
            others: Others::default(),
            news: Post::to(parts.router.addr.clone()),
            _router: parts.router,
            inbox: parts.inbox,
            stages: Children::default(),
            lives,
            watchdog,
            book,
            orders,
            looks,
            count: VoiceCount::default(),
            refusals: Refusals::default(),
            edge: parts.edge,
            events: parts.events,
            apology: None,
            late: false,
            effects: parts.effects,
            summary: None,
            second: None,
            deaf: false,
            ended: false,
            _kept: parts.kept,
        }
    }

    /// Builds all stages, before the first message of the edge.
    pub(crate) fn begin(&mut self, handle: CallHandle, awaits: Option<Awaits>, by_one: bool) {
        self.events.put(self.profile.started(handle, &self.core.engines));
        if let Some(awaits) = awaits {
            let state = self.leg.await_peer(awaits);
            self.events.put_inside(CallEventKind::Leg { leg: 0, state });
        }
        self.start_pump();
        self.start(StageKind::Vad);
        self.start_conversation(by_one);
    }

    fn clock(&self) -> CallClock {
        self.events.clock
    }

    fn life(&mut self, stage: StageKind) -> &mut Life {
        &mut self.lives[stage as usize]
    }

    /// Starts a stage with the service whose turn it is, or the next one that can serve the call; one that failed just
    /// now after a pause.
    fn start(&mut self, stage: StageKind) {
        loop {
            let pause = self.pause(stage);
            if !pause.is_zero() {
                return self.start_later(stage, pause);
            }
            let service = self.life(stage).chain.serving();
            match self.build(stage, service) {
                Ok(news) => return self.started(stage, news),
                Err(Refusal::NotYet) => return self.start_later(stage, COMES_HOME),
                Err(Refusal::Engine(error)) => {
                    tracing::warn!(callId = %self.profile.id, ?stage, service, %error, "the engine cannot serve the call");
                    self.service_failed(stage, service, Cause::Error);
                    if !self.pass_on(stage, SwitchCause::Refused) {
                        return self.give_up(stage);
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
            && !self.plays_apology(stage)
        {
            self.events.put(CallEventKind::ServiceSwitched { stage, from, to, cause });
        }
    }

    /// How long the service whose turn it is stays alone. What comes from memory does not wait, and a detector's stage
    /// waits for its core's detector.
    fn pause(&mut self, stage: StageKind) -> Duration {
        if self.plays_apology(stage) || stage == StageKind::Vad {
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
    fn died(&mut self, stage: StageKind, cause: Cause, detail: String, since: Instant) {
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
            self.start(stage);
        } else {
            self.give_up(stage);
        }
    }

    /// Whom the caller waits for gives way, if another service does well.
    fn hurry(&mut self, stage: StageKind) {
        let at = self.clock().now().since_start();
        let second = self.second.filter(|_| stage == StageKind::Llm);
        let standing = |service| match second {
            // It was asked already.
            Some(second) if second == service => Standing::Tried,
            _ => self.core.health.standing(stage, service),
        };
        let substitute = self.lives[stage as usize].chain.substitute(at, standing);
        if substitute.is_some() && self.is_running(stage) {
            self.died(stage, Cause::Late, "it keeps the caller waiting".to_owned(), Instant::now());
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
        there && !self.ended && !self.plays_apology(stage)
    }

    fn plays_apology(&self, stage: StageKind) -> bool {
        stage == StageKind::Tts && self.apology.is_some()
    }

    /// Of the apology, which comes from memory, there is nothing to say.
    fn service_failed(&self, stage: StageKind, service: usize, cause: Cause) {
        if let Some(health) = self.core.health.of(stage, service).filter(|_| !self.plays_apology(stage)) {
            health.failed(self.core.health.now());
            let service = health.service().clone();
            self.events.put_inside(CallEventKind::ServiceFailed { stage, service, cause });
        }
    }

    fn give_up(&mut self, stage: StageKind) {
        if std::mem::replace(&mut self.life(stage).gone, true) {
            return;
        }
        tracing::error!(callId = %self.profile.id, ?stage, "no engine is left");
        self.events.put(CallEventKind::Stage { stage, state: StageState::Gone });
        self.tell_router(StageNews::Gone(stage));
        if stage == StageKind::SpeechToSpeech {
            self.start_three();
        }
    }

    fn drop_child(&mut self, stage: StageKind) {
        // A death that the old one still reports is of an older generation than the next.
        self.life(stage).generation += 1;
        self.life(stage).again.stop();
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
        self.rings.revoke(stage);
    }

    /// A few news for each thing that befalls a stage.
    fn tell_router(&self, news: StageNews) {
        self.news.put_surely(news);
    }

    fn end(&mut self, reason: EndReason) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.core.close_door((self.profile.id, CALLER));
        self.end_others(&reason);
        self.drop_second(None);
        self.stages = Children::default();
        self.edge.end(reason.clone());
        {
            let mut report = self.rings.report();
            report.legs_dropped = self.others.take_dropped();
            self.events.put_inside(CallEventKind::Rings(report));
        }
        self.events.put_inside(CallEventKind::Ended { reason });
    }
}

/// A ring's end comes home when the old stage's task has been dropped: at the latest in the next turn of the loop.
const COMES_HOME: Duration = Duration::from_millis(1);

/// Calls that a service failed together do not come back together.
fn spread(call: CallId, stage: StageKind) -> u64 {
    let bits = call.to_bits();
    (bits ^ (bits >> 64)) as u64 ^ stage as u64
}
