//! A telephone line in virtual time: a scripted caller, voice activity detection, a recogniser, a language model, a
//! voice and a playout, each with its delay, around one `Turn`.

mod handover;
mod player;
mod seen;
mod services;
mod voice;

use crate::table;
use player::Player;
use ringway_frame::{CallId, Epoch, MediaTime, Skew};
use ringway_turn::{
    After, AskId, CallerTurn, ClauseId, Command, Config, Context, Converse, Input, Memo, Output, RequestId,
    StageKind, Stt, Turn, UtteranceId, Window, recording,
};
use services::reply_to;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

pub const WINDOW: u64 = 32;
/// The model's probability falls this long after the voice.
pub const DECAY: u64 = 96;
const STT: u64 = 50;
const LLM: u64 = 100;
const TOKEN: u64 = 10;
const TTS: u64 = 50;
/// What a stage takes to go over to another language.
const FOLLOWS: Duration = Duration::from_millis(7);
/// 60 ms of audio a character.
const FRAMES_A_CHAR: u32 = 3;

pub fn at(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("a call is short")
}

type Dialogue = Box<dyn Fn(&CallerTurn) -> (String, After)>;

/// Something that will happen.
enum World {
    Input(Input),
    Window(u64),
    Tick,
    Answer {
        utterance: UtteranceId,
        ask: AskId,
        text: String,
        complete: bool,
    },
    Model {
        generation: u32,
        input: Input,
    },
    Voice {
        generation: u32,
        input: Input,
    },
    Talk {
        generation: u32,
        input: Input,
    },
    Made {
        generation: u32,
        epoch: Epoch,
        frames: u32,
    },
    Quick,
    /// The leg has its network, or has not.
    Leg(bool),
    /// The process is gone, and another one takes over.
    Handover,
    Lost(StageKind),
    Ready(StageKind),
}

struct Said {
    from: u64,
    until: u64,
    words: String,
    complete: bool,
}

/// A line with its caller, its engines and its log.
pub struct Line {
    pub turn: Turn,
    pub log: Vec<(MediaTime, Command)>,
    /// When each frame was heard.
    pub sound: Vec<(u64, Epoch)>,
    pub recording: String,
    pub model_delay: u64,
    pub voice_delay: u64,
    /// A stage that is late gives way to another service, which takes the usual time.
    pub substitutes: bool,
    pub word_marks: bool,
    /// What is known of a model's requests: within this time 95 of 100 begin to be answered.
    pub usually: Option<u64>,
    /// How long a second model takes, if there is one.
    pub second: Option<u64>,
    now: MediaTime,
    dialogue: Dialogue,
    caller: Vec<Said>,
    world: BTreeMap<Reverse<(MediaTime, u64)>, World>,
    count: u64,
    deadline: MediaTime,
    recogniser: Recogniser,
    generation: HashMap<StageKind, u32>,
    down: BTreeSet<StageKind>,
    missed_windows: VecDeque<u64>,
    voice_free: MediaTime,
    playout: Player,
    /// The leg has no network.
    detached: bool,
    config: Config,
    /// Frames that were heard before another process took over.
    pub heard_before: BTreeMap<Epoch, u32>,
    /// What was said before the last flush, to one that hears by itself.
    understood: String,
}

#[derive(Default)]
struct Recogniser {
    running: Option<(UtteranceId, u64)>,
    ask: Option<AskId>,
    delay: Option<u64>,
}

impl Line {
    pub fn new(config: Config) -> Self {
        let header = recording::Header::new(CallId::from_bits(7), "2026-11-20T12:00:00Z", config.clone());
        let mut line = Self {
            turn: Turn::new(config.clone()),
            config,
            heard_before: BTreeMap::new(),
            log: Vec::new(),
            sound: Vec::new(),
            recording: header.to_line(),
            model_delay: LLM,
            voice_delay: TTS,
            substitutes: false,
            word_marks: true,
            usually: None,
            second: None,
            now: MediaTime::ZERO,
            dialogue: Box::new(|cue| (format!("{}.", reply_to(cue)), After::Listen { digits: None })),
            caller: Vec::new(),
            world: BTreeMap::new(),
            count: 0,
            deadline: MediaTime::ZERO,
            recogniser: Recogniser::default(),
            generation: HashMap::new(),
            down: BTreeSet::new(),
            missed_windows: VecDeque::new(),
            voice_free: MediaTime::ZERO,
            playout: Player::default(),
            detached: false,
            understood: String::new(),
        };
        line.later(0, World::Input(Input::Started));
        line.later(WINDOW, World::Window(WINDOW));
        line.later(20, World::Tick);
        line
    }

