//! Requests to the language model that may be asked a second time.

use super::*;
use crate::hedge::HedgeNews;

impl Router {
    /// Counts a request, and remembers to tell the turn how long such ones usually take; whether that is known.
    ///
    /// A greeting is left out: a model may have it cached, so that what is known of others says nothing of it.
    pub(super) fn may_hedge(&mut self, request: RequestId, caller: &CallerTurn) -> bool {
        if !self.turn.hedges() {
            return false;
        }
        self.health.count_request();
        let known = self.stages.times.llm.usual(self.health.now());
        let within = known.filter(|_| *caller != CallerTurn::Joined);
        self.usual = within.map(|within| Input::Usually { request, within });
        self.usual.is_some()
    }

    pub(super) fn hedge_news(&mut self, news: HedgeNews) {
        let now = self.clock.now();
        match news {
            HedgeNews::Asked { request, second } => {
                self.stages.times.asked_again(second, now);
                // Both are waited for from now on.
                self.stages.watches.llm.progress();
                self.feed(Input::Hedged { request });
            }
            HedgeNews::NotAsked => self.tell_call(Order::HedgeOver(None)),
            HedgeNews::Over(over) => {
                self.stages.times.hedge_over(&over, now, self.health.now());
                self.tell_call(Order::HedgeOver(Some(over)));
            }
        }
    }
}
