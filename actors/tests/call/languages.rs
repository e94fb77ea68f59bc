//! A call goes on in another language: its next words come from that language's voice, and the caller is heard by its
//! recogniser.

use crate::common::engines::{self, GREETING, Reader, Speaker, WORDS, audio};
use crate::common::hooked::{Act, Fate, Hooked};
use crate::common::{World, with_engines};
use ringway_actors::{CallEventKind, Engines, Language, Phrase, SwitchCause};
use ringway_frame::Frame;
use ringway_stages::Expectation;
use ringway_stages::llm::{
    Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, ToolCall,
};
use ringway_stages::stt::{Segment, SpeechToText, SttCall, SttError, SttEvent, SttMode, SttSession};
use ringway_stages::tool_use;
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use ringway_tools::{Config, Toolbox, Tools, ToolsFile};
use ringway_turn::{Event, Speaker as Who, StageKind, ToolOutcome};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::sleep as pass;

/// Hears and speaks another language than the engine within: it writes "de" before what it hears, and says the word that
/// comes next in the alphabet.
struct Accent<E>(E, &'static str);

struct AccentSession<S>(S);

impl SpeechToText for Accent<Reader> {
    fn name(&self) -> &str {
        self.1
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(Box::new(AccentSession(self.0.open(call)?)))
    }
}

impl SttSession for AccentSession<Box<dyn SttSession>> {
    fn mode(&self) -> SttMode {
        self.0.mode()
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.0.begin(segment)
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.0.hear(frame)
    }

    fn flush(&mut self) -> Result<(), SttError> {
        self.0.flush()
    }

    fn abandon(&mut self) {
        self.0.abandon();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        self.0.poll_event(cx).map_ok(|event| match event {
            SttEvent::Final { segment, text, flushed } => {
                SttEvent::Final { segment, text: format!("de {text}"), flushed }
            }
            event => event,
        })
    }
}

impl TextToSpeech for Accent<Speaker> {
    fn name(&self) -> &str {
        self.1
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(AccentSession(self.0.open(call)?)))
    }
}

impl TtsSession for AccentSession<Box<dyn TtsSession>> {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        self.0.speak(Clause { text: accented(&clause.text), ..clause })
    }

    fn cancel(&mut self) {
        self.0.cancel();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        // The words of another text: only its end is the same.
        match self.0.poll_next(cx, frame) {
            Poll::Ready(Ok(TtsEvent::Word { .. })) => self.poll_next(cx, frame),
            event => event,
        }
    }
}

/// The words as the other voice says them.
fn accented(text: &str) -> String {
    text.split(' ').map(next).collect::<Vec<_>>().join(" ")
}

fn next(word: &str) -> &str {
    let at = WORDS.iter().position(|known| *known == word.trim_end_matches('.'));
    at.map_or(word, |at| WORDS[(at + 1) % WORDS.len()])
}

/// A model that switches the language when it hears "quebec", and tells in which it was asked.
#[derive(Clone, Default)]
struct Linguist {
    /// Which language it is told to take.
    wants: &'static str,
    asked_in: Arc<Mutex<Vec<String>>>,
}

struct LinguistSession {
    linguist: Linguist,
    events: VecDeque<LlmEvent>,
}

impl LanguageModel for Linguist {
    fn name(&self) -> &str {
        "linguist"
    }

    fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(LinguistSession { linguist: self.clone(), events: VecDeque::new() }))
    }
}

impl LlmSession for LinguistSession {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let id = request.id;
        self.linguist.asked_in.lock().unwrap().push(request.language.clone());
        let used = request.rounds.iter().any(|round| round.after > request.history.len());
        let (text, calls) = match &request.cue {
            Cue::Joined => (GREETING, false),
            Cue::Said(_) if used => (BEHIND, false),
            Cue::Said(words) if words.contains("quebec") => (BEFORE, true),
            _ => (LATER, false),
        };
        let rest = text.strip_prefix(request.already.as_str()).unwrap_or(text);
        self.events = VecDeque::from([LlmEvent::Text { id, text: rest.into() }]);
        if calls {
            let arguments = format!("{{\"language\":\"{}\"}}", self.linguist.wants);
            let call = ToolCall::new("", "switch_language", arguments);
            self.events.push_back(LlmEvent::Call { id, call });
        }
        let next = Next::Listen(Expectation::anything());
        self.events.push_back(LlmEvent::Done { id, next, memo: String::new() });
        Ok(())
    }

    fn cancel(&mut self) {
        self.events.clear();
    }

    fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        self.events.pop_front().map_or(Poll::Pending, |event| Poll::Ready(Ok(event)))
    }
}

/// What it says before it calls the tool, behind it, and to everything else.
const BEFORE: &str = "golf hotel. ";
const BEHIND: &str = "juliet kilo.";
const LATER: &str = "lima mike.";

fn phrase(text: &str, words: &[&str]) -> Phrase {
    Phrase { text: text.into(), pcm_16k: audio(words), ..Phrase::default() }
}

