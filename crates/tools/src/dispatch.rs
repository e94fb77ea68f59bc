use super::canonical::canonical;
use super::declared::Declared;
use super::running::{On, Running};
use super::settings::Config;
use super::{Answer, Arguments, BargeIn, Calling, Effect, Reach, ToolError};
use ringway_stages::llm::{LlmRequest, Next, ToolCall, ToolSpec, Weigh};
use ringway_stages::tool_use::{Place, StartedCall, ToolEffects, ToolNews};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

/// Makes the calls of one session.
pub(super) struct Dispatch {
    pub(super) tools: Vec<Declared>,
    pub(super) control: Handle,
    pub(super) effects: ToolEffects,
    pub(super) weigh: Weigh,
    pub(super) config: Config,
}

/// Calls of one round, under way.
#[derive(Default)]
pub(super) struct Round {
    /// Those that run.
    running: Vec<Running>,
    /// All of them, in the model's order.
    pub(super) places: Vec<Place>,
}

impl Dispatch {
    /// What a model is told of its tools.
    pub(super) fn specs(&self) -> Arc<[ToolSpec]> {
        self.tools.iter().map(|tool| tool.spec.clone()).collect()
    }

    /// Whether a model that has asked for so many rounds is refused another one.
    pub(super) fn is_exhausted(&self, rounds: u32) -> bool {
        rounds > self.config.rounds
    }

    /// Begins a round, which is the `number`-th of the reply; `told` hears of each call.
    pub(super) fn begin(
        &self,
        request: &LlmRequest,
        number: u32,
        calls: Vec<ToolCall>,
        mut told: impl FnMut(ToolNews),
    ) -> Round {
        let most = if self.is_exhausted(number) { 0 } else { self.config.calls };
        let checked: Vec<_> =
            calls.into_iter().enumerate().map(|(at, call)| (self.check(&call, at < most), call)).collect();
        let keyed = checked.iter().map(|(check, call)| (call.clone(), check.as_ref().ok().and_then(key)));
        let begun = self.effects.begin(request, keyed.collect());
        let mut round = Round::default();
        for ((check, _), begun) in checked.into_iter().zip(begun) {
            let tool = self.tools.iter().find(|tool| tool.spec.name == begun.call.name);
            let filler = tool.and_then(|tool| tool.manner.filler.clone());
            told(ToolNews::Began { tool: begun.call.name.clone(), filler });
            round.places.push(begun.place);
            round.running.push(self.run(check, &begun));
        }
        round
    }

    /// The tool that is called, and the arguments as it takes them.
    fn check(&self, call: &ToolCall, allowed: bool) -> Result<(&Declared, Arguments), ToolError> {
        let tool = self.tools.iter().find(|tool| tool.spec.name == call.name);
        match tool {
            _ if !allowed => Err(ToolError::TooMany),
            Some(tool) => tool.check(&call.arguments).map(|arguments| (tool, arguments)),
            None => Err(self.unknown(&call.name)),
        }
    }

    /// Makes a call, or waits for the one that does the same.
    fn run(&self, check: Result<(&Declared, Arguments), ToolError>, begun: &StartedCall) -> Running {
        let around = (&self.control, self.weigh);
        let (effects, StartedCall { place, call, joins }) = (&self.effects, begun);
        let (manner, calling) = match (check, joins) {
            (Err(error), _) => (On { reach: Reach::Call, barge_in: BargeIn::default() }, Err(error)),
            // Whoever does it decides what becomes of it.
            (Ok(_), Some(first)) => {
                (On { reach: Reach::Call, barge_in: BargeIn::Finish }, Ok(joined(effects.clone(), *first)))
            }
            (Ok((tool, arguments)), None) => {
                let on = On { reach: tool.reach(), barge_in: tool.manner.on_barge_in };
                (on, Ok(tool.call(arguments, effects.slots())))
            }
        };
        let running = Running::begin(around, (call, manner), (effects.clone(), *place), calling);
        if self.config.show_arguments { running.showing(&call.arguments) } else { running }
    }

    /// Looks after a round: what tools want of the call is done or noted in `next`. `true` when all of it is over.
    pub(super) fn watch(
        &self,
        round: &mut Round,
        cx: &mut Context<'_>,
        next: &mut Option<Next>,
        mut told: impl FnMut(ToolNews),
    ) -> bool {
        round.running.retain_mut(|call| match call.poll(cx) {
            Poll::Pending => true,
            Poll::Ready((effect, ended)) => {
                told(ended);
                match effect {
                    None => {}
                    Some(Effect::HangUp) => *next = Some(Next::HangUp),
                    Some(Effect::Transfer(to)) => *next = Some(Next::Transfer(to)),
                    Some(Effect::Slot(name, value)) => {
                        self.effects.set_slot(name.clone(), value.clone());
                        told(ToolNews::Slot { name, value });
                    }
                    Some(Effect::Language(language)) => told(ToolNews::Language(language)),
                    Some(Effect::Keys(keys)) => told(ToolNews::Keys { keys }),
                    Some(Effect::Cited(passages)) => told(ToolNews::Cited { passages }),
                }
                false
            }
        });
        round.running.is_empty()
    }

    fn unknown(&self, name: &str) -> ToolError {
        let known = self.tools.iter().map(|tool| tool.spec.name.as_str()).collect::<Vec<_>>().join(", ");
        ToolError::Unknown { name: name.to_owned(), known }
    }
}

/// What the call says that does the same.
fn joined(effects: ToolEffects, first: Place) -> Calling {
    Box::pin(async move {
        match effects.wait(first).await {
            Some((text, false)) => Ok(Answer::text(text)),
            Some((text, true)) => Err(ToolError::Said(text)),
            None => Err(ToolError::Died),
        }
    })
}

/// By what a call is known again; those that only do something to this call are made each time.
fn key((tool, arguments): &(&Declared, Arguments)) -> Option<String> {
    (tool.reach() != Reach::Call).then(|| canonical(&tool.spec.name, arguments))
}

impl Round {
    /// The caller speaks: what is told of the calls that this ends.
    pub(super) fn interrupt(self) -> impl Iterator<Item = ToolNews> {
        self.running.into_iter().filter_map(Running::interrupt)
    }
}