    /// A line on which the bot has just finished its greeting, so that it is the caller's turn.
    pub fn greeted(config: Config) -> Self {
        let mut line = Self::new(config);
        line.dialogue(|cue| match cue {
            CallerTurn::Joined => ("Hi.".into(), After::Nothing),
            cue => (format!("{}.", reply_to(cue)), After::Listen { digits: None }),
        });
        line
    }

    /// The same, with a stage that hears and speaks by itself.
    pub fn all_in_one(config: Config) -> Self {
        let mut line = Self::greeted(config);
        line.feed(Input::StageReady { stage: StageKind::SpeechToSpeech });
        line
    }

    pub fn dialogue(&mut self, dialogue: impl Fn(&CallerTurn) -> (String, After) + 'static) {
        self.dialogue = Box::new(dialogue);
    }

    pub fn says(&mut self, from: u64, until: u64, words: &str) {
        self.caller.push(Said { from, until, words: words.into(), complete: false });
    }

    /// Says what the dialogue expects.
    pub fn answers(&mut self, from: u64, until: u64, words: &str) {
        self.caller.push(Said { from, until, words: words.into(), complete: true });
    }

    pub fn coughs(&mut self, from: u64, until: u64) {
        self.says(from, until, "");
    }

    pub fn at(&mut self, millis: u64, input: Input) {
        self.later(millis, World::Input(input));
    }

    pub fn presses(&mut self, millis: u64, keys: &str) {
        for (index, digit) in keys.chars().enumerate() {
            self.at(millis + 150 * index as u64, Input::Dtmf { digit });
        }
    }

    /// The stage dies and is back after `away`.
    pub fn loses(&mut self, stage: StageKind, millis: u64, away: u64) {
        self.later(millis, World::Lost(stage));
        self.later(millis + away, World::Ready(stage));
    }

    /// The leg loses its network, and has it again after `away`. What the caller says meanwhile nobody hears.
    pub fn detaches(&mut self, millis: u64, away: u64) {
        self.later(millis, World::Leg(false));
        self.later(millis + away, World::Leg(true));
    }

    pub fn recogniser_takes(&mut self, millis: u64) {
        self.recogniser.delay = Some(millis);
    }

    /// From this moment on it takes its usual time.
    pub fn recogniser_is_quick_from(&mut self, millis: u64) {
        self.later(millis, World::Quick);
    }

    pub fn run(&mut self, until: u64) -> &mut Self {
        self.drain();
        while let Some(time) = self.next_time().filter(|time| *time <= at(until)) {
            self.now = time;
            if self.deadline <= time {
                self.feed(Input::Tick);
            } else if let Some((_, event)) = self.world.pop_last() {
                self.happen(event);
            }
        }
        self.now = at(until);
        self
    }

    fn next_time(&self) -> Option<MediaTime> {
        let event = self.world.last_key_value().map(|(Reverse((time, _)), _)| *time);
        let timer = Some(self.deadline).filter(|at| *at < MediaTime::MAX && !self.turn.is_over());
        [event, timer].into_iter().flatten().min()
    }

    fn later(&mut self, millis: u64, event: World) {
        self.schedule(at(millis), event);
    }

    fn schedule(&mut self, time: MediaTime, event: World) {
        self.count += 1;
        self.world.insert(Reverse((time, self.count)), event);
    }