/// English by the usual engines, German by these.
fn bilingual(model: &Linguist, stt: Vec<Arc<dyn SpeechToText>>, tts: Vec<Arc<dyn TextToSpeech>>) -> Engines {
    let file = ToolsFile::parse(Path::new("tools.toml"), "[built_in.switch_language]", &|_| None).unwrap();
    let spoken = [("en", "English"), ("de", "German")];
    let spoken = spoken.map(|(code, name)| tool_use::Language { code: code.into(), name: name.into() });
    let tools = Tools::start(file.speaking(spoken.into()).unwrap(), None).unwrap();
    let toolbox = Toolbox::new(Arc::new(model.clone()), tools, Config::default());
    let mut engines = Engines { llm: vec![Arc::new(toolbox)], ..engines::all() };
    let (apology, filler) = (engines.apology.clone(), engines.filler.clone());
    let (code, name) = ("en".into(), "English".into());
    let english = Language { code, name, stt: 0..1, tts: 0..1, apology, filler };
    engines.stt.extend(stt);
    engines.tts.extend(tts);
    let german = Language {
        code: "de".into(),
        name: "German".into(),
        stt: 1..engines.stt.len(),
        tts: 1..engines.tts.len(),
        apology: phrase("Verzeihung.", &["tango", "alpha"]),
        filler: phrase("Einen Moment.", &["foxtrot"]),
    };
    engines.languages = vec![english, german];
    engines
}

fn reader() -> Arc<dyn SpeechToText> {
    Arc::new(Accent(Reader, "reader/de"))
}

fn speaker() -> Arc<dyn TextToSpeech> {
    Arc::new(Accent(Speaker, "speaker/de"))
}

fn to_german() -> Linguist {
    Linguist { wants: "de", ..Linguist::default() }
}

/// Greeted, the caller asks for German.
async fn asks_for_german(world: &World) {
    let line = &world.line;
    line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
    pass(Duration::from_millis(500)).await;
    line.say(&["quebec"]);
    let both = format!("{GREETING} golf hotel {}", accented("juliet kilo"));
    line.until("the words before and behind", |line| line.heard().join(" ") == both).await;
    pass(Duration::from_secs(1)).await;
}

