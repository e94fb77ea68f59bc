//! Paced sending of the bot's audio, without a socket: what is due now, and what the caller has heard.

use crate::leg::tap::TapEnd;
use ringway_frame::{Epoch, FRAME, Frame, MediaTime};
use ringway_ring::{EpochGate, Lent, ReplayReader, Verdict};
use std::time::Duration;

/// The bot's audio on its way to one caller.
///
/// Sending runs [`lead`](crate::PlayoutConfig::lead) ahead of the listener, by the clock alone. What has been heard is
/// dated by the clock from the first frame of a run on, or from the last mark that a carrier returned, held back by
/// those that it has not returned yet. What was sent stays in *voice* until it was heard: a leg that loses its network goes
/// on where the ear was.
#[derive(Debug)]
pub struct Playout {
    voice: Lent<ReplayReader>,
    gate: EpochGate,
    lead: Duration,
    frame: Frame,
    epoch: Epoch,
    /// Where reading of this epoch began: 0, or behind what was heard before.
    first: u32,
    /// Frames of older epochs that were sent and may not have been heard.
    older: usize,
    sent: u32,
    run: Option<Run>,
    /// The latest that is known of how far the listener is.
    listener: Option<Run>,
    heard: u32,
    /// When the last frame was over that was heard.
    ear: MediaTime,
    reported: u32,
    mark: Option<u32>,
    paused: bool,
    tap: Option<Tapped>,
}

/// A tap, and when the last frame was over that it was passed.
#[derive(Debug)]
struct Tapped {
    end: TapEnd,
    until: MediaTime,
    frame: Frame,
}

/// Frames that follow one another by 20 ms from here on.
#[derive(Clone, Copy, Debug)]
struct Run {
    began: MediaTime,
    first: u32,
}

