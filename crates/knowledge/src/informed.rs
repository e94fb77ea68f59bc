use crate::Config;
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession};
use ringway_stages::tool_use::ToolNews;
use ringway_tools::{Knowledge, Passage};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// A language model that is given, with each turn of the caller, what is known of it.
///
/// The passages stand behind the caller's words in this one request; the conversation does not keep them. A search that
/// fails, or takes too long, costs the turn nothing but the wait.
#[derive(Clone)]
pub struct Informed {
    model: Arc<dyn LanguageModel>,
    search: Search,
}

#[derive(Clone, Debug)]
struct Search {
    knowledge: Arc<dyn Knowledge>,
    most: usize,
    wait: Duration,
    control: Handle,
}

impl Informed {
    /// Wraps a model; searches run on the present runtime.
    pub fn new(model: Arc<dyn LanguageModel>, knowledge: Arc<dyn Knowledge>, config: &Config) -> Self {
        let (most, wait) = (config.passages, config.wait);
        Self { model, search: Search { knowledge, most, wait, control: Handle::current() } }
    }
}

impl LanguageModel for Informed {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn slots(&self) -> Option<usize> {
        self.model.slots()
    }

    fn open(&self, call: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        let (model, search) = (self.model.open(call)?, self.search.clone());
        Ok(Box::new(Session { model, search, asked: None, known: None, committed: false, news: None }))
    }
}

impl std::fmt::Debug for Informed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Informed").field("model", &self.name()).field("search", &self.search).finish()
    }
}

/// One call's model.
struct Session {
    model: Box<dyn LlmSession>,
    search: Search,
    /// A request that waits for its passages.
    asked: Option<Asked>,
    /// The words that were searched for last, and what was found: tools make one reply of several requests.
    known: Option<(String, Option<Vec<Passage>>)>,
    /// The running request is wanted for certain.
    committed: bool,
    news: Option<LlmEvent>,
}

struct Asked {
    request: LlmRequest,
    words: String,
    found: Running,
}

/// A search on the control runtime; dropped, it ends.
struct Running(JoinHandle<Option<Vec<Passage>>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Search {
    fn begin(&self, question: String) -> Running {
        let finding = self.knowledge.look_up(question, self.most);
        let wait = self.wait;
        Running(self.control.spawn(async move {
            match tokio::time::timeout(wait, finding).await {
                Ok(Ok(passages)) => Some(passages),
                Ok(Err(error)) => without(&error),
                Err(_) => without(&format_args!("nothing was found within {wait:?}")),
            }
        }))
    }
}

/// A turn goes on with what the model knows by itself.
fn without(reason: &dyn std::fmt::Display) -> Option<Vec<Passage>> {
    tracing::warn!(%reason, "a turn goes without the knowledge base");
    None
}

impl Session {
    /// Asks the model, with what was found.
    fn ask(&mut self, mut request: LlmRequest) -> Result<(), LlmError> {
        if let (Cue::Said(words), Some((_, Some(passages)))) = (&mut request.cue, &self.known) {
            if !passages.is_empty() {
                let cited = passages.iter().map(|passage| passage.source.clone()).collect();
                self.news =
                    Some(LlmEvent::Tool { id: request.id, news: ToolNews::Cited { passages: cited } });
            }
            *words = informed(words, passages);
        }
        self.model.reply(request)?;
        if self.committed {
            self.model.commit();
        }
        Ok(())
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        (self.asked, self.news, self.committed) = (None, None, false);
        let words = match &request.cue {
            Cue::Said(words) if words.chars().any(char::is_alphanumeric) => words.clone(),
            _ => return self.model.reply(request),
        };
        if self.known.as_ref().is_some_and(|(known, _)| *known == words) {
            return self.ask(request);
        }
        self.known = None;
        self.model.cancel();
        let found = self.search.begin(words.clone());
        self.asked = Some(Asked { request, words, found });
        Ok(())
    }

    fn commit(&mut self) {
        self.committed = true;
        if self.asked.is_none() {
            self.model.commit();
        }
    }

    fn cancel(&mut self) {
        (self.asked, self.news) = (None, None);
        self.model.cancel();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        if let Some(asked) = &mut self.asked {
            let passages = ready!(Pin::new(&mut asked.found.0).poll(cx)).unwrap_or_default();
            if let Some(Asked { request, words, .. }) = self.asked.take() {
                self.known = Some((words, passages));
                self.ask(request)?;
            }
        }
        match self.news.take() {
            Some(news) => Poll::Ready(Ok(news)),
            None => self.model.poll_event(cx),
        }
    }
}

/// What the caller said, and what is known of it.
fn informed(words: &str, passages: &[Passage]) -> String {
    if passages.is_empty() {
        return format!("{words}\n\n{NOTHING}");
    }
    let told = passages.iter().map(|Passage { source, text }| format!("[{source}]\n{text}"));
    format!("{words}\n\n{INTRODUCTION}\n\n{}", told.collect::<Vec<_>>().join("\n\n"))
}

/// Between the caller's words and the passages.
const INTRODUCTION: &str = "(The caller did not say what follows: passages from the knowledge base that may help to \
    answer. Keep to them where they do, and do not make up what they leave open.)";

/// Behind the caller's words where nothing fits them: silence would leave the model to its imagination.
const NOTHING: &str = "(The caller did not say what follows: nothing in the knowledge base fits these words. Where they ask \
    for something that only it could tell, say that you do not know.)";
