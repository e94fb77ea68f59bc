use super::declared::Declared;
use super::deeds::{Deeds, Place};
use super::running::Running;
use super::toolbox::Config;
use super::{Effect, Manner, ToolError, ToolNews};
use crate::llm::{LlmRequest, Next, ToolCall, ToolSpec, Weigh};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

/// Makes the calls of one session.
pub(super) struct Dispatch {
    pub(super) tools: Vec<Declared>,
    pub(super) control: Handle,
    pub(super) deeds: Deeds,
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
        let mut round = Round::default();
        for (index, (place, call)) in self.deeds.begin(request, calls).into_iter().enumerate() {
            let tool = self.tools.iter().find(|tool| tool.spec.name == call.name);
            let calling = match tool {
                _ if self.is_exhausted(number) || index >= self.config.calls => Err(ToolError::TooMany),
                Some(tool) => tool.call(&call.arguments, self.deeds.slots()),
                None => Err(self.unknown(&call.name)),
            };
            let manner = tool.map_or_else(Manner::default, |tool| tool.manner.clone());
            told(ToolNews::Began { tool: call.name.clone(), filler: manner.filler.clone() });
            let deeds = (self.deeds.clone(), place);
            let around = (&self.control, self.weigh);
            round.running.push(Running::begin(around, (&call, &manner), deeds, calling));
            round.places.push(place);
        }
        round
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
                    Some(Effect::Slot(name, value)) => self.deeds.set_slot(name, value),
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

impl Round {
    /// The caller speaks: what is told of the calls that this ends.
    pub(super) fn interrupt(self) -> impl Iterator<Item = ToolNews> {
        self.running.into_iter().filter_map(Running::interrupt)
    }
}
