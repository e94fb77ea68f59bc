//! What the router wants of the supervisor.

use super::*;
use crate::post::Stuck;

impl Call {
    /// Goes to the service that is preferred, if that does well again or is due for a try.
    fn prefer(&mut self, stage: StageKind, call: &Addr<Self>) {
        let chain = &self.lives[stage as usize].chain;
        if !chain.has_others() || !self.is_running(stage) {
            return;
        }
        let (at, health, from) = (self.clock().now().since_start(), &self.core.health, chain.serving());
        let Some(to) = chain.preferred(at, |service| health.standing(stage, service)) else { return };
        if health.standing(stage, to) == Standing::Due && !health.try_it(stage, to) {
            return;
        }
        self.life(stage).chain.serve(to);
        self.switched(stage, from, to, if to < from { SwitchCause::Preferred } else { SwitchCause::Circuit });
        self.drop_child(stage);
        self.tell_router(StageNews::Lost(stage));
        self.start(stage, call);
    }
}

impl Handler<Hurry> for Call {
    type Result = ();

    fn handle(&mut self, Hurry(stage): Hurry, ctx: &mut Self::Context) {
        self.hurry(stage, &ctx.address());
    }
}

impl Handler<Overrun> for Call {
    type Result = ();

    fn handle(&mut self, Overrun(stage): Overrun, ctx: &mut Self::Context) {
        if self.is_running(stage) {
            self.died(stage, Cause::Stall, Stuck.to_string(), Instant::now(), &ctx.address());
        }
    }
}

impl Handler<BetweenTurns> for Call {
    type Result = ();

    fn handle(&mut self, BetweenTurns(stage): BetweenTurns, ctx: &mut Self::Context) {
        if stage == StageKind::SpeechToSpeech {
            self.give_back(&ctx.address());
        }
        self.prefer(stage, &ctx.address());
    }
}

impl Handler<Apologise> for Call {
    type Result = ();

    /// Needs no engine: the voice's stage is rebuilt with one that only recites what is in memory.
    fn handle(&mut self, Apologise(epoch): Apologise, ctx: &mut Self::Context) {
        self.drop_child(StageKind::Tts);
        if self.stages.s2s.is_some() {
            self.drop_child(StageKind::SpeechToSpeech);
        }
        self.apology = Some(epoch);
        self.start(StageKind::Tts, &ctx.address());
    }
}