/// What a clear did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// What was heard before it.
    pub played: Played,
    /// The peer may still hold audio that it has not played.
    pub unheard: bool,
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
    pub fn new(voice: Lent<ReplayReader>, gate: EpochGate, lead: Duration, silence: Frame) -> Self {
        Self {
            voice,
            gate,
            lead,
            frame: silence,
            epoch: Epoch::ZERO,
            first: 0,
            older: 0,
            sent: 0,
            run: None,
            listener: None,
            heard: 0,
            ear: MediaTime::ZERO,
            reported: 0,
            mark: None,
            paused: false,
            tap: None,
        }
    }

    /// Passes what is heard on to this tap as well.
    pub(crate) fn tapped(mut self, tap: Option<TapEnd>) -> Self {
        self.tap = tap.map(|end| Tapped { end, until: MediaTime::ZERO, frame: self.frame });
        self
    }

    /// Sending runs ahead by so much from now on.
    pub fn lead_by(&mut self, lead: Duration) {
        self.lead = lead;
    }

    /// More was sent than is due by now.
    pub fn is_ahead(&self, now: MediaTime) -> bool {
        self.run.is_some() && !self.is_due(now)
    }

    /// Stops for a moment, losing nothing.
    pub fn pause(&mut self, now: MediaTime) {
        self.settle(now);
        self.paused = true;
    }

    /// It sends nothing until it is told to go on.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Goes on where it paused.
    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// The network is gone: stops where the ear is. What was sent and not heard is sent again, to the next transport.
    pub fn detach(&mut self, now: MediaTime) -> Option<Played> {
        let played = self.report_all(now);
        self.commit();
        if let Ok(voice) = self.voice.get_mut() {
            voice.rewind();
        }
        (self.run, self.listener, self.mark) = (None, None, None);
        self.sent = self.heard;
        played
    }

    /// Drops what has become void, and returns what of it was heard.
    pub fn clear(&mut self, now: MediaTime) -> Cleared {
        self.settle(now);
        let played = Played { epoch: self.epoch, frames: self.heard };
        // A network that is slower than our clock may hold what should have been heard in a pause.
        let unheard = self.paused || self.sent > self.heard;
        self.paused = false;
        (self.run, self.listener) = (None, None);
        self.commit();
        self.sent = self.heard;
        if let Ok(voice) = self.voice.get_mut() {
            voice.skip(0);
        }
        self.drop_void();
        Cleared { played, unheard }
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
        let over = self.voice.get_mut().map_or(true, |voice| voice.is_closed());
        if self.paused || over || self.verdict() == Some(Verdict::Wait) {
            return std::task::Poll::Pending;
        }
        self.voice.poll_with(cx, ReplayReader::poll_ready).map(drop)
    }

    /// The next frame if one is due, with its number within its epoch; call until `None`.
    pub fn next_due(&mut self, now: MediaTime) -> Option<(&Frame, u32)> {
        if self.paused || !self.is_due(now) || !self.pop() {
            return None;
        }
        if self.run.is_none() {
            let run = Run { began: now, first: self.sent };
            (self.run, self.listener) = (Some(run), Some(run));
        }
        self.sent = self.frame.sequence + 1;
        Some((&self.frame, self.sent))
    }

    /// What the caller has heard, if that is news: each 100 ms, and all of it at the end of a run and in a pause.
    pub fn report(&mut self, now: MediaTime) -> Option<Played> {
        self.settle(now);
        let all = self.heard == self.sent;
        if all {
            (self.run, self.listener) = (None, None);
        }
        let news = self.heard - self.reported;
        if news == 0 || (news < REPORT_EVERY && !all && !self.paused) {
            return None;
        }
        self.commit();
        Some(self.told())
    }

    /// The same, however little it is.
    fn report_all(&mut self, now: MediaTime) -> Option<Played> {
        self.settle(now);
        (self.heard > self.reported).then(|| self.told())
    }

    fn told(&mut self) -> Played {
        self.reported = self.heard;
        Played { epoch: self.epoch, frames: self.heard }
    }

    /// What was heard by now needs not be sent again, and is passed to whoever has tapped the leg.
    fn commit(&mut self) {
        if self.heard > self.first {
            self.older = 0;
        }
        let kept = (self.sent - self.heard) as usize + self.older;
        let Ok(voice) = self.voice.get_mut() else { return };
        let heard = voice.uncommitted().saturating_sub(kept);
        if let Some(tap) = &mut self.tap {
            tap.pass(voice, heard, self.ear);
        }
        voice.commit(heard);
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
        if let Some(listener) = &mut self.listener {
            *listener = Run { began: now, first: frames };
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
        match self.verdict() {
            Some(Verdict::Play) => {}
            Some(Verdict::Void) => {
                self.drop_void();
                if !self.is_released() {
                    return false;
                }
            }
            Some(Verdict::Wait) | None => return false,
        }
        let Ok(voice) = self.voice.get_mut() else { return false };
        if voice.read(&mut self.frame).is_err() {
            return false;
        }
        if self.frame.epoch != self.epoch {
            self.older = voice.uncommitted().saturating_sub(1);
            self.begin();
        }
        true
    }

    /// The epoch of the present frame begins, or goes on behind what was heard of it before.
    fn begin(&mut self) {
        self.epoch = self.frame.epoch;
        let first = self.frame.sequence;
        (self.first, self.sent, self.heard, self.reported) = (first, first, first, first);
        (self.run, self.listener, self.mark) = (None, None, None);
    }

    /// Frames of voided epochs must not fill the ring while nothing plays.
    fn drop_void(&mut self) {
        while self.verdict() == Some(Verdict::Void) {
            let Ok(voice) = self.voice.get_mut() else { return };
            voice.skip(1);
        }
    }

    fn verdict(&self) -> Option<Verdict> {
        self.voice.get().ok()?.next_epoch().map(|epoch| self.gate.verdict(epoch))
    }

    fn settle(&mut self, now: MediaTime) {
        if let Some(listener) = self.listener {
            let elapsed = (now.since(listener.began).as_millis() / FRAME.as_millis()) as u32;
            let by_clock = listener.first + elapsed;
            let marked = self.mark.filter(|_| by_clock < self.sent + MARK_PATIENCE);
            self.heard = self.heard.max(by_clock.min(marked.unwrap_or(self.sent)).min(self.sent));
            self.ear = listener.began + FRAME * (self.heard - listener.first.min(self.heard));
        }
    }
}

impl Tapped {
    /// The oldest frames of these were heard; the last of them was over at `ear`.
    fn pass(&mut self, voice: &ReplayReader, heard: usize, ear: MediaTime) {
        let frames = u32::try_from(heard).unwrap_or(u32::MAX);
        let mut at = self.until.max(ear.saturating_sub(FRAME * frames));
        for index in 0..heard {
            if voice.look_back(index, &mut self.frame).is_ok() {
                self.end.pass(&self.frame, at);
            }
            at += FRAME;
        }
        self.until = at;
    }
}

/// Frames that make a report while it plays: nobody acts on less, and each wakes the router.
const REPORT_EVERY: u32 = 5;

