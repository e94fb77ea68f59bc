//! The language model's stage of one call.

mod pair;

use crate::error::StageError;
use crate::hedge::AskSecond;
use crate::inbox::{Inbox, Report};
use crate::stages::driver::{AT_ONCE, ExitReason, Inject, Pump, Stage, inject};
use crate::stages::memos::Memos;
use actix::prelude::*;
use pair::{Pair, Told};
use ringway_stages::Expectation;
use ringway_stages::llm::{Cue, LlmEvent, LlmRequest, LlmSession, Next, Role, Said, Weigh};
use ringway_stages::tool_use::{Filler, Outcome, ToolNews};
use ringway_turn::{
    After, CallerTurn, Context as Conversation, Input, Message as TurnMessage, RequestId, Speaker, StageKind,
    ToolFiller, ToolOutcome, tokens,
};
use std::sync::Arc;
use std::task::{self, Poll};

/// Relays one call's requests to its session and the session's text to the router.
pub(crate) struct LlmStage {
    models: Pair,
    /// Those that the running request came with.
    memos: Memos,
    router: Inbox,
    exit_reason: ExitReason,
}

/// What the router asks of it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) enum Ask {
    Reply {
        request: RequestId,
        caller: CallerTurn,
        context: Conversation,
        already: String,
        /// It may be asked a second time.
        keep: bool,
    },
    /// The running reply is wanted for certain.
    Commit,
    Cancel,
}

impl LlmStage {
    pub(crate) fn new(session: Box<dyn LlmSession>, service: Arc<str>, router: Inbox) -> Self {
        let memos = Memos::default();
        let models = Pair::new(session, service);
        Self { models, memos, router, exit_reason: ExitReason::default() }
    }

    fn obey(&mut self, ask: Ask) -> Result<(), StageError> {
        if !matches!(ask, Ask::Commit)
            && let Some(news) = self.models.break_off()
        {
            self.router.report(Report::Hedge(news))?;
        }
        match ask {
            Ask::Reply { request: id, caller, context, already, keep } => {
                self.memos = Memos::read(&context.memo);
                let memo = self.memos.of(self.models.service()).to_owned();
                self.models.reply(request(id, caller, context, memo, already), keep)?;
            }
            Ask::Commit => self.models.commit(),
            Ask::Cancel => self.models.cancel(),
        }
        Ok(())
    }

    fn end(&mut self, error: StageError, ctx: &mut Context<Self>) {
        self.exit_reason.write(error);
        ctx.stop();
    }

    fn relay(&self, event: LlmEvent) -> Result<(), StageError> {
        match event {
            LlmEvent::Text { id, text } => self.tell(Input::Token { request: RequestId::new(id), text }),
            LlmEvent::Tool { id, news } => self.router.report(tool(RequestId::new(id), news)),
            LlmEvent::Call { call, .. } => {
                tracing::warn!(tool = call.name, "the model calls a tool where there are none");
                Ok(())
            }
            LlmEvent::Slots { id, slots } => self.tell(Input::Slots { request: RequestId::new(id), slots }),
            LlmEvent::Usage { tokens, estimated, cached, .. } => {
                let (cache_read, cache_written) = (cached.read, cached.written);
                self.tell(Input::Usage { tokens, estimated, cache_read, cache_written })
            }
            LlmEvent::Done { id, next, memo } => {
                let (after, expectation) = after(next);
                self.router.report(Report::Expect { request: RequestId::new(id), expectation })?;
                let memo = self.memos.with(self.models.service(), memo);
                self.tell(Input::ReplyEnd { request: RequestId::new(id), after, memo })
            }
        }
    }

    fn tell(&self, input: Input) -> Result<(), StageError> {
        self.router.report(Report::Input(input))
    }
}