/// What the caller was understood to say.
fn understood(events: &[CallEventKind]) -> Vec<String> {
    let words = |event: &CallEventKind| match event {
        CallEventKind::Turn(Event::Message { who: Who::Caller, text, .. }) => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(words).collect()
}

fn switches(events: &[CallEventKind]) -> Vec<(StageKind, String, SwitchCause)> {
    let switch = |event: &CallEventKind| match event {
        CallEventKind::ServiceSwitched { stage, to, cause, .. } => Some((*stage, to.to_string(), *cause)),
        _ => None,
    };
    events.iter().filter_map(switch).collect()
}

#[test]
fn the_words_behind_the_tool_and_the_next_utterance_are_in_the_language() {
    let model = to_german();
    let asked_in = model.asked_in.clone();
    with_engines(
        ringway_turn::Config::default(),
        |_| bilingual(&model, vec![reader()], vec![speaker()]),
        |mut world| async move {
            asks_for_german(&world).await;
            // Longer than a voice may owe anything.
            pass(Duration::from_secs(4)).await;
            world.line.say(&["alpha"]);
            let last = accented("lima mike");
            world.line.until("the answer", |line| line.heard().join(" ").ends_with(&last)).await;
            pass(Duration::from_secs(1)).await;
            let events = world.drain();
            assert_eq!(understood(&events), ["quebec", "de alpha"]);
            let language = SwitchCause::Language;
            let mut seen = switches(&events);
            seen.sort_by_key(|(stage, ..)| *stage);
            assert_eq!(
                seen,
                [
                    (StageKind::Stt, "reader/de".into(), language),
                    (StageKind::Tts, "speaker/de".into(), language),
                ]
            );
            let told = events.iter().filter_map(|event| match event {
                CallEventKind::Turn(Event::Language { turn, language }) => {
                    Some((turn.number(), language.as_str()))
                }
                _ => None,
            });
            assert_eq!(told.collect::<Vec<_>>(), [(0, "en"), (1, "de")]);
            assert!(!events.iter().any(|event| matches!(event, CallEventKind::StageDied { .. })));
        },
    );
    let asked_in = asked_in.lock().unwrap().clone();
    assert_eq!(asked_in.first().map(String::as_str), Some("English"));
    assert_eq!(asked_in.last().map(String::as_str), Some("German"));
}

#[test]
fn a_recogniser_that_dies_is_replaced_within_its_language() {
    let asked = AtomicUsize::new(0);
    let once = move |act| {
        let dies = act == Act::Ask && asked.fetch_add(1, Ordering::Relaxed) == 0;
        if dies { Fate::Dies } else { Fate::Lives }
    };
    let frail = Hooked::new(Arc::new(Accent(Reader, "frail/de")) as Arc<dyn SpeechToText>, once);
    with_engines(
        ringway_turn::Config::default(),
        |_| bilingual(&to_german(), vec![frail, reader()], vec![speaker()]),
        |mut world| async move {
            asks_for_german(&world).await;
            world.line.say(&["alpha", "bravo"]);
            let last = accented("lima mike");
            world.line.until("the answer", |line| line.heard().join(" ").ends_with(&last)).await;
            pass(Duration::from_secs(1)).await;
            let events = world.drain();
            assert_eq!(understood(&events), ["quebec", "de alpha bravo"]);
            let heard: Vec<_> =
                switches(&events).into_iter().filter(|(stage, ..)| *stage == StageKind::Stt).collect();
            let names: Vec<_> = heard.iter().map(|(_, to, _)| to.as_str()).collect();
            assert_eq!(names, ["hooked", "reader/de"]);
        },
    );
}

#[test]
fn a_reply_that_is_broken_off_keeps_the_switch() {
    with_engines(
        ringway_turn::Config::default(),
        |_| bilingual(&to_german(), vec![reader()], vec![speaker()]),
        |mut world| async move {
            let line = &world.line;
            line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            pass(Duration::from_millis(500)).await;
            line.say(&["quebec"]);
            line.until("the first word", |line| line.heard().last() == Some(&"golf")).await;
            line.say(&["alpha", "bravo", "charlie"]);
            let last = accented("lima mike");
            line.until("the answer", |line| line.heard().join(" ").ends_with(&last)).await;
            pass(Duration::from_secs(1)).await;
            line.say(&["delta"]);
            world.line.until("its end", |line| line.left_to_say() == 0).await;
            pass(Duration::from_secs(5)).await;
            let understood = understood(&world.drain());
            assert_eq!(understood.last().map(String::as_str), Some("de delta"), "{understood:?}");
        },
    );
}

#[test]
fn a_language_that_there_is_not_is_refused_and_nothing_changes() {
    let french = Linguist { wants: "fr", ..Linguist::default() };
    with_engines(
        ringway_turn::Config::default(),
        |_| bilingual(&french, vec![reader()], vec![speaker()]),
        |mut world| async move {
            let line = &world.line;
            line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            pass(Duration::from_millis(500)).await;
            line.say(&["quebec"]);
            let english = format!("{GREETING} golf hotel juliet kilo");
            line.until("the answer", |line| line.heard().join(" ") == english).await;
            pass(Duration::from_secs(1)).await;
            let events = world.drain();
            let refused = |event: &CallEventKind| {
                matches!(event, CallEventKind::Turn(Event::Tool { outcome: ToolOutcome::Refused, .. }))
            };
            assert!(events.iter().any(refused));
            assert_eq!(switches(&events), []);
        },
    );
}

#[test]
fn a_call_may_begin_in_another_language_whatever_its_case() {
    with_engines(
        ringway_turn::Config::default(),
        |_| bilingual(&to_german(), vec![reader()], vec![speaker()]),
        |mut world| async move {
            let german = world.another_in("DE");
            german.until("the greeting", |line| line.heard().join(" ") == accented(GREETING)).await;
            let unknown = world.another_in("fr");
            unknown.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            pass(Duration::from_millis(500)).await;
            world.drain();
            german.say(&["alpha"]);
            let whole = accented(&format!("{GREETING} lima mike"));
            german.until("the answer", |line| line.heard().join(" ") == whole).await;
            let events = world.drain();
            assert_eq!((understood(&events), switches(&events)), (vec!["de alpha".to_owned()], Vec::new()));
        },
    );
}

#[test]
fn the_apology_is_in_the_language_that_has_no_voice_left() {
    let dead =
        Hooked::new(Arc::new(Accent(Speaker, "dead/de")) as Arc<dyn TextToSpeech>, |act| act == Act::Ask);
    with_engines(
        ringway_turn::Config::default(),
        |_| bilingual(&to_german(), vec![reader()], vec![dead]),
        |world| async move {
            let line = &world.line;
            line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            pass(Duration::from_millis(500)).await;
            line.say(&["quebec"]);
            line.until("the end", |line| line.ended().is_some()).await;
            assert!(line.heard().join(" ").ends_with("tango alpha"), "{:?}", line.heard());
        },
    );
}

#[test]
fn the_filler_comes_from_the_memory_of_the_language() {
    let slow = Hooked::new(Arc::new(to_german()) as Arc<dyn LanguageModel>, |act| {
        if act == Act::Ask { Fate::Rests(Duration::from_secs(3)) } else { Fate::Lives }
    });
    let turn = ringway_turn::Config {
        filler_after: Some(Duration::from_secs(1)),
        answer_budget: None,
        ..Default::default()
    };
    with_engines(
        turn,
        |_| Engines { llm: vec![slow], ..bilingual(&to_german(), vec![reader()], vec![speaker()]) },
        |world| async move {
            let german = world.another_in("de");
            pass(Duration::from_secs(5)).await;
            german.say(&["alpha"]);
            german.until("the filler", |line| line.heard().contains(&"foxtrot")).await;
        },
    );
}
