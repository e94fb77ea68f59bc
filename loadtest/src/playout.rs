//! What a listener hears: the buffer between the socket and the ear, as a carrier or a page keeps it.

use ringway_frame::MediaTime;
use std::collections::VecDeque;
use std::time::Duration;

/// A listener's playout: starts with 40 ms buffered, plays without pause while audio is there, notes where it is not.
///
/// ```text
///  Silent ──audio──► Buffering ──40 ms buffered, or waited──► Playing{until} ──audio──► Playing{later}
///    ▲                                                            │
///    └───────────────────────────── clear ────────────────────────┘
/// ```
/// Run dry, it stays `Playing` with `until` in the past: what comes next tells whether that was a gap.
#[derive(Debug, Default)]
pub struct Playout {
    state: State,
    /// All audio that came and was not cleared.
    received: Duration,
    /// Until when the last loud frame sounds.
    loud_until: Option<MediaTime>,
    last_media: Option<MediaTime>,
    /// When the caller was last loud.
    caller: Option<MediaTime>,
    /// When the socket last went on after it stood still.
    recovered: Option<MediaTime>,
    marks: VecDeque<Mark>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Silent,
    Buffering {
        since: MediaTime,
        buffered: Duration,
    },
    Playing {
        until: MediaTime,
    },
}

/// Comes back when `behind` of all audio has been played.
#[derive(Debug)]
struct Mark {
    name: String,
    behind: Duration,
}

/// A gap that was heard inside an utterance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Audio came too late.
    Underrun,
    /// The bot stopped because the caller had spoken, and went on.
    Paused,
}

/// Buffered before the first sound of an utterance.
pub const START_WITH: Duration = Duration::from_millis(40);

/// The shortest gap that counts.
const GAP: Duration = Duration::from_millis(20);

/// A gap that begins so shortly after a loud frame of the caller is a pause and no underrun.
const PAUSE_WITHIN: Duration = Duration::from_millis(500);

/// After a longer silence a new utterance begins.
const UTTERANCE_ENDS: Duration = Duration::from_secs(2);

/// The bot has said all when nothing loud was to be heard for so long.
const QUIET_FOR: Duration = Duration::from_millis(500);

/// Marks kept for return; the oldest goes back early when there are more.
const MARKS: usize = 256;

impl Playout {
    /// Takes audio of this length that arrived at `now`, and tells whether a gap was heard before it.
    pub fn receive(&mut self, now: MediaTime, length: Duration, loud: bool) -> Option<Gap> {
        self.advance(now);
        let gap = self.append(now, length);
        self.received += length;
        self.last_media = Some(now);
        if loud {
            self.loud_until = Some(self.end());
        }
        gap
    }

    /// The caller is loud at `now`.
    pub fn caller_is_loud(&mut self, now: MediaTime) {
        self.caller = Some(now);
    }

    /// The socket stood still until `now`: the gap that this makes is not the server's.
    pub fn recovered(&mut self, now: MediaTime) {
        self.recovered = Some(now);
    }

    /// Drops what has not been played; marks behind it come back at once.
    pub fn clear(&mut self, now: MediaTime) {
        self.advance(now);
        self.received = self.played(now);
        for mark in &mut self.marks {
            mark.behind = mark.behind.min(self.received);
        }
        self.loud_until = self.loud_until.map(|until| until.min(now));
        self.state = State::Silent;
    }

    /// Takes a mark: it comes back from [`Playout::returned_mark`] when all audio so far was played or cleared.
    pub fn mark(&mut self, name: String) {
        self.marks.push_back(Mark { name, behind: self.received });
    }

    /// The next mark to send back.
    pub fn returned_mark(&mut self, now: MediaTime) -> Option<String> {
        self.advance(now);
        let behind = self.marks.front()?.behind;
        let due = behind <= self.played(now) || self.marks.len() > MARKS;
        due.then(|| self.marks.pop_front()).flatten().map(|mark| mark.name)
    }

    /// Something loud has been heard, or will be.
    pub const fn has_sounded(&self) -> bool {
        self.loud_until.is_some()
    }