/// What a tool did, as the turn is told.
pub(crate) fn tool(request: RequestId, news: ToolNews) -> Report {
    Report::Input(match news {
        ToolNews::Began { tool, filler } => {
            let filler = filler.map(|Filler { after, words }| ToolFiller { after, words });
            Input::ToolBegan { request, tool, filler }
        }
        ToolNews::Ended { tool, bytes, outcome, after, tokens, arguments } => {
            let outcome = match outcome {
                Outcome::Done => ToolOutcome::Done,
                Outcome::Failed => ToolOutcome::Failed,
                Outcome::Refused => ToolOutcome::Refused,
                Outcome::Late => ToolOutcome::Late,
                Outcome::Cancelled => ToolOutcome::Cancelled,
            };
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            Input::ToolEnded { request, tool, bytes, outcome, after, tokens, arguments }
        }
        ToolNews::Slot { name, value } => Input::Slot { name, value },
        ToolNews::Keys { keys } => Input::Press { request, keys },
        ToolNews::Cited { passages } => Input::Cited { request, passages },
        ToolNews::Language(language) => return Report::Language(language.code),
    })
}

/// What follows, and what the caller is expected to say then.
pub(crate) fn after(next: Next) -> (After, Expectation) {
    match next {
        Next::Listen(expectation) => (After::Listen { digits: expectation.keys() }, expectation),
        Next::HangUp => (After::HangUp, Expectation::anything()),
        Next::Transfer(to) => (After::Transfer(to.to_string()), Expectation::anything()),
    }
}

fn request(
    request: RequestId,
    caller: CallerTurn,
    context: Conversation,
    memo: String,
    already: String,
) -> LlmRequest {
    let (history, cue) = (history(context.messages), said_by(context.party.as_deref(), cue(caller)));
    LlmRequest {
        summary: context.summary,
        history,
        memo,
        already,
        language: context.language,
        ..LlmRequest::new(request.number(), cue)
    }
}

/// What the caller did, as engines are told.
pub(crate) fn cue(caller: CallerTurn) -> Cue {
    match caller {
        CallerTurn::Joined => Cue::Joined,
        CallerTurn::Said(text) => Cue::Said(text),
        CallerTurn::Pressed(keys) => Cue::Pressed(keys),
        CallerTurn::Silent(count) => Cue::Silent(count),
        CallerTurn::Nothing => Cue::Nothing,
    }
}

/// Words of somebody else than the caller are told with who said them.
fn said_by(party: Option<&str>, cue: Cue) -> Cue {
    match (party, cue) {
        (Some(_), Cue::Said(text)) if !text.is_empty() => Cue::Said(named(party, text)),
        (_, cue) => cue,
    }
}

fn named(party: Option<&str>, text: String) -> String {
    match party {
        Some(party) => format!("{party}: {text}"),
        None => text,
    }
}

/// What was said, as engines are told.
pub(crate) fn history(messages: Vec<TurnMessage>) -> Vec<Said> {
    let said = |message: TurnMessage| Said {
        role: match message.who {
            Speaker::Caller => Role::User,
            Speaker::Bot => Role::Assistant,
        },
        text: named(message.party.as_deref(), message.text),
    };
    messages.into_iter().map(said).collect()
}

/// Models count as the turn does, who keeps the conversation.
pub(crate) fn weigh() -> Weigh {
    Weigh { text: tokens::estimate, around: tokens::AROUND_MESSAGE }
}

impl Stage for LlmStage {
    const KIND: Option<StageKind> = Some(StageKind::Llm);

    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        for _ in 0..AT_ONCE {
            if !self.router.has_room() {
                break;
            }
            let Poll::Ready(told) = self.models.poll(cx) else { return Ok(()) };
            match told? {
                Told::Event(event) => self.relay(event)?,
                Told::Hedge(news) => self.router.report(Report::Hedge(news))?,
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn exit_reason(&self) -> &ExitReason {
        &self.exit_reason
    }
}

impl Actor for LlmStage {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }
}

crate::post::takes_orders!(LlmStage, Ask);

impl Handler<Ask> for LlmStage {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        if let Err(error) = self.obey(ask) {
            self.end(error, ctx);
        }
    }
}

impl Handler<AskSecond> for LlmStage {
    type Result = ();

    fn handle(&mut self, ask: AskSecond, ctx: &mut Self::Context) {
        let memo = self.memos.of(ask.health.service()).to_owned();
        let news = self.models.ask_second(ask, memo);
        if let Err(error) = self.router.report(Report::Hedge(news)) {
            self.end(error, ctx);
        }
    }
}

impl Handler<Inject> for LlmStage {
    type Result = ();

    fn handle(&mut self, Inject(fault): Inject, ctx: &mut Self::Context) {
        inject(self, fault, ctx);
    }
}
