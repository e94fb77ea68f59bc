//! A model that says what it is told to, and a caller.

use ringway_stages::Expectation;
use ringway_stages::llm::{
    Emptiness, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, ToolCall, ToolSpec,
};
use ringway_stages::tool_use::ToolNews;
use ringway_stages::transfer::{self, Transfers};
use ringway_tools::{Config, Knowledge, Toolbox, Tools, ToolsFile};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// What a model says to a request: words, and calls by name and arguments.
pub(crate) type Turn = (&'static str, &'static [(&'static str, &'static str)]);

/// Says one turn after the other, and keeps what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Model {
    turns: Arc<Mutex<VecDeque<Turn>>>,
    asked: Arc<Mutex<Vec<LlmRequest>>>,
    /// A turn without words and calls is a failure, as it is of services.
    pub(crate) has_to_speak: bool,
    pub(crate) known: Arc<Mutex<Vec<ToolSpec>>>,
}

struct Session {
    model: Model,
    events: VecDeque<Result<LlmEvent, LlmError>>,
}

impl Model {
    pub(crate) fn that_says(turns: &[Turn]) -> Self {
        let model = Self::default();
        model.turns.lock().unwrap().extend(turns);
        model
    }

    /// The n-th request.
    pub(crate) fn asked(&self, n: usize) -> LlmRequest {
        self.asked.lock().unwrap()[n].clone()
    }

    pub(crate) fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl LanguageModel for Model {
    fn name(&self) -> &str {
        "told"
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        *self.known.lock().unwrap() = call.tools.to_vec();
        Ok(Box::new(Session { model: self.clone(), events: VecDeque::new() }))
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let id = request.id;
        self.model.asked.lock().unwrap().push(request);
        let (text, calls) = self.model.turns.lock().unwrap().pop_front().unwrap_or_default();
        self.events.clear();
        if self.model.has_to_speak && text.is_empty() && calls.is_empty() {
            self.events.push_back(Err(LlmError::Empty { engine: "told", reason: Emptiness::Blank }));
            return Ok(());
        }
        if !text.is_empty() {
            self.events.push_back(Ok(LlmEvent::Text { id, text: text.into() }));
        }
        self.events.extend(calls.iter().map(|(name, arguments)| {
            let call = ToolCall::new("c", *name, *arguments);
            Ok(LlmEvent::Call { id, call })
        }));
        let next = Next::Listen(Expectation::anything());
        self.events.push_back(Ok(LlmEvent::Done { id, next, memo: String::new() }));
        Ok(())
    }

    fn cancel(&mut self) {
        self.events.clear();
    }

    fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// The tools that a text declares, with a desk to transfer calls to.
pub(crate) fn declared(text: &str) -> ToolsFile {
    let variable = |name: &str| Some(format!("value-of-{name}"));
    ToolsFile::parse(Path::new("tools.toml"), text, &variable)
        .unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
        .transferring(transfers())
}

/// There is a desk, and nobody else.
fn transfers() -> Arc<Transfers> {
    let targets = [("desk".to_owned(), "+431234".to_owned())].into();
    Arc::new(Transfers::new(&transfer::Config { targets, allow: Vec::new() }).unwrap())
}

pub(crate) fn toolbox(model: &Model, text: &str, knowledge: Option<Arc<dyn Knowledge>>) -> Toolbox {
    let tools = Tools::start(declared(text), knowledge).unwrap();
    Toolbox::new(Arc::new(model.clone()), tools, Config::default())
}

/// What a reply comes to.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) words: String,
    pub(crate) news: Vec<ToolNews>,
    pub(crate) next: Option<Next>,
    pub(crate) memo: String,
}

/// The next event.
pub(crate) async fn event(session: &mut dyn LlmSession) -> LlmEvent {
    poll_fn(|cx| session.poll_event(cx)).await.unwrap()
}

/// A reply to its end.
pub(crate) async fn reply(session: &mut dyn LlmSession, request: LlmRequest) -> Reply {
    session.reply(request).unwrap();
    session.commit();
    let mut reply = Reply::default();
    loop {
        match event(session).await {
            LlmEvent::Text { text, .. } => reply.words += &text,
            LlmEvent::Tool { news, .. } => reply.news.push(news),
            LlmEvent::Slots { .. } | LlmEvent::Usage { .. } => {}
            LlmEvent::Call { call, .. } => panic!("{call:?} came out"),
            LlmEvent::Done { next, memo, .. } => return Reply { next: Some(next), memo, ..reply },
        }
    }
}
