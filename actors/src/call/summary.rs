//! A summary of what was said, made in the background by the services of the language model's chain.
//!
//! It has a session of its own, so that nothing that the caller does ends it, and it keeps no answer waiting: what the
//! services have to do at a time is theirs to bear.

use super::*;
use crate::inbox::Report;
use crate::orders::Summarise;
use crate::stages::llm::{history, weigh};
use crate::stages::memos::Memos;
use ringway_stages::llm::{LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession};
use ringway_turn::{Context as Conversation, Input};
use std::future::poll_fn;
use tokio::task::AbortHandle;

/// One in the making; it ends with its call.
#[derive(Debug)]
pub(super) struct Summary(AbortHandle);

impl Drop for Summary {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Call {
    pub(super) fn summarise(&mut self, wanted: Summarise) {
        let Summarise { summary, context, within } = wanted;
        let (models, inbox, id) = (self.summarisers(), self.inbox.clone(), self.profile.id);
        let call =
            LlmCall { variables: self.profile.variables.clone(), weigh: weigh(), ..LlmCall::default() };
        let task = tokio::task::spawn_local(async move {
            let made = tokio::time::timeout(within, first_of(models, &call, &context, id)).await;
            let text = made.ok().flatten();
            // A router that is gone wants none.
            let _ = inbox.report(Report::Input(Input::Summarised { summary, text }));
        });
        self.summary = Some(Summary(task.abort_handle()));
    }

    /// The models that can do it, the one that serves first, without those whose circuit is open.
    fn summarisers(&self) -> Vec<Arc<dyn LanguageModel>> {
        let (engines, health) = (&self.core.engines.llm, &self.core.health);
        let serving = self.lives[StageKind::Llm as usize].chain.serving();
        let mut order: Vec<usize> = (0..engines.len()).collect();
        order.sort_by_key(|service| (health.standing(StageKind::Llm, *service), *service != serving));
        order.retain(|service| {
            engines[*service].summarises() && health.standing(StageKind::Llm, *service) != Standing::Open
        });
        order.into_iter().map(|service| engines[service].clone()).collect()
    }
}

/// The summary of the first model that makes one.
async fn first_of(
    models: Vec<Arc<dyn LanguageModel>>,
    call: &LlmCall,
    context: &Conversation,
    id: CallId,
) -> Option<String> {
    for model in models {
        match made_by(&*model, call.clone(), context.clone()).await {
            Ok(text) if !text.trim().is_empty() => return Some(text),
            Ok(_) => tracing::debug!(callId = %id, model = model.name(), "the summary is empty"),
            Err(error) => tracing::debug!(callId = %id, model = model.name(), %error, "no summary"),
        }
    }
    None
}

async fn made_by(
    model: &dyn LanguageModel,
    call: LlmCall,
    context: Conversation,
) -> Result<String, LlmError> {
    let memo = Memos::read(&context.memo).of(model.name()).to_owned();
    let mut session = model.open(call)?;
    session.reply(LlmRequest::summary(context.summary, history(context.messages), memo))?;
    session.commit();
    text_of(&mut *session).await
}

async fn text_of(session: &mut dyn LlmSession) -> Result<String, LlmError> {
    let mut text = String::new();
    loop {
        match poll_fn(|cx| session.poll_event(cx)).await? {
            LlmEvent::Text { text: more, .. } if text.len() < LONGEST_SUMMARY => text += &more,
            LlmEvent::Done { .. } => return Ok(text),
            _ => {}
        }
    }
}

/// Bytes that are read of one; the turn shortens it to its budget.
const LONGEST_SUMMARY: usize = 16 * 1_024;
