//! How the Call is told that a stage has ended, and starts it again later.

use super::*;
use crate::post::send_surely;

impl Call {
    /// Unless the stage is started or taken away by something else meanwhile.
    pub(super) fn start_later(&mut self, stage: StageKind, pause: Duration, call: &Addr<Self>) {
        let (call, generation) = (call.clone(), self.life(stage).generation);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(pause).await;
            send_surely(&call, StartAgain { stage, generation });
        });
    }

    /// Tells this call how the stage of the present generation ended.
    pub(super) fn bury(&mut self, stage: StageKind, call: &Addr<Self>) -> impl FnOnce(Death) + 'static {
        let call = call.clone();
        let life = self.life(stage);
        life.generation += 1;
        let generation = life.generation;
        move |death| {
            send_surely(&call, Ended { stage: Some(stage), generation, death });
        }
    }

    /// A router that ends by itself is a defect of ours.
    pub(crate) fn bury_router(call: &Addr<Self>) -> impl FnOnce(Death) + 'static {
        let call = call.clone();
        move |death| {
            send_surely(&call, Ended { stage: None, generation: 0, death });
        }
    }
}

/// A stage whose ring end was on loan, or whose service had an open circuit for a moment, is tried again.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
struct StartAgain {
    stage: StageKind,
    generation: u32,
}

impl Handler<StartAgain> for Call {
    type Result = ();

    fn handle(&mut self, StartAgain { stage, generation }: StartAgain, ctx: &mut Self::Context) {
        if !self.ended && self.life(stage).generation == generation {
            self.start(stage, &ctx.address());
        }
    }
}

impl Handler<Ended> for Call {
    type Result = ();

    fn handle(&mut self, ended: Ended, ctx: &mut Self::Context) {
        let Some(stage) = ended.stage else { return self.end(EndReason::Internal, ctx) };
        if self.ended || self.life(stage).generation != ended.generation {
            return;
        }
        let (cause, detail) = ended.death.unwrap_or((Cause::Error, "stopped".to_owned()));
        self.died(stage, cause, detail, Instant::now(), &ctx.address());
    }
}
