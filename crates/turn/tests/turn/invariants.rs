//! What holds for every sequence of inputs, likely or not.

mod faults;
mod handover;
mod model;
mod recogniser;
mod steps;
mod voice;

use crate::line::{Line, at};
use crate::table;
use proptest::prelude::*;
use ringway_frame::{Epoch, MediaTime, Skew};
use ringway_turn::recording::CutAt;
use ringway_turn::{
    After, AskId, ClauseId, Command, Config, EndReason, Event, Input, Language, Latency, Memo, Output,
    Playout, RequestId, StageKind, Stt, Turn, UtteranceId, Window, recording,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use steps::{Step, config, stage, step};

/// A clause as the voice and the playout see it.
struct Clause {
    epoch: Epoch,
    id: ClauseId,
    words: Vec<String>,
    said: usize,
    upto: usize,
    ended: bool,
}

/// The world around a turn, and what it has seen.
struct World {
    turn: Turn,
    now: MediaTime,
    words: u32,
    utterance: Option<(UtteranceId, Vec<String>)>,
    ask: Option<AskId>,
    request: Option<RequestId>,
    clauses: Vec<Clause>,
    made: BTreeMap<Epoch, u32>,
    played: BTreeMap<Epoch, u32>,
    /// Each word of the bot's with the frame of the epoch that completes it.
    voiced: Vec<(String, Epoch, u32)>,
    released: Epoch,
    void_before: Epoch,
    paused: Option<MediaTime>,
    closed: BTreeSet<String>,
    recording: String,
    loud_until: MediaTime,
    over: bool,
    /// Questions put to stages so far.
    asks: usize,
    /// Stages that were found late, and after how many questions.
    hurried: BTreeSet<(StageKind, usize)>,
    hedges: bool,
    usually: Option<Duration>,
    second: bool,
    /// What is told once the outputs are.
    owed: Option<Input>,
    /// Requests that have begun to be answered, and those that were asked twice.
    begun: BTreeSet<RequestId>,
    twice: BTreeSet<RequestId>,
    /// Stages on their way into another language.
    following: VecDeque<StageKind>,
    /// Stages that are away: what they are told goes nowhere.
    lost: BTreeSet<StageKind>,
    /// Since when the leg is away, and how long it was until then.
    detached: Option<MediaTime>,
    /// Nothing may be decided.
    stands: bool,
    config: Config,
    away: Duration,
    /// Words of the running utterance that the recogniser of another process has told.
    kept: Vec<String>,
    /// Requests that were answered whole while the leg was away, which the turn learns later.
    unknown: BTreeSet<RequestId>,
}

impl World {
    fn new(config: Config) -> Self {
        let id = ringway_frame::CallId::from_bits(1);
        let hedges = config.hedge;
        let recording = recording::Header::new(id, "", config.clone()).to_line();
        Self {
            turn: Turn::new(config.clone()),
            now: MediaTime::ZERO,
            words: 0,
            utterance: None,
            ask: None,
            request: None,
            clauses: Vec::new(),
            made: BTreeMap::new(),
            played: BTreeMap::new(),
            voiced: Vec::new(),
            released: Epoch::ZERO,
            void_before: Epoch::ZERO,
            paused: None,
            closed: BTreeSet::new(),
            recording,
            loud_until: MediaTime::ZERO,
            over: false,
            asks: 0,
            hurried: BTreeSet::new(),
            hedges,
            usually: None,
            second: false,
            owed: None,
            begun: BTreeSet::new(),
            twice: BTreeSet::new(),
            following: VecDeque::new(),
            lost: BTreeSet::new(),
            detached: None,
            stands: false,
            config: config.clone(),
            away: Duration::ZERO,
            kept: Vec::new(),
            unknown: BTreeSet::new(),
        }
    }

    fn feed(&mut self, input: Input) {
        self.recording.push_str(&recording::input_line(&input, self.now));
        let (stands, before) = (self.stands_still(&input), self.turn.states());
        self.turn.handle(input, self.now);
        self.stands = stands;
        self.drain();
        assert!(
            !stands || self.turn.is_over() || self.turn.states() == before,
            "decides while the leg is away"
        );
        self.check();
        if let Some(answer) = self.owed.take() {
            self.feed(answer);
        }
    }

    fn drain(&mut self) {
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
                    assert!(!self.stands || self.turn.is_over(), "{command:?} while the leg is away");
                    self.obey(command);
                }
            }
        }
    }

    /// Lets time pass, with all timers on the way.
    fn pass(&mut self, until: MediaTime) {
        let mut ticks = 0;
        while let Output::Timeout(at) = self.turn.poll() {
            if at > until {
                break;
            }
            ticks += 1;
            assert!(ticks < 10_000, "a timer does not end itself");
            self.now = at;
            self.feed(Input::Tick);
        }
        self.now = until;
    }

    fn obey(&mut self, command: Command) {
        self.asks += usize::from(asks(&command));
        match command {
            Command::Stt(stt) => self.listen(&stt),
            Command::Reply { request, .. } => {
                self.request = Some(request);
                self.owed = self.usually.map(|within| Input::Usually { request, within });
            }
            Command::Hedge { request } => self.ask_second(request),
            Command::CancelReply { request } => {
                let known = self.unknown.remove(&request) || self.request.take() == Some(request);
                assert!(known, "cancels what runs");
            }
            Command::Follow { stage } => {
                assert!(!self.following.contains(&stage), "{stage:?} is told twice at a time");
                let made = self.clauses.iter().all(|clause| clause.ended || clause.epoch < self.void_before);
                assert!(
                    stage != StageKind::Tts || made || self.turn.answering().is_none(),
                    "a voice is torn off"
                );
                self.following.push_back(stage);
            }
            Command::Speak { epoch, clause, text } => {
                assert!(!self.following.contains(&StageKind::Tts), "a voice on its way is given words");
                assert!(epoch >= self.void_before, "speaks into a void epoch");
                if self.lost.contains(&StageKind::Tts) {
                    return;
                }
                let words = text.split_inclusive(' ').map(str::to_owned).collect();
                self.clauses.push(Clause { epoch, id: clause, words, said: 0, upto: 0, ended: false });
            }
            Command::Press { epoch, clause, .. } => {
                assert!(epoch >= self.void_before, "presses in a void epoch");
                if self.lost.contains(&StageKind::Tts) {
                    return;
                }
                self.clauses.push(Clause {
                    epoch,
                    id: clause,
                    words: Vec::new(),
                    said: 0,
                    upto: 0,
                    ended: false,
                });
            }
            Command::CancelSpeech { epoch } => self.clauses.retain(|clause| clause.epoch > epoch),
            Command::Playout(playout) => self.playout(playout),
            Command::Hurry { stage } => {
                assert!(
                    self.hurried.insert((stage, self.asks)),
                    "{stage:?} is hurried twice over one request"
                );
            }
            Command::HangUp { .. } | Command::Transfer { .. } => self.over = true,
            Command::Event(Event::Latency { latency, .. }) => {
                let Latency { answer, end_of_turn, stt, llm, tools, tts, rebuild, playout } = latency;
                assert_eq!(end_of_turn + stt + llm + tools + tts + rebuild + playout, answer);
            }
            _ => {}
        }
    }

    fn ask_second(&mut self, request: RequestId) {
        assert!(self.hedges, "nobody wants it");
        assert_eq!(self.request, Some(request), "what does not run is asked a second time");
        assert!(self.turn.is_released(), "nobody waits for it");
        assert!(!self.begun.contains(&request), "the answer has begun");
        assert!(self.twice.insert(request), "{request:?} is asked a third time");
        if self.second {
            self.asks += 1;
            self.owed = Some(Input::Hedged { request });
        }
    }

    fn playout(&mut self, playout: Playout) {
        match playout {
            Playout::Release(epoch) => {
                assert!(!self.turn.caller_has_the_floor(), "released over a confirmed caller");
                assert!(epoch > self.released, "{epoch} after {}", self.released);
                self.released = epoch;
            }
            Playout::Pause => {
                let now = self.conversation();
                assert_eq!(self.paused.replace(now), None, "paused twice");
            }
            Playout::Resume => assert!(self.paused.take().is_some(), "resumed without a pause"),
            Playout::Clear { epoch, .. } => {
                self.void_before = epoch;
                self.clauses.retain(|clause| clause.epoch >= epoch);
            }
        }
    }

    /// Frames that would be heard now.
    fn may_sound(&self) -> Option<Epoch> {
        let waiting = |(epoch, made): (&Epoch, &u32)| {
            let played = self.played.get(epoch).copied().unwrap_or(0);
            (*epoch >= self.void_before && *epoch <= self.released && played < *made).then_some(*epoch)
        };
        if self.paused.is_some() { None } else { self.made.iter().find_map(waiting) }
    }

    fn check(&self) {
        table::check(self.turn.states());
        if self.turn.is_over() {
            return;
        }
        assert!(!self.turn.is_bot_away() || self.turn.answering().is_none(), "answers in place of a person");
        if self.turn.caller_has_the_floor() {
            assert_eq!(self.may_sound(), None, "speaks over a confirmed caller");
        }
        self.check_callers_words();
        self.check_bots_words();
        let longest = Config::default().pause_max;
        assert!(
            self.paused.is_none_or(|since| self.conversation() - since <= longest),
            "the bot stays paused"
        );
    }

    /// No word of a closed utterance is lost.
    fn check_callers_words(&self) {
        let context = self.turn.context();
        if context.messages.len() >= Config::default().context_messages {
            return;
        }
        let mut known: BTreeSet<String> = words_of(&self.turn.running_words());
        for message in &context.messages {
            known.extend(words_of(&message.text));
        }
        for word in &self.closed {
            assert!(known.contains(word), "{word} was said and is lost");
        }
    }

    /// The context holds nothing that was not heard.
    fn check_bots_words(&self) {
        let bot = self.turn.context().messages.iter().filter(|it| it.who == ringway_turn::Speaker::Bot);
        for word in bot.flat_map(|message| words_of(&message.text)) {
            let heard = self.voiced.iter().any(|(voiced, epoch, frame)| {
                *voiced == word && self.played.get(epoch).copied().unwrap_or(0) >= *frame
            });
            assert!(heard, "{word} was never heard");
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Wait(millis) => self.pass(self.now + Duration::from_millis(millis)),
            Step::Windows { speech: true, count } => self.windows(count, 0.9, true),
            Step::Windows { speech: false, count } => self.windows(count, 0.0, false),
            Step::Hush(count) => self.windows(count, 0.9, false),
            Step::Answer { known } => self.answer(known),
            Step::Partial => self.partial(),
            Step::Segment => self.segment(),
            Step::EndOfTurn(probability) => self.feed(Input::EndOfTurn { probability }),
            Step::Token(kind) => self.token(kind),
            Step::ReplyEnd(kind) => self.reply_end(kind),
            Step::Made { words, end } => self.make(words, end),
            Step::Played(frames) => self.play(frames),
            Step::Sounding => {
                if let Some(epoch) = self.may_sound() {
                    self.feed(Input::Sounding { epoch });
                }
            }
            Step::Stale(number) => self.stale(number + 50_000),
            Step::Dtmf(digit) => self.feed(Input::Dtmf { digit }),
            Step::Text => self.feed(Input::Text { text: "typed".into() }),
            Step::Interrupt => self.feed(Input::Interrupt),
            Step::Mute(muted) => self.feed(Input::Mute { muted }),
            Step::Stage { stage, ready } => self.stage(stage, ready),
            Step::Usually(millis) => self.usually = Some(Duration::from_millis(millis)),
            Step::Second(is) => self.second = is,
            Step::Language(german) => self.language(german),
            Step::Leg { attached } => self.leg(attached),
            Step::Handover => self.hand_over(),
            Step::RespondNow => self.feed(Input::RespondNow),
            Step::BotAway(away) => self.feed(Input::BotAway { away }),
            Step::Speaking(party) => {
                let party = party.map(|party| format!("Party {party}").into());
                self.feed(Input::Speaking { party });
            }
            Step::Truncate { ago, millis } => self.truncate(ago, millis),
            Step::Followed => {
                if let Some(stage) = self.following.pop_front() {
                    self.feed(Input::StageFollowed { stage });
                }
            }
            Step::Busy => self.feed(Input::StageBusy { stage: StageKind::Stt }),
        }
    }

    fn windows(&mut self, count: u8, probability: f32, loud: bool) {
        for _ in 0..count {
            self.pass(self.now + Duration::from_millis(32));
            if loud {
                self.loud_until = self.now;
            }
            self.feed(Input::Window(Window {
                until: self.now,
                probability,
                loud_until: self.loud_until,
                skew: Skew::ZERO,
            }));
        }
    }

    fn new_word(&mut self, who: char) -> String {
        self.words += 1;
        format!("{who}{}", self.words)
    }

    /// A final holds all words of its utterance, those of earlier finals included.
    fn answer(&mut self, known: bool) {
        let word = self.new_word('c');
        let (Some((utterance, words)), Some(ask)) = (&mut self.utterance, self.ask.take()) else { return };
        if known {
            words.push(word);
        }
        let (utterance, text) = (*utterance, words.join(" "));
        self.feed(Input::Final { utterance, ask, text, complete: known });
    }

    fn partial(&mut self) {
        let Some((utterance, words)) = self.utterance.clone() else { return };
        self.feed(Input::Partial { utterance, text: words.join(" "), complete: false });
    }

    fn segment(&mut self) {
        let word = self.new_word('s');
        let Some((utterance, _)) = &self.utterance else { return };
        let utterance = *utterance;
        self.feed(Input::Segment { utterance, text: word });
    }
}

