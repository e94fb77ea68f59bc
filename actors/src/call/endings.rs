//! How the Call is told that a stage has ended, and starts it again later.

use super::*;
use crate::error::Death;
use crate::orders::{Ended, Order, Stuck};

impl Call {
    /// Unless the stage is started or taken away by something else meanwhile.
    pub(super) fn start_later(&mut self, stage: StageKind, pause: Duration) {
        self.life(stage).again.after(pause);
    }

    /// Tells this call how the stage of the present generation ended.
    pub(super) fn on_exit(&mut self, stage: StageKind) -> Result<impl FnOnce(Death) + 'static, Stuck> {
        let permit = self.orders.permit()?;
        let life = self.life(stage);
        life.again.stop();
        life.generation += 1;
        let generation = life.generation;
        Ok(move |death| permit.put(Order::Ended(Ended { stage: Some(stage), generation, death })))
    }

    pub(super) fn ended(&mut self, Ended { stage, generation, death }: Ended) {
        // A router that ends by itself is a defect of ours.
        let Some(stage) = stage else { return self.end(EndReason::Internal) };
        if self.life(stage).generation == generation {
            let (cause, detail) = death.unwrap_or((Cause::Error, "stopped".to_owned()));
            self.died(stage, cause, detail, Instant::now());
        }
    }
}
