//! The second service for a request to the language model that is later than usual.

use super::*;
use crate::cause::Winner;
use crate::hedge::{AskSecond, Over};
use crate::post::send_surely;
use ringway_turn::RequestId;

const LLM: StageKind = StageKind::Llm;

impl Call {
    /// Finds a second service for the request, and has the stage ask it the same.
    pub(super) fn hedge(&mut self, request: RequestId) {
        if !self.is_running(LLM) || self.second.is_some() {
            return;
        }
        let at = self.clock().now().since_start();
        let standing = |service| self.core.health.standing(LLM, service);
        let Some(second) = self.lives[LLM as usize].chain.second(at, standing) else { return };
        let (Some(health), Some(llm)) = (self.core.health.of(LLM, second), &self.stages.llm) else { return };
        if !self.core.health.may_hedge() {
            tracing::debug!(callId = %self.profile.id, "a twentieth of all requests were asked twice already");
            return;
        }
        let model = self.core.engines.llm[second].clone();
        let ask = AskSecond { request, model, call: self.llm_call(), health: health.clone() };
        send_surely(&llm.addr, ask);
        self.second = Some(second);
    }

    pub(super) fn hedge_over(&mut self, over: Option<Over>) {
        let Some(second) = self.second.take() else { return };
        match over {
            Some(over) => self.one_goes_on(second, over),
            None => self.core.health.did_not_hedge(),
        }
    }

    fn one_goes_on(&mut self, second: usize, Over { winner, failed }: Over) {
        self.events.put_inside(CallEventKind::Hedged { stage: LLM, winner });
        let (at, first) = (self.clock().now().since_start(), self.life(LLM).chain.serving());
        if let Some(detail) = &failed {
            let service = if winner == Winner::Second { first } else { second };
            tracing::warn!(callId = %self.profile.id, stage = ?LLM, service, detail, "one of two services failed");
            self.service_failed(LLM, service, Cause::Error);
            self.life(LLM).chain.failed(service, at);
        }
        if winner == Winner::Second {
            let cause = failed.map_or(SwitchCause::Hedge, |_| SwitchCause::Died(Cause::Error));
            self.life(LLM).chain.serve(second);
            self.switched(LLM, first, second, cause);
        }
    }

    /// The stage ends while two services work for it; of a second one that was as silent as the first, `cause` says so.
    pub(super) fn drop_second(&mut self, cause: Option<Cause>) {
        let Some(second) = self.second.take() else { return };
        self.events.put_inside(CallEventKind::Hedged { stage: LLM, winner: Winner::Neither });
        if let Some(cause) = cause.filter(|cause| matches!(cause, Cause::Late | Cause::Stall)) {
            self.service_failed(LLM, second, cause);
        }
    }
}