/// Whether a stage has something to do for it.
fn asks(command: &Command) -> bool {
    matches!(
        command,
        Command::Stt(Stt::Flush { .. })
            | Command::Reply { .. }
            | Command::Speak { .. }
            | Command::Press { .. }
    )
}

fn words_of(text: &str) -> BTreeSet<String> {
    let word = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    text.split_whitespace().map(word).filter(|word| !word.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_call_keeps_its_promises_and_ends(
        config in config(),
        steps in proptest::collection::vec(step(), 1..160),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new(config);
        world.feed(Input::Started);
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
        // And the same when it is put down anywhere and taken up again.
        let at = CutAt::Input(cut.index(report.inputs as usize) as u64 + 1);
        let cut = recording::replay_cut(world.recording.as_bytes(), at).unwrap();
        prop_assert!(cut.cut.is_some());
        prop_assert_eq!(cut.difference, None);
    }

    #[test]
    fn every_scripted_conversation_answers_each_turn_once(
        said in proptest::collection::vec((200..900u64, 60..1_400u64, any::<bool>()), 1..8),
        lost in proptest::option::of((stage(), 500..9_000u64)),
    ) {
        let mut line = Line::new(Config::default());
        let (mut time, mut words) = (700, Vec::new());
        for (index, (pause, length, is_word)) in said.into_iter().enumerate() {
            time += pause;
            let word = if is_word { format!("word{index}") } else { String::new() };
            line.says(time, time + length, &word);
            time += length;
            words.extend(is_word.then_some(word));
        }
        if let Some((stage, when)) = lost {
            line.loses(stage, when, 250);
        }
        line.at(time + 6_000, Input::Ended { reason: EndReason::Caller });
        let context = line.run(time + 6_000).context();
        for word in words {
            let says = |said: &&String| said.starts_with("Caller") && words_of(said).contains(&word);
            prop_assert_eq!(context.iter().filter(says).count(), 1, "{} in {:?}", word, context);
        }
        let told = line.events().filter(|(_, event)| matches!(event, Event::Message { .. }));
        prop_assert_eq!(told.count(), context.len());
        prop_assert_eq!(recording::replay(line.recording.as_bytes()).unwrap().difference, None);
    }
}
