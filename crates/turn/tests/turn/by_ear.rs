//! What holds for every sequence of inputs, likely or not, with a stage that hears and speaks by itself.

use crate::line::at;
use proptest::prelude::*;
use ringway_frame::{CallId, Epoch, MediaTime, Skew};
use ringway_turn::recording::CutAt;
use ringway_turn::{
    After, AskId, ClauseId, Command, Config, Converse, Input, Memo, Output, Playout, RequestId, Speaker,
    Speculation, StageKind, Stt, Turn, UtteranceId, Window, recording,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const S2S: StageKind = StageKind::SpeechToSpeech;

/// A step of a world that need not make sense.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Windows {
        speech: bool,
        count: u8,
    },
    /// By the service's own detection.
    Service {
        speech: bool,
    },
    /// The words of a turn come, of this one of those that are waited for.
    Words {
        which: u8,
        known: bool,
    },
    Guess(u8),
    Text(u8),
    Voiced,
    Made(u8),
    ClauseEnd,
    ReplyEnd(u8),
    Played(u8),
    /// Answers, ends and words of what nobody asked for, or asked for before.
    Stale {
        number: u32,
    },
    /// Once more what the last answer has ended with.
    Again,
    Dtmf(char),
    Interrupt,
    RespondNow,
    BotAway(bool),
    /// The caller's leg has its network, or has not.
    Leg(bool),
    Lost,
    Ready,
    Gone,
    /// Recogniser, language model and voice are there.
    Three,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..900u64).prop_map(Step::Wait),
        6 => (any::<bool>(), 1..14u8).prop_map(|(speech, count)| Step::Windows { speech, count }),
        2 => any::<bool>().prop_map(|speech| Step::Service { speech }),
        4 => (any::<u8>(), prop::bool::weighted(0.8)).prop_map(|(which, known)| Step::Words { which, known }),
        1 => any::<u8>().prop_map(Step::Guess),
        5 => (1..4u8).prop_map(Step::Text),
        2 => Just(Step::Voiced),
        4 => (1..60u8).prop_map(Step::Made),
        1 => Just(Step::ClauseEnd),
        2 => (0..6u8).prop_map(Step::ReplyEnd),
        4 => (1..120u8).prop_map(Step::Played),
        1 => (0..60u32).prop_map(|number| Step::Stale { number }),
        1 => Just(Step::Again),
        1 => prop_oneof![Just('1'), Just('#')].prop_map(Step::Dtmf),
        1 => Just(Step::Interrupt),
        1 => Just(Step::RespondNow),
        1 => prop::bool::weighted(0.3).prop_map(Step::BotAway),
        2 => prop::bool::weighted(0.7).prop_map(Step::Leg),
        1 => Just(Step::Lost),
        2 => Just(Step::Ready),
        1 => prop::bool::weighted(0.15).prop_map(|gone| if gone { Step::Gone } else { Step::Three }),
    ]
}

/// The world around a turn, and what it has seen.
struct World {
    turn: Turn,
    now: MediaTime,
    words: u32,
    open: BTreeSet<UtteranceId>,
    asks: Vec<(UtteranceId, AskId)>,
    answer: Option<(RequestId, Epoch, ClauseId)>,
    last: Option<(RequestId, Epoch, ClauseId)>,
    request: Option<RequestId>,
    said: BTreeSet<String>,
    told: BTreeSet<String>,
    made: BTreeMap<Epoch, u32>,
    played: BTreeMap<Epoch, u32>,
    released: Epoch,
    void_before: Epoch,
    recording: String,
    loud_until: MediaTime,
    away: bool,
    gone: bool,
    over: bool,
    /// What happened while the leg was away is handled: outputs are those of several moments.
    attaching: bool,
}