/// Frames after the end of a run at which a carrier that returns no mark is not waited for any more (2 s).
const MARK_PATIENCE: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::Format;
    use ringway_ring::{Owner, Writer, ring};

    const LEAD: Duration = Duration::from_millis(60);

    /// A playout whose voice is one utterance of so many frames, ready to be heard.
    fn playout(frames: u32) -> (Playout, Writer, EpochGate, Owner<ReplayReader>) {
        let silence = Frame::silence(Format::Mulaw8k);
        let (mut writer, reader) = ring(Format::Mulaw8k, 1_000);
        let mut owner = Owner::new(reader.replay(100));
        let voice = owner.lend().expect("it is at home");
        let gate = EpochGate::new();
        let epoch = gate.raise();
        gate.release(epoch);
        for number in 0..frames {
            let time = MediaTime::ZERO + FRAME * number;
            writer.push(&silence.at(number, time).in_epoch(epoch)).expect("there is room");
        }
        (Playout::new(voice, gate.clone(), LEAD, silence), writer, gate, owner)
    }

    fn at(frames: u32) -> MediaTime {
        MediaTime::ZERO + FRAME * frames
    }

    /// How many frames are sent at this moment.
    fn send(playout: &mut Playout, now: MediaTime) -> u32 {
        std::iter::from_fn(|| playout.next_due(now).map(drop)).count() as u32
    }

    fn play(playout: &mut Playout, ticks: u32) {
        for tick in 0..ticks {
            send(playout, at(tick));
        }
    }

    #[test]
    fn sending_runs_ahead_by_the_lead_and_then_at_the_pace_of_the_clock() {
        let (mut playout, _writer, _gate, _owner) = playout(100);
        assert_eq!(send(&mut playout, at(0)), 4);
        for tick in 1..50 {
            assert_eq!(send(&mut playout, at(tick)), 1);
            let heard = playout.report(at(tick)).map(|played| played.frames);
            assert_eq!(heard, (tick % REPORT_EVERY == 0).then_some(tick));
        }
    }

    #[test]
    fn all_that_was_heard_is_reported_in_a_pause_and_at_the_end() {
        let (mut playout, _writer, _gate, _owner) = playout(7);
        play(&mut playout, 3);
        playout.pause(at(2));
        assert_eq!(playout.report(at(2)).map(|played| played.frames), Some(2));
        playout.resume();
        play(&mut playout, 7);
        assert_eq!(playout.report(at(20)).map(|played| played.frames), Some(7));
    }

    #[test]
    fn marks_that_come_late_hold_back_what_was_heard_and_not_what_is_sent() {
        let (mut playout, _writer, _gate, _owner) = playout(200);
        let (mut sent, mut round_trip) = (0, std::collections::VecDeque::new());
        for tick in 0..150 {
            let frames = send(&mut playout, at(tick));
            assert_eq!(frames, if tick == 0 { 4 } else { 1 }, "tick {tick}");
            sent += frames;
            if sent % 25 == 0 {
                playout.expect_mark(sent);
                // Heard 60 ms from now, and told 200 ms after that.
                round_trip.push_back((tick + 3 + 10, sent));
            }
            if let Some((_, mark)) = round_trip.pop_front_if(|(due, _)| *due == tick) {
                let next = round_trip.front().map(|(_, mark)| *mark);
                let epoch = playout.epoch;
                playout.marked(epoch, mark, next, at(tick));
            }
            let heard = playout.report(at(tick)).map_or(0, |played| played.frames);
            assert!(heard <= sent, "{heard} of {sent}");
        }
        // The mark at 125 came back 16 frames ago, that at 150 is out.
        playout.pause(at(150));
        assert_eq!(playout.report(at(150)).map(|played| played.frames), Some(141));
    }

    #[test]
    fn a_carrier_that_returns_no_mark_is_waited_for_and_then_not() {
        let (mut playout, _writer, _gate, _owner) = playout(50);
        play(&mut playout, 50);
        playout.expect_mark(25);
        assert_eq!(playout.report(at(60)).map(|played| played.frames), Some(25));
        assert_eq!(playout.report(at(50 + MARK_PATIENCE)).map(|played| played.frames), Some(50));
        assert!(!playout.is_playing());
    }

    #[test]
    fn a_clear_tells_what_was_heard_and_whether_the_peer_holds_more() {
        let (mut playout, _writer, gate, _owner) = playout(100);
        play(&mut playout, 10);
        gate.raise();
        let cleared = playout.clear(at(10));
        assert_eq!((cleared.played.frames, cleared.unheard), (10, true));
        assert!(!playout.is_playing());
        assert_eq!(send(&mut playout, at(11)), 0);
        assert!(!playout.clear(at(12)).unheard, "nothing was sent since");
    }

    #[test]
    fn what_was_paused_is_cleared_at_the_peer() {
        let (mut playout, _writer, _gate, _owner) = playout(100);
        play(&mut playout, 10);
        playout.pause(at(10));
        assert!(playout.clear(at(100)).unheard);
    }

    #[test]
    fn nothing_is_cleared_at_the_peer_when_all_was_heard() {
        let (mut playout, _writer, gate, _owner) = playout(5);
        play(&mut playout, 5);
        gate.raise();
        assert!(!playout.clear(at(9)).unheard);
    }

    #[test]
    fn a_pause_loses_no_frame_and_repeats_none() {
        let (mut playout, _writer, _gate, _owner) = playout(20);
        assert_eq!(send(&mut playout, at(0)), 4);
        playout.pause(at(1));
        assert_eq!(send(&mut playout, at(5)), 0);
        assert_eq!(playout.report(at(10)).map(|played| played.frames), Some(4));
        playout.resume();
        let mut numbers = Vec::new();
        for tick in 10..40 {
            numbers.extend(std::iter::from_fn(|| playout.next_due(at(tick)).map(|(_, number)| number)));
        }
        assert_eq!(numbers, (5..=20).collect::<Vec<_>>());
    }
}