    /// Something loud is being heard, or still will be.
    pub fn is_sounding(&self, now: MediaTime) -> bool {
        self.loud_until.is_some_and(|until| until > now)
    }

    /// Nothing loud has been heard for a while.
    pub fn is_quiet(&self, now: MediaTime) -> bool {
        self.loud_until.is_none_or(|until| now >= until + QUIET_FOR)
    }

    /// When the last audio came.
    pub const fn last_media(&self) -> Option<MediaTime> {
        self.last_media
    }

    /// Starts to play what was buffered for long enough.
    fn advance(&mut self, now: MediaTime) {
        if let State::Buffering { since, buffered } = self.state
            && now >= since + START_WITH
        {
            self.state = State::Playing { until: since + START_WITH + buffered };
        }
    }

    fn append(&mut self, now: MediaTime, length: Duration) -> Option<Gap> {
        match self.state {
            State::Silent => self.begin(now, now, length),
            State::Buffering { since, buffered } => self.begin(now, since, buffered + length),
            State::Playing { until } if now <= until => self.state = State::Playing { until: until + length },
            State::Playing { until } => {
                let heard = self.heard_gap(until, now);
                match heard {
                    Heard::NewUtterance => self.begin(now, now, length),
                    Heard::Nothing | Heard::Gap(_) => self.state = State::Playing { until: now + length },
                }
                return heard.gap();
            }
        }
        None
    }

    /// Goes on with an utterance whose first audio came at `since`.
    fn begin(&mut self, now: MediaTime, since: MediaTime, buffered: Duration) {
        self.state = if buffered >= START_WITH {
            State::Playing { until: now + buffered }
        } else {
            State::Buffering { since, buffered }
        };
    }

    fn heard_gap(&self, dry: MediaTime, now: MediaTime) -> Heard {
        let gap = now.since(dry);
        let spoken_since = self.caller.is_some_and(|caller| caller > dry);
        let spoken_before = self.caller.is_some_and(|caller| dry.since(caller) <= PAUSE_WITHIN);
        let stood_still = self.recovered.is_some_and(|recovered| recovered > dry);
        match () {
            () if stood_still => Heard::Nothing,
            () if gap < GAP => Heard::Nothing,
            () if gap > UTTERANCE_ENDS || spoken_since => Heard::NewUtterance,
            () if spoken_before => Heard::Gap(Gap::Paused),
            () => Heard::Gap(Gap::Underrun),
        }
    }

    /// When all that came will have been played.
    fn end(&self) -> MediaTime {
        match self.state {
            State::Silent => MediaTime::ZERO,
            State::Buffering { since, buffered } => since + START_WITH + buffered,
            State::Playing { until } => until,
        }
    }

    /// How much of what came has been played.
    fn played(&self, now: MediaTime) -> Duration {
        let waiting = match self.state {
            State::Silent => Duration::ZERO,
            State::Buffering { buffered, .. } => buffered,
            State::Playing { until } => until.since(now),
        };
        self.received.saturating_sub(waiting)
    }
}

/// What a listener makes of a time without audio.
#[derive(Clone, Copy, Debug)]
enum Heard {
    Nothing,
    Gap(Gap),
    NewUtterance,
}

