use super::{Answer, BargeIn, Calling, Effect, Reach, ToolError};
use ringway_stages::llm::{ToolCall, Weigh};
use ringway_stages::tool_use::{Outcome, Place, SHOWN, ToolEffects, ToolNews, ToolResult};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// One call under way, on the control runtime.
#[derive(Debug)]
pub(super) struct Running {
    tool: String,
    bytes: usize,
    /// Of the call itself.
    tokens: u32,
    weigh: Weigh,
    begun: Instant,
    on: On,
    effects: ToolEffects,
    place: Place,
    task: Option<JoinHandle<Ended>>,
    /// Its arguments, where they are told.
    shown: Option<String>,
}

/// What becomes of a call when nobody waits for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct On {
    pub(super) reach: Reach,
    pub(super) barge_in: BargeIn,
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct Ended {
    outcome: Outcome,
    /// Of what it said.
    tokens: u32,
    pub(super) effect: Option<Effect>,
}

impl Running {
    /// Begins; the result finds its place among the effects by itself, whoever waits for it.
    pub(super) fn begin(
        (control, weigh): (&Handle, Weigh),
        (call, on): (&ToolCall, On),
        (effects, place): (ToolEffects, Place),
        calling: Result<Calling, ToolError>,
    ) -> Self {
        let noted = effects.clone();
        let task = control.spawn(async move {
            let answer = match calling {
                Ok(calling) => calling.await,
                Err(error) => Err(error),
            };
            Ended::note(answer, &noted, place, weigh)
        });
        Self {
            tool: call.name.clone(),
            bytes: call.arguments.len(),
            tokens: (weigh.text)(&call.name) + (weigh.text)(&call.arguments) + weigh.around,
            weigh,
            begun: Instant::now(),
            on,
            effects,
            place,
            task: Some(task),
            shown: None,
        }
    }

    /// The same, with its arguments told at its end.
    pub(super) fn showing(mut self, arguments: &str) -> Self {
        self.shown = Some(arguments[..arguments.floor_char_boundary(SHOWN)].to_owned());
        self
    }

    /// Its end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(Option<Effect>, ToolNews)> {
        let Some(task) = &mut self.task else { return Poll::Pending };
        let ended = ready!(Pin::new(task).poll(cx));
        self.task = None;
        let Ended { outcome, tokens, effect } = ended
            .unwrap_or_else(|_| Ended::note(Err(ToolError::Died), &self.effects, self.place, self.weigh));
        Poll::Ready((effect, self.ended(outcome, tokens)))
    }

    /// The caller speaks. What is told of it, if that is its end.
    pub(super) fn interrupt(mut self) -> Option<ToolNews> {
        let is_over = self.task.is_none() || self.on.barge_in == BargeIn::Finish;
        self.leave();
        let told = (self.weigh.text)(&ToolError::cancelled(self.on.reach).to_string());
        (!is_over).then(|| self.ended(Outcome::Cancelled, told))
    }

    fn ended(&self, outcome: Outcome, said: u32) -> ToolNews {
        let (tool, bytes) = (self.tool.clone(), self.bytes);
        let tokens = self.tokens.saturating_add(said).saturating_add(self.weigh.around);
        let (after, arguments) = (self.begun.elapsed(), self.shown.clone());
        ToolNews::Ended { tool, bytes, outcome, after, tokens, arguments }
    }

    fn leave(&mut self) {
        let Some(task) = self.task.take() else { return };
        if self.on.barge_in == BargeIn::Cancel {
            task.abort();
            self.effects.end(self.place, &ToolError::cancelled(self.on.reach).result());
        }
    }
}

/// The session went, with its stage or its call.
impl Drop for Running {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Ended {
    fn note(answer: Result<Answer, ToolError>, effects: &ToolEffects, place: Place, weigh: Weigh) -> Self {
        match answer {
            Ok(Answer { text, effect }) => {
                let text = cut(text);
                let tokens = (weigh.text)(&text);
                effects.end(place, &ToolResult { text, failed: false, undone: false });
                Self { outcome: Outcome::Done, tokens, effect }
            }
            Err(error) => {
                let (outcome, tokens) = (error.outcome(), (weigh.text)(&error.to_string()));
                effects.end(place, &error.result());
                Self { outcome, tokens, effect: None }
            }
        }
    }
}

/// What is too long for a conversation that is sent with each request is cut, and says so.
fn cut(mut text: String) -> String {
    if text.len() > LONGEST_RESULT {
        text.truncate(text.floor_char_boundary(LONGEST_RESULT));
        text += " [cut off here]";
    }
    text
}

/// Bytes of a result that a model is told.
const LONGEST_RESULT: usize = 16 * 1_024;
