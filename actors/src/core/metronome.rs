//! The 20 ms metronome of a media core: it drives the playout of all its calls against absolute deadlines.

pub use crate::core::tick_broadcast::Beat;

use crate::core::tick_broadcast::TickBroadcast;
use ringway_frame::FRAME;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Calls are spread over so many sub-phases of a frame, so that their sends do not burst.
const PHASES: usize = 4;

/// Ticks of one media core: one every 5 ms, each serving a quarter of the calls.
#[derive(Debug, Default)]
pub struct Metronome {
    phases: [Rc<TickBroadcast>; PHASES],
    every: Rc<TickBroadcast>,
    next_phase: Cell<usize>,
}

impl Metronome {
    /// A beat for one more call, each 20 ms, in the phase whose turn it is.
    pub fn beat(&self) -> Beat {
        let phase = self.next_phase.get();
        self.next_phase.set((phase + 1) % PHASES);
        self.phases[phase].beat()
    }

    /// A beat in every sub-phase (5 ms).
    pub fn fast_beat(&self) -> Beat {
        self.every.beat()
    }

    /// Ticks for ever, telling `observe` how late each tick came.
    pub async fn run(self: Rc<Self>, observe: impl Fn(Duration)) {
        let step = FRAME / PHASES as u32;
        let mut deadline = Instant::now();
        for phase in (0..PHASES).cycle() {
            deadline += step;
            sleep_until(deadline).await;
            let late = deadline.elapsed();
            observe(late);
            self.phases[phase].tick();
            self.every.tick();
            if late > Duration::from_secs(1) {
                deadline = Instant::now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn every_call_hears_one_tick_in_a_frame() {
        let metronome = Rc::new(Metronome::default());
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                tokio::task::spawn_local(metronome.clone().run(|_| {}));
                let mut beats: Vec<_> = (0..8).map(|_| metronome.beat()).collect();
                let start = Instant::now();
                for beat in &mut beats {
                    beat.skip();
                    for _ in 0..50 {
                        poll_fn(|cx| beat.poll_tick(cx)).await;
                    }
                }
                let elapsed = start.elapsed();
                assert!(elapsed >= FRAME * 50 * 8 - FRAME * 8, "{elapsed:?}");
                assert!(elapsed <= FRAME * 50 * 8 + FRAME * 8, "{elapsed:?}");
            })
            .await;
    }
}
