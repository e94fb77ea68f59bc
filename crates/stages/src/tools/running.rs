use super::deeds::{Deeds, Place};
use super::{Answer, BargeIn, Calling, Effect, Manner, Outcome, ToolError, ToolNews};
use crate::llm::ToolCall;
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
    begun: Instant,
    on_barge_in: BargeIn,
    deeds: Deeds,
    place: Place,
    task: Option<JoinHandle<Ended>>,
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct Ended {
    outcome: Outcome,
    pub(super) effect: Option<Effect>,
}

impl Running {
    /// Begins; the result finds its place among the deeds by itself, whoever waits for it.
    pub(super) fn begin(
        control: &Handle,
        (call, manner): (&ToolCall, &Manner),
        (deeds, place): (Deeds, Place),
        calling: Result<Calling, ToolError>,
    ) -> Self {
        let noted = deeds.clone();
        let task = control.spawn(async move {
            let answer = match calling {
                Ok(calling) => calling.await,
                Err(error) => Err(error),
            };
            Ended::note(answer, &noted, place)
        });
        Self {
            tool: call.name.clone(),
            bytes: call.arguments.len(),
            begun: Instant::now(),
            on_barge_in: manner.on_barge_in,
            deeds,
            place,
            task: Some(task),
        }
    }

    /// Its end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(Option<Effect>, ToolNews)> {
        let Some(task) = &mut self.task else { return Poll::Pending };
        let ended = ready!(Pin::new(task).poll(cx));
        self.task = None;
        let Ended { outcome, effect } =
            ended.unwrap_or_else(|_| Ended::note(Err(ToolError::Died), &self.deeds, self.place));
        Poll::Ready((effect, self.ended(outcome)))
    }

    /// The caller speaks. What is told of it, if that is its end.
    pub(super) fn interrupt(mut self) -> Option<ToolNews> {
        let is_over = self.task.is_none() || self.on_barge_in == BargeIn::Finish;
        self.leave();
        (!is_over).then(|| self.ended(Outcome::Cancelled))
    }

    fn ended(&self, outcome: Outcome) -> ToolNews {
        ToolNews::Ended { tool: self.tool.clone(), bytes: self.bytes, outcome, after: self.begun.elapsed() }
    }

    fn leave(&mut self) {
        let Some(task) = self.task.take() else { return };
        if self.on_barge_in == BargeIn::Cancel {
            task.abort();
            self.deeds.end(self.place, &Err(ToolError::Cancelled));
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
    fn note(answer: Result<Answer, ToolError>, deeds: &Deeds, place: Place) -> Self {
        match answer {
            Ok(Answer { text, effect }) => {
                deeds.end(place, &Ok(cut(text)));
                Self { outcome: Outcome::Done, effect }
            }
            Err(error) => {
                let outcome = error.outcome();
                deeds.end(place, &Err(error));
                Self { outcome, effect: None }
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
