//! The language model uses a tool in the middle of a call.

use crate::common::engines::{self, GREETING, REPLY, Reciter, TONES};
use crate::common::parrot::{Asked, Parrot};
use crate::common::with_engines;
use ringway_actors::{CallEventKind, Engines};
use ringway_stages::Expectation;
use ringway_stages::llm::{
    LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, ToolCall,
};
use ringway_tools::{Config, Finding, Knowledge, Passage, SpeechToolbox, Toolbox, Tools, ToolsFile};
use ringway_turn::{Event, Speaker, ToolOutcome};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::sleep as pass;

/// Calls a tool before it answers a caller.
pub struct Clerk {
    tool: &'static str,
    arguments: &'static str,
    /// What it says before.
    says: &'static str,
}

pub const LOOKS_UP: Clerk = Clerk { tool: "look_up", arguments: r#"{"question":"hours"}"#, says: "" };

struct Session {
    reciter: Box<dyn LlmSession>,
    clerk: (&'static str, &'static str, &'static str),
    calls: VecDeque<LlmEvent>,
}

impl LanguageModel for Clerk {
    fn name(&self) -> &str {
        "clerk"
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        let clerk = (self.tool, self.arguments, self.says);
        Ok(Box::new(Session { reciter: Reciter.open(call)?, clerk, calls: VecDeque::new() }))
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let id = request.id;
        self.calls.clear();
        if request.history.is_empty() || !request.rounds.is_empty() {
            return self.reciter.reply(request);
        }
        let (name, arguments, says) = self.clerk;
        let call = ToolCall::new("", name, arguments);
        self.calls.extend((!says.is_empty()).then(|| LlmEvent::Text { id, text: says.into() }));
        let next = Next::Listen(Expectation::anything());
        self.calls.push_back(LlmEvent::Call { id, call });
        self.calls.push_back(LlmEvent::Done { id, next, memo: String::new() });
        Ok(())
    }

    fn cancel(&mut self) {
        self.calls.clear();
        self.reciter.cancel();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        match self.calls.pop_front() {
            Some(event) => Poll::Ready(Ok(event)),
            None => self.reciter.poll_event(cx),
        }
    }
}

/// Knows it after so long.
#[derive(Debug, Default)]
pub struct Sage {
    pub asked: Arc<AtomicUsize>,
    takes: Duration,
}

impl Sage {
    /// Takes longer than a model may be without a word.
    fn slow() -> Self {
        Self { takes: Duration::from_secs(7), ..Self::default() }
    }
}

impl Knowledge for Sage {
    fn look_up(&self, _: String, _: usize) -> Finding {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let takes = self.takes;
        Box::pin(async move {
            pass(takes).await;
            Ok(vec![Passage { source: "hours".into(), text: "At nine.".into() }])
        })
    }
}

const FILLER: &str = "tango";

/// These models, with a tool that asks `sage`.
pub fn with_tools(models: Vec<Arc<dyn LanguageModel>>, sage: Sage) -> Vec<Arc<dyn LanguageModel>> {
    let tools = tools(sage);
    let toolbox = |model| Arc::new(Toolbox::new(model, tools.clone(), Config::default())) as Arc<_>;
    models.into_iter().map(toolbox).collect()
}

fn tools(sage: Sage) -> Tools {
    let text = format!("[built_in.look_up]\nfiller = \"{FILLER}\"\nfiller_after = \"500ms\"\n");
    let file = ToolsFile::parse(Path::new("tools.toml"), &text, &|_| None).unwrap();
    Tools::start(file, Some(Arc::new(sage))).unwrap()
}

#[test]
fn a_tool_that_takes_long_is_bridged_and_is_no_stall() {
    let sage = Sage::slow();
    let asked = sage.asked.clone();
    with_engines(
        ringway_turn::Config::default(),
        |_| Engines { llm: with_tools(vec![Arc::new(LOOKS_UP)], sage), ..engines::all() },
        |mut world| async move {
            let line = &world.line;
            line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
            pass(Duration::from_millis(500)).await;
            // A pause inside is a guess at the end, for which nothing is looked up.
            line.say(&["alpha", "bravo", "charlie"]);
            let whole = format!("{GREETING} {FILLER} {REPLY}");
            line.until("the answer", |line| line.heard().join(" ") == whole).await;
            pass(Duration::from_secs(1)).await;
            let events = world.drain();
            let died = events.iter().any(|event| matches!(event, CallEventKind::StageDied { .. }));
            let told = events.iter().filter(|event| {
            matches!(event, CallEventKind::Turn(Event::Tool { tool, outcome: ToolOutcome::Done, bytes: 20, .. }) if tool == "look_up")
        });
            assert_eq!((died, told.count(), asked.load(Ordering::Relaxed)), (false, 1, 1));
        },
    );
}

#[test]
fn keys_sound_between_the_words_before_and_behind_them_and_are_nothing_that_was_said() {
    let engines = |_: &_| {
        let file = ToolsFile::parse(Path::new("tools.toml"), "[built_in.send_dtmf]\n", &|_| None).unwrap();
        let clerk = Clerk { tool: "send_dtmf", arguments: r#"{"digits":"1#"}"#, says: "echo" };
        let toolbox = Toolbox::new(Arc::new(clerk), Tools::start(file, None).unwrap(), Config::default());
        Engines { llm: vec![Arc::new(toolbox)], ..engines::all() }
    };
    with_engines(ringway_turn::Config::default(), engines, |mut world| async move {
        let line = &world.line;
        line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
        pass(Duration::from_millis(600)).await;
        line.say(&["alpha", "bravo"]);
        let whole = format!("{GREETING} echo {TONES} {TONES} {REPLY}");
        line.until("the answer", |line| line.heard().join(" ") == whole).await;
        pass(Duration::from_secs(1)).await;
        let said = |event| match event {
            CallEventKind::Turn(Event::Message { who: Speaker::Bot, text, .. }) => Some(text),
            _ => None,
        };
        let said: Vec<_> = world.drain().into_iter().filter_map(said).collect();
        assert!(said[1].starts_with("echo") && said[1].ends_with(REPLY), "{said:?}");
    });
}

#[test]
fn a_service_that_hears_and_speaks_uses_the_same_tools_and_is_waited_for() {
    let (sage, parrot) = (Sage::slow(), Arc::<Parrot>::default());
    parrot.looks_up.store(true, Ordering::Relaxed);
    let s2s = parrot.clone();
    let engines = move |_: &_| {
        let toolbox = SpeechToolbox::new(s2s, tools(sage), Config::default());
        Engines { s2s: vec![Arc::new(toolbox)], ..engines::all() }
    };
    with_engines(ringway_turn::Config::default(), engines, |mut world| async move {
        let line = &world.line;
        line.until("the greeting", |line| line.heard().join(" ") == GREETING).await;
        pass(Duration::from_millis(600)).await;
        line.say(&["alpha", "bravo"]);
        let whole = format!("{GREETING} {REPLY}");
        line.until("the answer", |line| line.heard().join(" ") == whole).await;
        pass(Duration::from_secs(1)).await;
        let told = |asked: &Asked| matches!(asked, Asked::Results(said) if said[..] == ["[hours]\nAt nine."]);
        assert_eq!(parrot.asked().iter().filter(|asked| told(asked)).count(), 1, "{:?}", parrot.asked());
        let events = world.drain();
        let died = events.iter().any(|event| matches!(event, CallEventKind::StageDied { .. }));
        let tool = |event: &&CallEventKind| matches!(event, CallEventKind::Turn(Event::Tool { .. }));
        assert_eq!((died, events.iter().filter(tool).count()), (false, 1));
    });
}
