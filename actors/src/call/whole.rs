//! One stage in place of three, and the three in its place when it fails (decision 14).

use super::*;
use crate::engines::THE_THREE;

/// What hears and speaks by itself.
const WHOLE: StageKind = StageKind::SpeechToSpeech;

/// What it stands for.
const THREE: [StageKind; 3] = [StageKind::Stt, StageKind::Llm, StageKind::Tts];

impl Call {
    /// The stages behind the detector: the one, unless the circuits of all its services are open. `by_one`: the
    /// conversation was begun by one, in another process.
    pub(super) fn start_conversation(&mut self, by_one: bool) {
        let service = self.life(WHOLE).chain.serving();
        let asked = match self.core.health.standing(WHOLE, service) {
            Standing::Good | Standing::Doubtful => true,
            Standing::Due => self.core.health.try_it(WHOLE, service),
            Standing::Tried | Standing::Open => false,
        };
        if asked {
            return self.start(WHOLE);
        }
        if service < self.core.engines.s2s.len() {
            self.handed_over(Some(service), None, SwitchCause::Circuit);
        }
        // Where there is none, there is none to come back.
        self.life(WHOLE).gone = true;
        if by_one {
            self.tell_router(StageNews::Gone(WHOLE));
        }
        self.start_three();
    }

    /// From one service to another; `None` means the three.
    pub(super) fn handed_over(&self, from: Option<usize>, to: Option<usize>, cause: SwitchCause) {
        let name = |service| self.core.health.of(WHOLE, service).map(|health| health.service().clone());
        let [from, to] = [from, to].map(|service| service.and_then(name).unwrap_or_else(|| THE_THREE.into()));
        self.events.put(CallEventKind::ServiceSwitched { stage: WHOLE, from, to, cause });
    }

    pub(super) fn start_three(&mut self) {
        for stage in THREE {
            self.start(stage);
        }
    }

    /// Who serves in place of the service that failed: `None` means the three.
    pub(super) fn next_whole(&mut self, cause: SwitchCause) -> Option<usize> {
        let late = self.late || cause == SwitchCause::Died(Cause::Refused);
        let (at, health) = (self.clock().now().since_start(), self.core.health.clone());
        let standing = |service| health.standing(WHOLE, service);
        let chain = &mut self.life(WHOLE).chain;
        match cause {
            SwitchCause::Refused => chain.stood_aside(at, standing),
            _ => chain.gave_way(at, late, standing),
        }
    }

    /// Between two turns the three give the conversation back to a service that does well again.
    pub(super) fn give_back(&mut self) {
        self.late = false;
        if !self.life(WHOLE).gone || self.ended || self.apology.is_some() {
            return;
        }
        let (at, health) = (self.clock().now().since_start(), self.core.health.clone());
        let standing = |service| health.standing(WHOLE, service);
        let Some(to) = self.life(WHOLE).chain.returning(at, standing) else { return };
        if standing(to) == Standing::Due && !health.try_it(WHOLE, to) {
            return;
        }
        for stage in THREE {
            self.drop_child(stage);
            self.tell_router(StageNews::Lost(stage));
        }
        // A caller who speaks just now is heard by it from the beginning.
        self.tell_router(StageNews::Lost(WHOLE));
        let life = self.life(WHOLE);
        life.gone = false;
        life.chain.serve(to);
        self.handed_over(None, Some(to), SwitchCause::Preferred);
        self.start(WHOLE);
    }
}
