use super::answer::{Known, answer};
use super::memo::Memo;
use super::script::Script;
use crate::llm::{LlmError, LlmEvent, LlmRequest, LlmSession};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// One call's dialogue. It keeps nothing but the reply that is on its way.
#[derive(Debug)]
pub(super) struct Session {
    script: Arc<Script>,
    known: Known,
    pace: Duration,
    running: Option<Running>,
    waker: Option<Waker>,
}

impl Session {
    pub(super) fn new(script: Arc<Script>, known: Known, pace: Duration) -> Self {
        Self { script, known, pace, running: None, waker: None }
    }
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        self.running = None;
        let memo = Memo::read(&request.memo, &self.script)?;
        let before = memo.slots.clone();
        let answer = answer(&self.script, &self.known, memo, &request.cue);
        let slots = answer.memo.slots.iter().filter(|(name, value)| before.get(*name) != Some(value));
        let slots: Vec<_> = slots.map(|(name, value)| (name.clone(), value.clone())).collect();
        let done = LlmEvent::Done { id: request.id, next: answer.next, memo: answer.memo.write() };
        let text = go_on(answer.text, &request.already);
        self.running = Some(Running { id: request.id, text, said: 0, slots, done, pause: None });
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Ok(())
    }

    fn cancel(&mut self) {
        self.running = None;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        let Some(running) = &mut self.running else {
            self.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let event = std::task::ready!(running.poll_event(self.pace, cx));
        if matches!(event, LlmEvent::Done { .. }) {
            self.running = None;
        }
        Poll::Ready(Ok(event))
    }
}

/// A reply on its way.
#[derive(Debug)]
struct Running {
    id: u32,
    text: String,
    /// So many bytes are out.
    said: usize,
    /// Those that this reply fills; told before its end.
    slots: Vec<(String, String)>,
    done: LlmEvent,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Running {
    fn poll_event(&mut self, pace: Duration, cx: &mut Context<'_>) -> Poll<LlmEvent> {
        let rest = &self.text[self.said..];
        if rest.is_empty() && !self.slots.is_empty() {
            return Poll::Ready(LlmEvent::Slots { id: self.id, slots: std::mem::take(&mut self.slots) });
        }
        if rest.is_empty() {
            return Poll::Ready(self.done.clone());
        }
        if !pace.is_zero() {
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(pace)));
            std::task::ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let word = rest[..next_word(rest)].to_owned();
        self.said += word.len();
        Poll::Ready(LlmEvent::Text { id: self.id, text: word })
    }
}

/// The length of the first word with the blank before it.
fn next_word(text: &str) -> usize {
    let start = text.len() - text.trim_start().len();
    text[start..].find(' ').map_or(text.len(), |len| start + len)
}

/// What is left of the reply behind its beginning. When another engine began it, in other words, it is said whole.
fn go_on(text: String, already: &str) -> String {
    match text.strip_prefix(already) {
        Some(rest) => rest.to_owned(),
        None if already.ends_with(char::is_whitespace) => text,
        None => format!(" {text}"),
    }
}
