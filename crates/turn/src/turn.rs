mod barge_in;
mod bot;
mod caller;
mod converse;
mod deadlines;
mod detached;
mod ending;
mod hedge;
mod history;
mod language;
mod latency;
mod orders;
pub(crate) mod snapshot;
mod stages;
mod take_over;
mod timer;
mod tools;

use crate::call_phase::CallPhase;
use crate::clock::Clock;
use crate::closed_reply::ClosedReply;
use crate::deadlines::Deadlines;
use crate::deferred::Deferred;
use crate::dtmf::Keys;
use crate::history::History;
use crate::interruption::Interruption;
use crate::language_switch::LanguageSwitch;
use crate::latency::Waits;
use crate::pending_transcript::PendingTranscript;
use crate::reply::Reply;
use crate::silence::Silence;
use crate::speech::Speech;
use crate::spoken::Standing;
use crate::stage_health::StageHealth;
use crate::usual::Usual;
use crate::utterance::{Phase, Utterance};
use crate::{
    After, AskId, ClauseId, Command, Config, Context, Event, Input, Output, RequestId, SpeechState,
    StageKind, States, Stt, TurnNumber, UtteranceId, Window,
};
use ringway_frame::{Epoch, MediaTime};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use timer::Timer;

/// The brain of one call: see the [crate] for the contract.
#[derive(Debug)]
pub struct Turn {
    config: Arc<Config>,
    clock: Clock,
    /// In conversation time, as all moments here.
    now: MediaTime,
    /// What happened while the leg is away.
    deferred: Deferred,
    /// What was acted upon while the leg is away, since too much waited.
    overflowed: u32,
    phase: CallPhase,
    started: MediaTime,
    /// The same in media time: the longest call is one by the clock on the wall.
    began: MediaTime,
    /// Number of the newest turn.
    turn: TurnNumber,
    context: Context,
    history: History,
    speech: Speech,
    utterance: Option<Utterance>,
    interruption: Interruption,
    reply: Option<Reply>,
    closed: Option<ClosedReply>,
    keys: Keys,
    silence: Silence,
    health: StageHealth,
    /// Turns that were answered before their words are known.
    pending: Vec<PendingTranscript>,
    deadlines: Deadlines,
    usual: Option<Usual>,
    waits: Waits,
    language: LanguageSwitch,
    /// The end of the call that the caller spoke over: it is still due if that was nothing.
    farewell: Option<After>,
    /// A human agent speaks in the bot's place.
    bot_away: bool,
    /// The stage that would have been apologised for meanwhile.
    gone: Option<StageKind>,
    /// Who speaks, where it is not the caller.
    party: Option<Arc<str>>,
    /// This turn has had its filler.
    filler_spent: bool,
    /// The epoch of the next reply: later than all that were spoken or released.
    next_epoch: Epoch,
    ids: Ids,
    state: Option<SpeechState>,
    commands: VecDeque<Command>,
    /// When the next timer is due, in media time.
    wake_at: MediaTime,
}

/// The next id of each kind.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Ids {
    utterance: UtteranceId,
    ask: AskId,
    request: RequestId,
    clause: ClauseId,
}