impl World {
    fn new(config: Config) -> Self {
        let recording = recording::Header::new(CallId::from_bits(1), "", config.clone()).to_line();
        let mut world = Self {
            turn: Turn::new(config),
            now: MediaTime::ZERO,
            words: 0,
            open: BTreeSet::new(),
            asks: Vec::new(),
            answer: None,
            last: None,
            request: None,
            said: BTreeSet::new(),
            told: BTreeSet::new(),
            made: BTreeMap::new(),
            played: BTreeMap::new(),
            released: Epoch::ZERO,
            void_before: Epoch::ZERO,
            recording,
            loud_until: MediaTime::ZERO,
            away: false,
            gone: false,
            over: false,
            attaching: false,
        };
        world.feed(Input::StageReady { stage: S2S });
        world.feed(Input::Started);
        world
    }

    fn feed(&mut self, input: Input) {
        self.recording.push_str(&recording::input_line(&input, self.now));
        self.attaching = input == Input::Attached;
        self.turn.handle(input, self.now);
        for outputs in 0.. {
            assert!(outputs < 100, "one input makes endless output");
            let output = self.turn.poll();
            self.recording.push_str(&recording::output_line(&output));
            match output {
                Output::Timeout(at) => {
                    assert!(at > self.now);
                    break;
                }
                Output::Command(command) => {
                    assert!(!self.over, "{command:?} after the end");
                    self.obey(command);
                }
            }
        }
        self.check();
    }

