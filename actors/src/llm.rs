//! The language model's stage of one call.

use crate::inbox::{Inbox, Report};
use crate::stage::{Inject, Obituary, Pump, Stage, StageError, inject};
use actix::prelude::*;
use ringway_stages::Expectation;
use ringway_stages::llm::{Cue, LlmEvent, LlmRequest, LlmSession, Next, Role, Said};
use ringway_turn::{
    After, CallerTurn, Context as Conversation, Input, Memo, Message as TurnMessage, RequestId, Speaker,
    StageKind,
};
use std::task::{self, Poll};

/// Relays one call's requests to its session and the session's text to the router.
pub(crate) struct LlmStage {
    session: Box<dyn LlmSession>,
    router: Inbox,
    obituary: Obituary,
}

/// What the router asks of it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) enum Ask {
    Reply { request: RequestId, caller: CallerTurn, context: Conversation, already: String },
    Cancel,
}

impl LlmStage {
    pub(crate) fn new(session: Box<dyn LlmSession>, router: Inbox) -> Self {
        Self { session, router, obituary: Obituary::default() }
    }

    fn relay(&self, event: LlmEvent) -> Result<(), StageError> {
        match event {
            LlmEvent::Text { id, text } => self.tell(Input::Token { request: RequestId::new(id), text }),
            LlmEvent::Done { id, next, memo } => {
                let (after, expectation) = split(next);
                self.router.report(Report::Expect { request: RequestId::new(id), expectation })?;
                self.tell(Input::ReplyEnd { request: RequestId::new(id), after, memo: Memo(memo) })
            }
        }
    }

    fn tell(&self, input: Input) -> Result<(), StageError> {
        self.router.report(Report::Input(input))
    }
}

fn split(next: Next) -> (After, Expectation) {
    match next {
        Next::Listen(expectation) => (After::Listen { digits: expectation.keys() }, expectation),
        Next::HangUp => (After::HangUp, Expectation::anything()),
        Next::Transfer(to) => (After::Transfer(to), Expectation::anything()),
    }
}

fn request(request: RequestId, caller: CallerTurn, context: Conversation, already: String) -> LlmRequest {
    let (cue, history) = (cue(caller), history(context.messages));
    LlmRequest { id: request.number(), cue, history, memo: context.memo.0, already }
}

/// What the caller did, as engines are told.
pub(crate) fn cue(caller: CallerTurn) -> Cue {
    match caller {
        CallerTurn::Joined => Cue::Joined,
        CallerTurn::Said(text) => Cue::Said(text),
        CallerTurn::Pressed(keys) => Cue::Pressed(keys),
        CallerTurn::Silent(count) => Cue::Silent(count),
    }
}

/// What was said, as engines are told.
pub(crate) fn history(messages: Vec<TurnMessage>) -> Vec<Said> {
    let said = |message: TurnMessage| Said {
        role: match message.who {
            Speaker::Caller => Role::User,
            Speaker::Bot => Role::Assistant,
        },
        text: message.text,
    };
    messages.into_iter().map(said).collect()
}

impl Stage for LlmStage {
    const KIND: Option<StageKind> = Some(StageKind::Llm);

    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        while let Poll::Ready(event) = self.session.poll_event(cx) {
            self.relay(event?)?;
        }
        Ok(())
    }

    fn obituary(&self) -> &Obituary {
        &self.obituary
    }
}

impl Actor for LlmStage {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }
}

impl Handler<Ask> for LlmStage {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        let done = match ask {
            Ask::Reply { request: id, caller, context, already } => {
                self.session.reply(request(id, caller, context, already))
            }
            Ask::Cancel => {
                self.session.cancel();
                Ok(())
            }
        };
        if let Err(error) = done {
            self.obituary.write(error.into());
            ctx.stop();
        }
    }
}

impl Handler<Inject> for LlmStage {
    type Result = ();

    fn handle(&mut self, Inject(fault): Inject, ctx: &mut Self::Context) {
        inject(self, fault, ctx);
    }
}
