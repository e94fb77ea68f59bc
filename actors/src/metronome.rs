//! The 20 ms metronome of a media core: it drives the playout of all its calls against absolute deadlines.

use ringway_frame::FRAME;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Calls are spread over so many sub-phases of a frame, so that their sends do not burst.
const PHASES: usize = 4;

/// Ticks of one media core: one every 5 ms, each serving a quarter of the calls.
#[derive(Debug, Default)]
pub struct Metronome {
    ticks: [Cell<u64>; PHASES],
    waiting: [RefCell<Vec<Waker>>; PHASES],
    every: RefCell<Vec<Waker>>,
    subticks: Cell<u64>,
    next_phase: Cell<usize>,
}

/// A call's place in the metronome's bar.
#[derive(Debug)]
pub struct Beat {
    metronome: Rc<Metronome>,
    phase: usize,
    seen: u64,
}

impl Metronome {
    /// A beat for one more call, in the phase whose turn it is.
    pub fn beat(self: &Rc<Self>) -> Beat {
        let phase = self.next_phase.get();
        self.next_phase.set((phase + 1) % PHASES);
        Beat { metronome: self.clone(), phase, seen: self.ticks[phase].get() }
    }

    /// Ready once in each sub-phase (5 ms) after the one numbered `seen`.
    pub fn poll_subtick(&self, seen: &mut u64, cx: &mut Context<'_>) -> Poll<()> {
        if self.subticks.get() != *seen {
            *seen = self.subticks.get();
            return Poll::Ready(());
        }
        register(&self.every, cx.waker());
        Poll::Pending
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
            self.tick(phase);
            if late > Duration::from_secs(1) {
                deadline = Instant::now();
            }
        }
    }

    fn tick(&self, phase: usize) {
        self.ticks[phase].set(self.ticks[phase].get() + 1);
        self.subticks.set(self.subticks.get() + 1);
        self.waiting[phase].borrow_mut().drain(..).for_each(Waker::wake);
        self.every.borrow_mut().drain(..).for_each(Waker::wake);
    }
}

impl Beat {
    /// Ready once in each 20 ms; ticks that were not awaited do not pile up.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.metronome.ticks[self.phase].get();
        if now != self.seen {
            self.seen = now;
            return Poll::Ready(());
        }
        register(&self.metronome.waiting[self.phase], cx.waker());
        Poll::Pending
    }

    /// Forgets the ticks that passed while nothing was played.
    pub fn skip(&mut self) {
        self.seen = self.metronome.ticks[self.phase].get();
    }
}

fn register(waiting: &RefCell<Vec<Waker>>, waker: &Waker) {
    let mut waiting = waiting.borrow_mut();
    if !waiting.iter().any(|known| known.will_wake(waker)) {
        waiting.push(waker.clone());
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
