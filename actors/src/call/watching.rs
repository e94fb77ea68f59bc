//! Looks at how the stages do, now and then.

use super::watchdog::WATCH_IDLE_EVERY;
use super::*;
use crate::post::send_surely;
use crate::stages::driver::Rest;

impl Call {
    /// Looks how the stages do, and says when it looks again.
    pub(super) fn look(&mut self) {
        self.watch();
        self.looks.after(if self.rings.is_idle() { WATCH_IDLE_EVERY } else { WATCH_EVERY });
    }

    fn watch(&mut self) {
        if let Some(mut report) = self.rings.report_rings() {
            report.legs_dropped = self.others.take_dropped();
            self.events.put_inside(CallEventKind::Rings(report));
            if self.rings.fell_idle() {
                self.rest();
            }
        }
        self.look_at_detector();
        while let Some((stage, since)) = self.watchdog.stuck() {
            let detail = format!("no progress for {} ms", since.elapsed().as_millis());
            self.watchdog.forgive(stage);
            if !self.life(stage).gone {
                self.died(stage, Cause::Stall, detail, since);
            }
        }
    }

    /// While the core's detector is away its stages wait and are not to blame, and silence proves nothing.
    fn look_at_detector(&mut self) {
        let deaf = self.core.vad.is_building();
        if deaf {
            self.watchdog.forgive(StageKind::Vad);
        }
        if std::mem::replace(&mut self.deaf, deaf) != deaf {
            self.tell_router(if deaf { StageNews::Lost(StageKind::Vad) } else { StageNews::Vad });
        }
    }

    /// An idle call costs no rings: those who write to them give their memory back, as the edge does with *mic*.
    fn rest(&self) {
        // First the one that holds frames of *speech*, then the one that gives their memory back.
        self.stages.stt.iter().for_each(|stt| send_surely(&stt.addr, Rest));
        self.stages.s2s.iter().for_each(|s2s| send_surely(&s2s.addr, Rest));
        self.stages.vad.iter().for_each(|vad| send_surely(&vad.addr, Rest));
        self.stages.tts.iter().for_each(|tts| send_surely(&tts.addr, Rest));
        tracing::debug!(callId = %self.profile.id, "idle");
    }
}