impl Heard {
    const fn gap(self) -> Option<Gap> {
        match self {
            Self::Gap(gap) => Some(gap),
            Self::Nothing | Self::NewUtterance => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::FRAME;

    const fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    /// Frames at these milliseconds; the gaps heard and when.
    fn gaps(playout: &mut Playout, arrivals: impl IntoIterator<Item = u64>) -> Vec<(u64, Gap)> {
        let heard = |millis| Some((millis, playout.receive(at(millis), FRAME, true)?));
        arrivals.into_iter().filter_map(heard).collect()
    }

    /// 200 ms of speech in real time, from zero: played from 20 ms, when two frames are there, to 220 ms.
    fn speaking() -> Playout {
        let mut playout = Playout::default();
        assert_eq!(gaps(&mut playout, (0..200).step_by(20)), []);
        playout
    }

    #[test]
    fn steady_audio_has_no_gap() {
        let mut playout = Playout::default();
        assert_eq!(gaps(&mut playout, (0..2_000).step_by(20)), []);
        assert_eq!(gaps(&mut playout, [2_000, 2_000, 2_000, 2_060]), [], "and a lead is used up first");
    }

    #[test]
    fn audio_twenty_milliseconds_late_is_an_underrun() {
        assert_eq!(gaps(&mut speaking(), [239]), []);
        assert_eq!(gaps(&mut speaking(), [240]), [(240, Gap::Underrun)]);
    }

    #[test]
    fn every_gap_counts_once() {
        assert_eq!(gaps(&mut speaking(), [300, 320, 400]), [(300, Gap::Underrun), (400, Gap::Underrun)]);
    }

    #[test]
    fn a_gap_right_after_the_caller_spoke_is_a_pause() {
        let mut playout = speaking();
        playout.caller_is_loud(at(100));
        assert_eq!(gaps(&mut playout, [600]), [(600, Gap::Paused)]);
    }

    #[test]
    fn a_gap_long_after_the_caller_spoke_is_an_underrun() {
        let mut playout = Playout::default();
        playout.caller_is_loud(at(0));
        assert_eq!(gaps(&mut playout, (300..600).step_by(20)), []);
        assert_eq!(gaps(&mut playout, [700]), [(700, Gap::Underrun)]);
    }

    #[test]
    fn a_gap_that_the_line_made_is_no_underrun() {
        let mut playout = speaking();
        playout.recovered(at(700));
        assert_eq!(gaps(&mut playout, [700, 700, 720]), []);
        assert_eq!(gaps(&mut playout, [900]), [(900, Gap::Underrun)], "later ones are");
    }

    #[test]
    fn an_answer_is_a_new_utterance() {
        let mut playout = speaking();
        playout.caller_is_loud(at(900));
        assert_eq!(gaps(&mut playout, (1_200..1_400).step_by(20)), []);
        assert_eq!(gaps(&mut playout, (4_000..4_100).step_by(20)), [], "and so is what comes long after");
    }

    #[test]
    fn cleared_audio_leaves_no_gap_behind() {
        let mut playout = speaking();
        playout.clear(at(150));
        assert!(!playout.is_sounding(at(151)));
        assert_eq!(gaps(&mut playout, [400, 420]), []);
    }

    #[test]
    fn a_mark_comes_back_when_the_audio_before_it_was_played() {
        let mut playout = speaking();
        playout.mark("one".into());
        playout.receive(at(200), FRAME, true);
        playout.mark("two".into());
        assert_eq!(playout.returned_mark(at(219)), None);
        assert_eq!(playout.returned_mark(at(220)).as_deref(), Some("one"));
        assert_eq!(playout.returned_mark(at(239)), None);
        assert_eq!(playout.returned_mark(at(240)).as_deref(), Some("two"));
        assert_eq!(playout.returned_mark(at(240)), None);
    }

    #[test]
    fn clear_returns_all_marks_at_once() {
        let mut playout = speaking();
        playout.mark("one".into());
        playout.mark("two".into());
        playout.clear(at(100));
        assert_eq!(playout.returned_mark(at(100)).as_deref(), Some("one"));
        assert_eq!(playout.returned_mark(at(100)).as_deref(), Some("two"));
    }

    #[test]
    fn a_mark_without_audio_before_it_comes_back_at_once() {
        let mut playout = Playout::default();
        playout.mark("none".into());
        assert_eq!(playout.returned_mark(at(0)).as_deref(), Some("none"));
    }

    #[test]
    fn a_single_frame_is_played_though_the_buffer_never_fills() {
        let mut playout = Playout::default();
        playout.receive(at(0), FRAME, true);
        playout.mark("end".into());
        assert_eq!(playout.returned_mark(at(59)), None);
        assert_eq!(playout.returned_mark(at(60)).as_deref(), Some("end"));
    }

    #[test]
    fn the_bot_is_quiet_half_a_second_after_its_last_sound() {
        let playout = speaking();
        assert!(playout.is_sounding(at(219)) && !playout.is_sounding(at(220)));
        assert!(!playout.is_quiet(at(719)) && playout.is_quiet(at(720)));
    }
}
