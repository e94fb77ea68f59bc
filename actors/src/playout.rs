//! Paced sending of the bot's audio, without a socket: what is due now, and what the caller has heard.

use ringway_frame::{Epoch, FRAME, Frame, MediaTime};
use ringway_ring::{EpochGate, Reader, Verdict};
use std::time::Duration;

/// The bot's audio on its way to one caller.
///
/// Sending runs [`lead`](crate::PlayoutConfig::lead) ahead of the listener. What has been heard is dated by the clock
/// from the first frame of a run on, held back by the marks that a carrier has not returned yet.
#[derive(Debug)]
pub struct Playout {
    voice: Reader,
    gate: EpochGate,
    lead: Duration,
    frame: Frame,
    epoch: Epoch,
    sent: u32,
    run: Option<Run>,
    heard: u32,
    reported: u32,
    mark: Option<u32>,
    paused: bool,
}

/// Frames sent without a break.
#[derive(Clone, Copy, Debug)]
struct Run {
    began: MediaTime,
    first: u32,
}

/// The caller has heard the first `frames` frames of `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// The bot's utterance.
    pub epoch: Epoch,
    /// How much of it.
    pub frames: u32,
}

impl Playout {
    /// Reads frames of the epochs that `gate` lets through.
    pub fn new(voice: Reader, gate: EpochGate, lead: Duration, silence: Frame) -> Self {
        Self {
            voice,
            gate,
            lead,
            frame: silence,
            epoch: Epoch::ZERO,
            sent: 0,
            run: None,
            heard: 0,
            reported: 0,
            mark: None,
            paused: false,
        }
    }

    /// Stops for a moment, losing nothing.
    pub fn pause(&mut self, now: MediaTime) {
        self.settle(now);
        self.paused = true;
    }

    /// Goes on where it paused.
    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// Drops what has become void, and returns what of it was heard.
    pub fn clear(&mut self, now: MediaTime) -> Played {
        self.settle(now);
        let played = Played { epoch: self.epoch, frames: self.heard };
        self.paused = false;
        self.run = None;
        self.drop_void();
        played
    }

    /// There may be something to send, now or at a later tick.
    pub fn is_playing(&self) -> bool {
        // While it pauses, what was sent ahead is still being heard.
        self.run.is_some() || (!self.paused && self.is_released())
    }

    /// Nothing more is there to be sent at the moment.
    pub fn is_drained(&self) -> bool {
        !self.is_released()
    }

    /// Waits for frames while nothing plays.
    pub fn poll_frames(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        if self.paused || self.verdict() == Some(Verdict::Wait) || self.voice.is_closed() {
            return std::task::Poll::Pending;
        }
        self.voice.poll_ready(cx).map(|_| ())
    }

    /// The next frame if one is due, with its number within its epoch; call until `None`.
    pub fn next_due(&mut self, now: MediaTime) -> Option<(&Frame, u32)> {
        if self.paused || !self.is_due(now) || !self.pop() {
            return None;
        }
        if self.run.is_none() {
            self.run = Some(Run { began: now, first: self.sent });
        }
        self.sent += 1;
        Some((&self.frame, self.sent))
    }

    /// What the caller has heard, if that is news; ends a run when all of it was heard.
    pub fn report(&mut self, now: MediaTime) -> Option<Played> {
        self.settle(now);
        if self.heard == self.sent {
            self.run = None;
        }
        if self.heard == self.reported {
            return None;
        }
        self.reported = self.heard;
        Some(Played { epoch: self.epoch, frames: self.heard })
    }

    /// The carrier will return a mark once it has played the first `frames` frames of this epoch.
    pub fn expect_mark(&mut self, frames: u32) {
        self.mark = self.mark.or(Some(frames));
    }

    /// The carrier has returned the mark at `frames` of `epoch`; `next` is the oldest one still out.
    pub fn marked(&mut self, epoch: Epoch, frames: u32, next: Option<u32>, now: MediaTime) {
        if epoch != self.epoch {
            return;
        }
        self.mark = next;
        self.heard = self.heard.max(frames.min(self.sent));
        if let Some(run) = &mut self.run {
            *run = Run { began: now, first: frames };
        }
    }

    /// The next frame may be heard.
    fn is_released(&self) -> bool {
        self.verdict() == Some(Verdict::Play)
    }

    fn is_due(&self, now: MediaTime) -> bool {
        match self.run {
            None => true,
            Some(run) => now + self.lead >= run.began + FRAME * (self.sent - run.first.min(self.sent)),
        }
    }

    /// Takes the next frame that may be heard out of the ring.
    fn pop(&mut self) -> bool {
        self.drop_void();
        if !self.is_released() || self.voice.pop(&mut self.frame).is_err() {
            return false;
        }
        if self.frame.epoch != self.epoch {
            self.begin(self.frame.epoch);
        }
        true
    }

    fn begin(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        (self.sent, self.heard, self.reported) = (0, 0, 0);
        (self.run, self.mark) = (None, None);
    }

    /// Frames of voided epochs must not fill the ring while nothing plays.
    fn drop_void(&mut self) {
        while self.verdict() == Some(Verdict::Void) {
            self.voice.skip(1);
        }
    }

    fn verdict(&self) -> Option<Verdict> {
        self.voice.next_epoch().map(|epoch| self.gate.verdict(epoch))
    }

    fn settle(&mut self, now: MediaTime) {
        if let Some(run) = self.run {
            let elapsed = (now.since(run.began).as_millis() / FRAME.as_millis()) as u32;
            let by_clock = run.first + elapsed;
            let marked = self.mark.filter(|_| by_clock < self.sent + MARK_PATIENCE);
            self.heard = self.heard.max(by_clock.min(marked.unwrap_or(self.sent)).min(self.sent));
        }
    }
}

/// Frames after the end of a run at which a carrier that returns no mark is not waited for any more (2 s).
const MARK_PATIENCE: u32 = 100;
