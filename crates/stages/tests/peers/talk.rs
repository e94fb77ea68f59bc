//! A caller of language models.

use ringway_stages::llm::{Cue, LlmError, LlmEvent, LlmRequest, LlmSession, ToolCall};
use ringway_stages::tool_use::{Outcome, ToolNews};
use std::future::poll_fn;

/// What a reply comes to.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) tokens: Vec<String>,
    pub(crate) calls: Vec<ToolCall>,
    pub(crate) tools: Vec<(String, Outcome)>,
}

impl Reply {
    pub(crate) fn words(&self) -> String {
        self.tokens.concat()
    }
}

pub(crate) async fn ask(session: &mut dyn LlmSession, words: &str) -> Result<Reply, LlmError> {
    session.reply(LlmRequest::new(1, Cue::Said(words.into())))?;
    session.commit();
    let mut reply = Reply::default();
    loop {
        match poll_fn(|cx| session.poll_event(cx)).await? {
            LlmEvent::Text { text, .. } => reply.tokens.push(text),
            LlmEvent::Call { call, .. } => reply.calls.push(call),
            LlmEvent::Tool { news: ToolNews::Ended { tool, outcome, .. }, .. } => {
                reply.tools.push((tool, outcome))
            }
            LlmEvent::Tool { .. } | LlmEvent::Slots { .. } | LlmEvent::Usage { .. } => {}
            LlmEvent::Done { .. } => return Ok(reply),
        }
    }
}