    pub fn feed(&mut self, input: Input) {
        self.recording.push_str(&recording::input_line(&input, self.now));
        self.turn.handle(input, self.now);
        table::check(self.turn.states());
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            let output = self.turn.poll();
            self.recording.push_str(&recording::output_line(&output));
            match output {
                Output::Timeout(at) => {
                    assert!(at > self.now, "a timeout in the past at {}", self.now);
                    self.deadline = at;
                    return;
                }
                Output::Command(command) => {
                    self.obey(&command);
                    self.log.push((self.now, command));
                }
            }
        }
    }

    fn happen(&mut self, event: World) {
        match event {
            World::Input(input) => self.feed(input),
            World::Window(until) => {
                self.schedule(at(until + WINDOW), World::Window(until + WINDOW));
                if self.detached {
                    // There is nothing to be heard.
                } else if self.down.contains(&StageKind::Vad) {
                    self.missed_windows.push_back(until);
                } else {
                    self.window(until);
                }
            }
            World::Tick => {
                self.schedule(self.now + Duration::from_millis(20), World::Tick);
                self.play();
            }
            World::Answer { utterance, ask, text, complete } => {
                if self.recogniser.ask == Some(ask) && self.hears() {
                    self.recogniser.ask = None;
                    self.feed(Input::Final { utterance, ask, text, complete });
                }
            }
            World::Model { generation, input } => {
                if generation == self.generation(StageKind::Llm) {
                    self.feed(input);
                }
            }
            World::Voice { generation, input } => {
                if generation == self.generation(StageKind::Tts) {
                    self.made(&input);
                    self.feed(input);
                }
            }
            World::Talk { generation, input } => {
                if generation == self.generation(StageKind::SpeechToSpeech) {
                    self.feed(input);
                }
            }
            World::Made { generation, epoch, frames } => {
                if generation == self.generation(StageKind::SpeechToSpeech) {
                    self.playout.made.insert(epoch, frames);
                }
            }
            World::Leg(attached) => {
                self.detached = !attached;
                self.feed(if attached { Input::Attached } else { Input::Detached });
            }
            World::Handover => self.hand_over(),
            World::Quick => self.recogniser.delay = None,
            World::Lost(stage) => {
                self.down.insert(stage);
                *self.generation.entry(stage).or_default() += 1;
                if stage == StageKind::Stt {
                    self.recogniser.running = None;
                    self.recogniser.ask = None;
                }
                self.feed(Input::StageLost { stage });
            }
            World::Ready(stage) => {
                self.down.remove(&stage);
                self.voice_free = self.voice_free.min(self.now);
                self.feed(Input::StageReady { stage });
                while let Some(until) = self.missed_windows.pop_front() {
                    self.window(until);
                }
            }
        }
    }

    fn generation(&self, stage: StageKind) -> u32 {
        self.generation.get(&stage).copied().unwrap_or_default()
    }

    fn window(&mut self, until: u64) {
        let heard = |said: &&Said| said.from < until;
        let loud_until =
            self.caller.iter().filter(heard).map(|said| said.until.min(until)).max().unwrap_or(0);
        let speaking = |said: &Said| said.from < until && until - WINDOW < said.until + DECAY;
        let probability = if self.caller.iter().any(speaking) { 0.9 } else { 0.02 };
        self.feed(Input::Window(Window {
            until: at(until),
            probability,
            loud_until: at(loud_until),
            skew: Skew::ZERO,
        }));
    }

    /// Whoever hears the caller's words is there.
    fn hears(&self) -> bool {
        let by = if self.turn.converses() { StageKind::SpeechToSpeech } else { StageKind::Stt };
        !self.down.contains(&by)
    }

    fn obey(&mut self, command: &Command) {
        match command {
            Command::Stt(stt) if self.hears() => self.recognise(stt),
            Command::Reply { request, caller, already, .. } if !self.down.contains(&StageKind::Llm) => {
                self.reply(*request, &caller.clone(), &already.clone());
                if let Some(usually) = self.usually {
                    let within = Duration::from_millis(usually);
                    self.schedule(self.now, World::Input(Input::Usually { request: *request, within }));
                }
            }
            Command::Hedge { request } => self.ask_second(*request),
            Command::Hurry { stage } if self.substitutes => self.substitute(*stage),
            Command::CancelReply { .. } => *self.generation.entry(StageKind::Llm).or_default() += 1,
            Command::CancelSpeech { .. } => {
                *self.generation.entry(StageKind::Tts).or_default() += 1;
                self.voice_free = self.now;
            }
            Command::Speak { epoch, clause, text } if !self.down.contains(&StageKind::Tts) => {
                self.speak(*epoch, *clause, &text.clone());
            }
            Command::Press { epoch, clause, keys } if !self.down.contains(&StageKind::Tts) => {
                self.speak(*epoch, *clause, &keys.clone());
            }
            Command::Converse(Converse::Answer { request, epoch, clause, caller, already, .. })
                if !self.down.contains(&StageKind::SpeechToSpeech) =>
            {
                let caller = match caller {
                    CallerTurn::Said(words) if words.is_empty() => CallerTurn::Said(self.understood.clone()),
                    caller => caller.clone(),
                };
                self.talk(*request, (*epoch, *clause), &caller, already);
            }
            Command::Converse(Converse::Cancel { .. }) => {
                *self.generation.entry(StageKind::SpeechToSpeech).or_default() += 1;
            }
            Command::Apologise { epoch } => {
                self.playout.made.insert(*epoch, 50);
                let clause = ringway_turn::ClauseId::default();
                let input = Input::ClauseEnd { epoch: *epoch, clause, frames: 50 };
                self.schedule(self.now, World::Input(input));
            }
            Command::Playout(playout) => self.playout.obey(*playout),
            Command::Follow { stage } => self.follow(*stage),
            _ => {}
        }
    }
}

pub fn said(context: &Context) -> Vec<String> {
    let line = |message: &ringway_turn::Message| format!("{:?}: {}", message.who, message.text);
    context.messages.iter().map(line).collect()
}