impl Turn {
    /// The brain of a call that begins.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let mut turn = Self {
            config: config.into(),
            clock: Clock::default(),
            now: MediaTime::ZERO,
            deferred: Deferred::default(),
            overflowed: 0,
            phase: CallPhase::Waiting,
            started: MediaTime::ZERO,
            began: MediaTime::ZERO,
            turn: TurnNumber::default(),
            context: Context::default(),
            history: History::default(),
            speech: Speech::default(),
            utterance: None,
            interruption: Interruption::default(),
            reply: None,
            closed: None,
            keys: Keys::default(),
            silence: Silence::default(),
            health: StageHealth::default(),
            pending: Vec::new(),
            deadlines: Deadlines::default(),
            usual: None,
            waits: Waits::default(),
            language: LanguageSwitch::default(),
            farewell: None,
            bot_away: false,
            gone: None,
            party: None,
            filler_spent: false,
            next_epoch: Epoch::ZERO.next(),
            ids: Ids::default(),
            state: None,
            commands: VecDeque::new(),
            wake_at: MediaTime::ZERO,
        };
        turn.note_deadline();
        turn
    }

    /// Something happened at `now`. What is to be done about it, [`Self::poll`] tells.
    ///
    /// An input that names an id which is not running is stale and changes nothing; a `now` before the last one
    /// counts as the last one.
    pub fn handle(&mut self, input: Input, now: MediaTime) {
        self.now = self.clock.pass(now);
        if self.is_over() {
            return;
        }
        match input {
            Input::Attached => self.attach(),
            input if self.is_detached() => self.defer(input),
            Input::Detached => self.clock.stop(),
            input => self.take(input),
        }
        self.observe();
        self.run_timers();
    }

    fn take(&mut self, input: Input) {
        match &self.phase {
            CallPhase::Over => {}
            CallPhase::Live => {
                self.live(input);
                self.follow_language();
            }
            CallPhase::Waiting => self.wait(input),
            CallPhase::Closing { .. } => self.closing(input),
            CallPhase::Apologising { .. } => self.apologising(input),
        }
    }

    /// The next thing to do, or when to come back.
    pub fn poll(&mut self) -> Output {
        match self.commands.pop_front() {
            Some(command) => Output::Command(self.dated(command)),
            None => Output::Timeout(self.next_deadline()),
        }
    }

    /// What was said and heard in all turns before the running one.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The caller's words of the running turn, as far as known.
    pub fn running_words(&self) -> String {
        let answered = self.reply.as_ref().filter(|reply| reply.released).and_then(Reply::callers_words);
        let speaking = self.utterance.as_ref().map(Utterance::words);
        crate::utterance::join(&[answered.unwrap_or_default(), &speaking.unwrap_or_default()])
    }

    /// The caller's running utterance, and the turn that it belongs to as far as known.
    pub fn hearing(&self) -> Option<(UtteranceId, TurnNumber)> {
        self.utterance.as_ref().map(|utterance| (utterance.id, utterance.turn))
    }

    /// The turn that the running reply answers.
    pub fn answering(&self) -> Option<TurnNumber> {
        self.reply.as_ref().map(|reply| reply.turn)
    }

    /// The running reply may be heard: it is wanted for certain.
    pub fn is_released(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.released)
    }

    /// The call is over: nothing more will come of it.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, CallPhase::Over)
    }

    /// Where each part of the call stands.
    pub fn states(&self) -> States {
        States {
            call: self.phase.name(),
            caller: self.utterance.as_ref().map_or("none", Utterance::name),
            interruption: self.interruption.name(),
            reply: self.reply.as_ref().map_or("none", Reply::name),
            keys: if self.keys.is_empty() { "none" } else { "waiting" },
        }
    }

    /// A stage that hears and speaks by itself is in charge.
    pub fn converses(&self) -> bool {
        self.health.converses()
    }

    fn push(&mut self, command: Command) {
        self.commands.push_back(command);
    }

    fn tell(&mut self, event: Event) {
        self.push(Command::Event(event));
    }

    fn live(&mut self, input: Input) {
        match input {
            Input::Started | Input::Tick => {}
            Input::Window(window) => self.hear(&Window {
                until: self.clock.conversation(window.until),
                loud_until: self.clock.conversation(window.loud_until),
                ..window
            }),
            Input::EndOfTurn { probability } => self.end_likely(probability),
            Input::Partial { utterance, text, complete } => {
                let text = self.words_of(&text, Standing::Guess);
                self.partial(utterance, text, complete);
            }
            Input::Segment { utterance, text } => {
                let text = self.words_of(&text, Standing::Words);
                self.segment(utterance, &text);
            }
            Input::Final { utterance, ask, text, complete } => {
                let text = self.words_of(&text, Standing::Words);
                if self.is_unread(ask) {
                    self.read(ask, &text);
                } else {
                    self.answered(utterance, ask, text, complete);
                }
            }
            Input::SpeechStarted => self.service_heard_speech(),
            Input::SpeechStopped => self.service_heard_silence(),
            Input::Dtmf { digit } => self.key(digit),
            Input::Text { text } => self.typed(text),
            Input::Interrupt => self.interrupt(),
            Input::RespondNow => self.respond_now(),
            Input::BotAway { away } => self.set_bot_away(away),
            Input::Speaking { party } => self.speaking(party),
            Input::Mute { muted } => self.mute(muted),
            input => self.bot_or_stage(input),
        }
    }

    /// The inputs that matter as long as the bot may be heard.
    fn bot_or_stage(&mut self, input: Input) {
        match input {
            Input::Token { request, text } => self.token(request, &text),
            Input::ReplyEnd { request, after, memo } => self.reply_end(request, after, memo),
            Input::ToolBegan { request, filler, .. } => self.tool_began(request, filler),
            Input::Press { request, keys } => self.press(request, keys),
            Input::Slot { name, value } => {
                self.tell(Event::Slot { turn: self.turn_of_reply(), name, value });
            }
            Input::Slots { request, slots } => self.note_slots(request, slots),
            Input::ToolEnded { request, tool, bytes, outcome, after, tokens, arguments } => {
                self.tool_ended(request);
                self.tool_said(tokens);
                let turn = self.turn_of_reply();
                self.tell(Event::Tool { turn, tool, bytes, outcome, after, arguments });
            }
            Input::Cited { request, passages } => self.cited(request, passages),
            Input::Usually { request, within } => self.usually(request, within),
            Input::Hedged { request } => self.hedged(request),
            Input::Usage { tokens, estimated, .. } => self.calibrate(tokens, estimated),
            Input::Summarised { summary, text } => self.summarised(summary, text),
            Input::Voiced { epoch } => self.voiced(epoch),
            Input::Sounding { epoch } => self.sounding(epoch),
            Input::Word { epoch, clause, upto, frames } => self.word(epoch, clause, upto, frames),
            Input::ClauseEnd { epoch, clause, frames } => self.clause_end(epoch, clause, frames),
            Input::ClauseRefused { epoch, clause, left_out } => self.clause_refused(epoch, clause, left_out),
            Input::Played { epoch, frames } => self.played(epoch, frames),
            Input::Truncate { turn, until } => self.truncate(turn, until),
            Input::StageLost { stage } => self.stage_lost(stage),
            Input::StageReady { stage } => self.stage_ready(stage),
            Input::StageGone { stage } => self.stage_gone(stage),
            Input::StageBusy { stage } => self.stage_busy(stage),
            Input::Language(language) => self.change_language(language),
            Input::StageFollowed { stage } => self.followed(stage),
            Input::Ended { .. } => self.ended(),
            _ => {}
        }
    }

    fn wait(&mut self, input: Input) {
        match input {
            Input::Started => self.start(),
            Input::Language(language) => self.begin_in(language),
            Input::BotAway { away } => self.set_bot_away(away),
            Input::Speaking { party } => self.speaking(party),
            Input::StageLost { .. }
            | Input::StageReady { .. }
            | Input::StageGone { .. }
            | Input::Ended { .. } => {
                self.bot_or_stage(input);
            }
            _ => {}
        }
    }

    /// Tells what others see, and when the line fell idle.
    fn observe(&mut self) {
        if !matches!(self.phase, CallPhase::Live) {
            return;
        }
        let idle = self.utterance.is_none() && self.reply.is_none() && self.keys.is_empty() && !self.bot_away;
        self.silence.observe(idle, self.now);
        self.note_wait();
        let state = self.line();
        if self.state.replace(state) != Some(state) {
            self.tell(Event::State(state));
        }
    }

    fn line(&self) -> SpeechState {
        let over = self.utterance.as_ref().is_some_and(|it| matches!(it.phase, Phase::Over { .. }));
        match &self.reply {
            Some(reply) if reply.released && reply.ledger.has_sounded() => SpeechState::Speaking,
            Some(reply) if reply.released => SpeechState::Thinking,
            _ if over => SpeechState::Thinking,
            _ => SpeechState::Listening,
        }
    }

    /// Runs what is due, and notes when the next timer is.
    fn run_timers(&mut self) {
        for _ in 0..TIMERS_AT_ONCE {
            let Err(timer) = self.look_at_timers() else { return };
            self.fire(timer);
            self.observe();
        }
        // What is due still runs with the next input.
        self.wake_at = self.clock.media();
    }

    /// Notes when the next timer is due.
    ///
    /// # Errors
    /// This one is due now.
    fn look_at_timers(&mut self) -> Result<(), Timer> {
        let mut earliest = None;
        if !self.is_detached() {
            for timer in Timer::ALL {
                let Some(at) = self.deadline(timer) else { continue };
                if at <= self.now {
                    return Err(timer);
                }
                earliest = Some(earliest.map_or(at, |earliest: MediaTime| earliest.min(at)));
            }
        }
        let longest = self.longest();
        if longest.is_some_and(|at| at <= self.clock.media()) {
            return Err(Timer::MaxDuration);
        }
        let earliest = earliest.map(|at| self.clock.media_of(at));
        self.wake_at = earliest.into_iter().chain(longest).min().unwrap_or(MediaTime::MAX);
        Ok(())
    }

    /// Later than now: a timer that is due has run, or runs with the next input.
    fn next_deadline(&self) -> MediaTime {
        self.wake_at.max(self.clock.media() + std::time::Duration::from_nanos(1))
    }

    /// It was put together in another way than by inputs.
    fn note_deadline(&mut self) {
        // One that is due runs with the first input.
        if self.look_at_timers().is_err() {
            self.wake_at = self.clock.media();
        }
    }

    /// What goes out is dated in media time.
    fn dated(&self, mut command: Command) -> Command {
        if let Command::Stt(
            Stt::Begin { from: at, .. } | Stt::Flush { until: at, .. } | Stt::Close { until: at, .. },
        ) = &mut command
        {
            *at = self.clock.media_of(*at);
        }
        command
    }
}

/// Each timer that runs ends itself, so that one input never needs more.
const TIMERS_AT_ONCE: usize = 32;
