use super::Config;
use crate::Expectation;
use crate::alarm::Alarm;
use crate::llm::{LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Replies the same to everything, word by word.
#[derive(Clone, Debug)]
pub struct ScriptedLlm {
    reply: Arc<str>,
    delay: Duration,
    token: Duration,
    block: Duration,
}

impl ScriptedLlm {
    /// A language model after this script.
    pub fn new(config: &Config) -> Self {
        Self {
            reply: config.reply.as_str().into(),
            delay: config.llm,
            token: config.token,
            block: config.block,
        }
    }
}

impl LanguageModel for ScriptedLlm {
    fn name(&self) -> &str {
        "scripted"
    }

    fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(Session { script: self.clone(), running: None, alarm: Alarm::default() }))
    }
}

#[derive(Debug)]
struct Session {
    script: ScriptedLlm,
    running: Option<Running>,
    alarm: Alarm,
}

#[derive(Debug)]
struct Running {
    id: u32,
    /// Bytes of the reply that were given.
    at: usize,
    /// When the next word comes.
    due: Instant,
}

impl LlmSession for Session {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        std::thread::sleep(self.script.block);
        let already = self.script.reply.starts_with(&request.already);
        let at = if already { request.already.len() } else { 0 };
        self.running = Some(Running { id: request.id, at, due: Instant::now() + self.script.delay });
        Ok(())
    }

    fn cancel(&mut self) {
        self.running = None;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        let Some(running) = &mut self.running else { return Poll::Pending };
        let id = running.id;
        let Some(word) = self.script.reply[running.at..].split_inclusive(' ').next() else {
            self.running = None;
            let next = Next::Listen(Expectation::anything());
            return Poll::Ready(Ok(LlmEvent::Done { id, next, memo: String::new() }));
        };
        ready!(self.alarm.poll(running.due, cx));
        running.at += word.len();
        running.due += self.script.token;
        Poll::Ready(Ok(LlmEvent::Text { id, text: word.to_owned() }))
    }
}