    fn pass(&mut self, until: MediaTime) {
        while let Output::Timeout(at) = self.turn.poll() {
            if at > until {
                break;
            }
            self.now = at;
            self.feed(Input::Tick);
        }
        self.now = until;
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Stt(stt) => self.listen(stt),
            Command::Converse(Converse::Answer { request, epoch, clause, .. }) => {
                assert!(!self.gone || self.attaching, "one that is gone is asked");
                assert!(epoch >= self.void_before, "speaks into a void epoch");
                assert_eq!(self.made.get(&epoch), None, "two answers in one epoch");
                self.answer = Some((request, epoch, clause));
                self.last = self.answer;
            }
            Command::Converse(Converse::Cancel { epoch, heard }) => {
                assert!(heard <= self.made.get(&epoch).copied().unwrap_or(0), "more was heard than was made");
                self.answer = None;
            }
            Command::Reply { request, .. } => {
                assert!(
                    self.gone || self.attaching,
                    "a language model is asked beside one that speaks by itself"
                );
                self.request = Some(request);
            }
            Command::CancelReply { .. } => self.request = None,
            Command::Playout(Playout::Release(epoch)) => {
                let silent = !self.turn.caller_has_the_floor() || self.attaching;
                assert!(silent, "released over a confirmed caller");
                assert!(epoch > self.released, "{epoch} after {}", self.released);
                self.released = epoch;
            }
            Command::Playout(Playout::Clear { epoch, .. }) => self.void_before = epoch,
            Command::HangUp { .. } | Command::Transfer { .. } => self.over = true,
            _ => {}
        }
    }

    fn listen(&mut self, command: Stt) {
        match command {
            Stt::Begin { utterance, .. } => {
                self.open.insert(utterance);
            }
            Stt::Flush { utterance, ask, .. } => {
                assert!(self.open.contains(&utterance), "asked about what never began");
                self.asks.retain(|(asked, _)| *asked != utterance);
                self.asks.push((utterance, ask));
            }
            Stt::Continue { utterance } => self.asks.retain(|(asked, _)| *asked != utterance),
            Stt::Close { utterance, .. } | Stt::Drop { utterance } => {
                assert!(self.open.remove(&utterance), "closed twice, or never begun");
                self.asks.retain(|(asked, _)| *asked != utterance);
            }
        }
    }

    fn check(&self) {
        if self.turn.is_over() {
            return;
        }
        let messages = &self.turn.context().messages;
        for message in messages.iter().filter(|it| it.who == Speaker::Bot) {
            for word in words_of(&message.text) {
                assert!(self.said.contains(&word), "{word} was never said");
            }
        }
        if messages.len() + 1 >= Config::default().context_messages {
            return;
        }
        for word in &self.told {
            let times = messages.iter().filter(|message| words_of(&message.text).contains(word)).count();
            assert!(times <= 1, "{word} stands {times} times in {messages:?}");
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Wait(millis) => self.pass(self.now + Duration::from_millis(millis)),
            Step::Windows { speech, count } => self.windows(speech, count),
            Step::Service { speech: true } if !self.away => self.feed(Input::SpeechStarted),
            Step::Service { speech: false } if !self.away => self.feed(Input::SpeechStopped),
            Step::Service { .. } => {}
            Step::Words { which, known } => self.words(which, known),
            Step::Guess(which) => self.guess(which),
            Step::Text(count) => self.text(count),
            Step::Voiced => {
                if let Some((_, epoch, _)) = self.answer {
                    self.feed(Input::Voiced { epoch });
                }
            }
            Step::Made(frames) => {
                if let Some((_, epoch, _)) = self.answer {
                    *self.made.entry(epoch).or_default() += u32::from(frames);
                }
            }
            Step::ClauseEnd => {
                if let Some((_, epoch, clause)) = self.answer {
                    self.clause_end(epoch, clause);
                }
            }
            Step::ReplyEnd(kind) => self.reply_end(kind),
            Step::Played(frames) => self.play(frames),
            Step::Stale { number } => self.stale(number),
            Step::Again => {
                if let Some((request, epoch, clause)) = self.last.filter(|_| self.answer.is_none()) {
                    self.end(request, epoch, clause, 5);
                    self.feed(Input::Token { request, text: "again".into() });
                }
            }
            Step::Dtmf(digit) => self.feed(Input::Dtmf { digit }),
            Step::Interrupt => self.feed(Input::Interrupt),
            Step::RespondNow => self.feed(Input::RespondNow),
            Step::BotAway(away) => self.feed(Input::BotAway { away }),
            Step::Leg(attached) => self.feed(if attached { Input::Attached } else { Input::Detached }),
            Step::Lost => self.lose(),
            Step::Ready if self.away && !self.gone => {
                self.away = false;
                self.feed(Input::StageReady { stage: S2S });
            }
            Step::Ready if self.gone && self.is_between_turns() => self.give_back(),
            Step::Gone if !self.gone => {
                self.lose();
                self.gone = true;
                self.feed(Input::StageGone { stage: S2S });
            }
            Step::Three if self.gone => {
                for stage in [StageKind::Stt, StageKind::Llm, StageKind::Tts] {
                    self.feed(Input::StageReady { stage });
                }
            }
            Step::Ready | Step::Gone | Step::Three => {}
        }
    }

    fn windows(&mut self, speech: bool, count: u8) {
        for _ in 0..count {
            self.pass(self.now + Duration::from_millis(32));
            if speech {
                self.loud_until = self.now;
            }
            let probability = if speech { 0.9 } else { 0.0 };
            self.feed(Input::Window(Window {
                until: self.now,
                probability,
                loud_until: self.loud_until,
                skew: Skew::ZERO,
            }));
        }
    }

    fn lose(&mut self) {
        if !self.gone {
            self.away = true;
            self.answer = None;
            self.asks.clear();
            self.feed(Input::StageLost { stage: S2S });
        }
    }

    fn is_between_turns(&self) -> bool {
        self.turn.hearing().is_none() && self.turn.answering().is_none()
    }

    fn give_back(&mut self) {
        (self.away, self.gone, self.request) = (false, false, None);
        self.asks.clear();
        for stage in [StageKind::Stt, StageKind::Llm, StageKind::Tts, S2S] {
            self.feed(Input::StageLost { stage });
        }
        self.feed(Input::StageReady { stage: S2S });
    }

    fn new_word(&mut self, who: char) -> String {
        self.words += 1;
        format!("{who}{}", self.words)
    }

    fn words(&mut self, which: u8, known: bool) {
        let text = if known { self.new_word('c') } else { String::new() };
        if self.asks.is_empty() {
            return;
        }
        let (utterance, ask) = self.asks.remove(usize::from(which) % self.asks.len());
        self.told.extend(known.then(|| text.clone()));
        self.feed(Input::Final { utterance, ask, text, complete: false });
    }

    fn guess(&mut self, which: u8) {
        let Some((utterance, _)) = self.asks.get(usize::from(which) % self.asks.len().max(1)) else { return };
        self.feed(Input::Partial { utterance: *utterance, text: "perhaps".into(), complete: false });
    }

    fn text(&mut self, count: u8) {
        for _ in 0..count {
            let word = self.new_word('b');
            let Some(request) = self.answer.map(|(request, ..)| request).or(self.request) else { return };
            self.said.insert(word.clone());
            self.feed(Input::Token { request, text: format!("{word} ") });
        }
    }

    fn clause_end(&mut self, epoch: Epoch, clause: ClauseId) {
        let frames = self.made.get(&epoch).copied().unwrap_or(0);
        self.feed(Input::ClauseEnd { epoch, clause, frames });
    }

    fn reply_end(&mut self, kind: u8) {
        if let Some(request) = self.request.take() {
            return self.feed(Input::ReplyEnd { request, after: After::Nothing, memo: Memo::default() });
        }
        if let Some((request, epoch, clause)) = self.answer.take() {
            self.end(request, epoch, clause, kind);
        }
    }

    fn end(&mut self, request: RequestId, epoch: Epoch, clause: ClauseId, kind: u8) {
        self.clause_end(epoch, clause);
        let after = if kind == 0 { After::HangUp } else { After::Listen { digits: None } };
        self.feed(Input::ReplyEnd { request, after, memo: Memo::default() });
    }

    fn play(&mut self, frames: u8) {
        let waiting = |(epoch, made): (&Epoch, &u32)| {
            let played = self.played.get(epoch).copied().unwrap_or(0);
            (*epoch >= self.void_before && *epoch <= self.released && played < *made).then_some(*epoch)
        };
        let Some(epoch) = self.made.iter().find_map(waiting) else { return };
        let played = self.played.entry(epoch).or_default();
        *played = self.made[&epoch].min(*played + u32::from(frames));
        let frames = *played;
        self.feed(Input::Sounding { epoch });
        self.feed(Input::Played { epoch, frames });
    }

    /// Of what is unknown, and of what was known once.
    fn stale(&mut self, number: u32) {
        for number in [number + 50_000, number] {
            let (epoch, clause) = (Epoch::new(number), ClauseId::new(number));
            if self.answer.is_some_and(|(_, running, _)| running == epoch) || self.made.contains_key(&epoch) {
                continue;
            }
            let (utterance, ask) = (UtteranceId::new(number), AskId::new(number + 50_000));
            let (request, text) = (RequestId::new(number + 50_000), String::from("stale"));
            self.feed(Input::Final { utterance, ask, text: text.clone(), complete: true });
            self.feed(Input::Partial { utterance, text: text.clone(), complete: true });
            self.feed(Input::Token { request, text });
            self.feed(Input::ReplyEnd { request, after: After::HangUp, memo: Memo::default() });
            self.feed(Input::Voiced { epoch: Epoch::new(number + 50_000) });
            self.feed(Input::Word { epoch, clause, upto: number, frames: number });
            self.feed(Input::Played { epoch: Epoch::new(number + 50_000), frames: number });
        }
    }
}

fn words_of(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_call_by_ear_keeps_its_promises_and_ends(
        speculate in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..160),
        cut in any::<prop::sample::Index>(),
    ) {
        let speculation = if speculate { Speculation::Tts } else { Speculation::Off };
        let max_duration = Duration::from_secs(120);
        let mut world = World::new(Config { speculation, max_duration, ..Config::default() });
        for step in steps {
            if world.turn.is_over() {
                break;
            }
            world.run(step);
        }
        world.pass(at(200_000));
        prop_assert!(world.turn.is_over(), "a silent world ends the call");
        let report = recording::replay(world.recording.as_bytes()).unwrap();
        prop_assert_eq!(report.difference, None);
        let at = CutAt::Input(cut.index(report.inputs as usize) as u64 + 1);
        let cut = recording::replay_cut(world.recording.as_bytes(), at).unwrap();
        prop_assert!(cut.cut.is_some());
        prop_assert_eq!(cut.difference, None);
    }
}
