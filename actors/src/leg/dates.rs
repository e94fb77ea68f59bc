use ringway_frame::{FRAME, MediaTime};
use std::time::Duration;

/// Dates the frames of a peer that sends 20 ms of audio a frame, by when they arrive.
///
/// Frames follow one another by 20 ms on a time line of their own, and the line is held to the clock from both sides.
/// A frame cannot have been spoken after it came: a line that is too late is drawn back within [`SETTLE`]. A network
/// delays some frames and not others: where even the fastest of the last half second to second came late, the line is
/// pushed forward. Both happen by less than a frame at each frame, so that speech is neither cut nor turned around.
///
/// Behind a hole, when nothing came for more than 100 ms, what comes faster than real time was held up and belongs
/// where it is due; what comes at its own pace follows on audio that is missing, and the line jumps to the clock.
#[derive(Debug, Default)]
pub(crate) struct Dates {
    /// When the first frame was spoken, as far as is known now: where the line begins.
    line: Option<Nanos>,
    /// Audio that was dated.
    audio: Nanos,
    arrived: Nanos,
    /// Time for which the line has not been moved yet.
    unspent: Nanos,
    fastest: Fastest,
    hole: Option<Hole>,
    retreat: Retreat,
}

/// Nanoseconds, which may be less than nothing here.
type Nanos = i64;

/// Longer pauses between two arrivals are holes: missing audio, or audio that was held up.
const HOLE: Nanos = Duration::from_millis(100).as_nanos() as Nanos;

/// By less than this arrivals differ without a meaning.
const JITTER: Nanos = Duration::from_millis(10).as_nanos() as Nanos;

/// A line that is too late is right after so long.
const SETTLE: Nanos = Duration::from_millis(1_900).as_nanos() as Nanos;

/// A line that is too early is drawn near with this time constant.
const ADVANCE: Nanos = Duration::from_millis(300).as_nanos() as Nanos;

const TICK: Nanos = FRAME.as_nanos() as Nanos;

/// By how much a frame may follow sooner than 20 ms on the one before it: dates stay in order.
const MOST_BACK: Nanos = TICK - Duration::from_millis(1).as_nanos() as Nanos;

impl Dates {
    /// The date of a frame that arrives now.
    pub(crate) fn date(&mut self, now: MediaTime) -> MediaTime {
        let now = nanos(now);
        let by_clock = (now - TICK).max(0);
        let waited = now - std::mem::replace(&mut self.arrived, now);
        self.unspent += waited;
        let line = *self.line.get_or_insert(by_clock);
        let delay = by_clock - self.audio;
        let behind = delay - line;
        let by = if behind > HOLE && (waited > HOLE || self.hole.is_some()) {
            self.resume(behind, waited)
        } else {
            self.hole = None;
            self.follow(delay, line, now)
        };
        self.line = Some(line + by);
        MediaTime::from_nanos(u64::try_from(self.audio + line + by).unwrap_or(0))
    }

    /// The frame that was dated last is taken; the next one follows on it.
    pub(crate) fn keep(&mut self) {
        self.audio += TICK;
    }

    /// By how much the line moves at a frame that comes at whatever pace a network gives it.
    fn follow(&mut self, delay: Nanos, line: Nanos, now: Nanos) -> Nanos {
        let passed = std::mem::take(&mut self.unspent);
        self.fastest.came(delay, now);
        let deviation = self.fastest.least() - line;
        if deviation < 0 {
            return -self.retreat.step(-deviation, passed, now);
        }
        self.retreat = Retreat::default();
        if !self.fastest.is_known() {
            return 0;
        }
        let passed = passed.min(HOLE);
        (deviation * passed / ADVANCE).max(passed / 20).min(deviation).min(TICK)
    }

    /// By how much the line jumps at a frame behind a hole. The first one tells nothing yet: only those behind it show
    /// whether they were held up.
    fn resume(&mut self, behind: Nanos, waited: Nanos) -> Nanos {
        let Some(hole) = &mut self.hole else {
            self.hole = Some(Hole::new(behind));
            return 0;
        };
        if hole.catches_up(behind, waited) {
            return 0;
        }
        let missing = hole.recent.min(behind);
        (self.hole, self.fastest, self.unspent) = (None, Fastest::default(), 0);
        missing
    }
}

/// The least delay of the frames of the last half second to second.
#[derive(Debug)]
struct Fastest {
    /// When `newer` began.
    since: Nanos,
    older: Nanos,
    newer: Nanos,
}

/// Half of what is looked back on.
const HALF: Nanos = Duration::from_millis(500).as_nanos() as Nanos;

/// No frame came.
const NONE: Nanos = Nanos::MAX;

impl Default for Fastest {
    fn default() -> Self {
        Self { since: 0, older: NONE, newer: NONE }
    }
}

impl Fastest {
    fn came(&mut self, delay: Nanos, now: Nanos) {
        let age = now - self.since;
        if self.newer == NONE || age >= 2 * HALF {
            *self = Self { since: now, older: NONE, newer: delay };
        } else if age >= HALF {
            *self = Self { since: now, older: self.newer, newer: delay };
        } else {
            self.newer = self.newer.min(delay);
        }
    }

    fn least(&self) -> Nanos {
        self.older.min(self.newer)
    }

    /// Half a second was looked at.
    fn is_known(&self) -> bool {
        self.older != NONE
    }
}

/// What comes behind a hole.
#[derive(Clone, Copy, Debug)]
struct Hole {
    /// How far the frame was behind the clock that was least so.
    least: Nanos,
    /// The same of the frames since that one.
    recent: Nanos,
    /// Time in which frames came since that one.
    stood: Nanos,
    /// Frames have come faster than real time.
    faster: bool,
}

/// What was held up comes in pieces, with pauses between them.
const PATIENCE: Nanos = Duration::from_millis(250).as_nanos() as Nanos;

impl Hole {
    fn new(behind: Nanos) -> Self {
        Self { least: behind, recent: NONE, stood: 0, faster: false }
    }

    /// Frames still come faster than real time, this one so far behind the clock among them.
    fn catches_up(&mut self, behind: Nanos, waited: Nanos) -> bool {
        if behind < self.least - JITTER {
            *self = Self { faster: true, ..Self::new(behind) };
            return true;
        }
        self.recent = self.recent.min(behind);
        self.stood += waited.min(HOLE);
        self.faster && self.stood <= PATIENCE
    }
}

/// A line on its way back.
#[derive(Debug, Default)]
struct Retreat {
    /// By how much it was too late at the last frame.
    early: Nanos,
    /// When it is to be right.
    by: Nanos,
    /// How far it is still to go back for the time that has passed: a burst does not go back in itself.
    owed: Nanos,
}

impl Retreat {
    /// By how much it goes back at this frame.
    fn step(&mut self, early: Nanos, passed: Nanos, now: Nanos) -> Nanos {
        // Jitter that shows how far it is has no more time for it; another burst has.
        if early > self.early + HOLE || now > self.by {
            self.by = now + SETTLE;
        }
        let passed = passed.min(SETTLE);
        let left = (self.by - now + passed).max(passed).max(1);
        let share = (early - self.owed).max(0) as f64 * passed as f64 / left as f64;
        self.owed = (self.owed + share as Nanos).min(early);
        let step = self.owed.min(MOST_BACK);
        self.owed -= step;
        self.early = early - step;
        step
    }
}

fn nanos(time: MediaTime) -> Nanos {
    Nanos::try_from(time.as_nanos()).unwrap_or(Nanos::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The line with frames that arrive at these milliseconds; their dates.
    fn dated(arrivals: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut dates = Dates::default();
        let mut date = |at: u64| {
            let date = dates.date(MediaTime::from_millis(at));
            dates.keep();
            date.as_nanos() / 1_000_000
        };
        arrivals.into_iter().map(&mut date).collect()
    }

    /// Arrivals at the pace of speech.
    fn paced(from: u64, frames: u64) -> impl Iterator<Item = u64> {
        (0..frames).map(move |frame| from + 20 * frame)
    }

    /// By how much the frame that arrived last is dated too late, in milliseconds.
    fn off(arrivals: &[u64]) -> i64 {
        let dates = dated(arrivals.iter().copied());
        *dates.last().unwrap() as i64 + 20 - *arrivals.last().unwrap() as i64
    }

    #[test]
    fn one_late_frame_behind_a_hole_does_not_keep_the_line_in_the_past() {
        for at_once in [1, 2, 3, 7] {
            let late = std::iter::repeat_n(8_000, at_once);
            let arrivals: Vec<u64> = paced(20, 100).chain(late).chain(paced(8_020, 100)).collect();
            assert_eq!(off(&arrivals), 0, "{at_once} at once");
        }
    }

    #[test]
    fn frames_that_come_at_once_at_the_beginning_do_not_keep_the_line_in_the_future() {
        for at_once in [20, 60, 90] {
            let arrivals: Vec<u64> = std::iter::repeat_n(20, at_once).chain(paced(40, 100)).collect();
            assert!(off(&arrivals).abs() <= 1, "{at_once} at once: {}", off(&arrivals));
        }
    }

    #[test]
    fn a_burst_keeps_its_own_pace() {
        let dates = dated(std::iter::repeat_n(100, 50));
        assert!(dates.windows(2).all(|pair| pair[1] - pair[0] == 20));
    }

    #[test]
    fn a_peer_that_sends_half_a_second_at_a_time_is_dated_by_the_end_of_each_piece() {
        for piece in [5, 10, 25] {
            let pieces = (1..=200 / piece).flat_map(|n| std::iter::repeat_n(20 * piece * n, piece as usize));
            let behind_a_hole = pieces.clone().map(|at| at + 10_000);
            for arrivals in [pieces.clone().collect::<Vec<_>>(), pieces.chain(behind_a_hole).collect()] {
                assert!(off(&arrivals).abs() <= 20, "{piece} frames: {}", off(&arrivals));
            }
        }
    }

    #[test]
    fn a_network_that_has_become_slower_moves_the_line_on() {
        let arrivals: Vec<u64> = paced(20, 100).chain(paced(2_100, 100)).collect();
        assert!(off(&arrivals).abs() <= 1, "{}", off(&arrivals));
    }

    /// How a call begins, or goes on behind a hole: so many frames at once.
    fn disturbance() -> impl Strategy<Value = (u64, usize)> {
        prop_oneof![(Just(0), 0..90_usize), (200..8_000_u64, 0..40_usize), (0..100_u64, 0..5_usize)]
    }

    proptest! {
        /// Each frame takes up to 80 ms longer than the fastest: within 2 s the dates are right but for that.
        #[test]
        fn dates_find_the_truth_within_two_seconds_and_cut_no_speech(
            before in prop::collection::vec(0..80_u64, 0..150),
            (hole, at_once) in disturbance(),
            after in prop::collection::vec(0..80_u64, 150..300),
        ) {
            let mut arrivals: Vec<u64> = Vec::new();
            let arrive = |at: u64, arrivals: &mut Vec<u64>| {
                arrivals.push(at.max(arrivals.last().copied().unwrap_or(0)));
            };
            for (frame, delay) in before.iter().enumerate() {
                arrive(20 + 20 * frame as u64 + delay, &mut arrivals);
            }
            let resumed = arrivals.last().copied().unwrap_or(20) + hole;
            (0..at_once).for_each(|_| arrive(resumed, &mut arrivals));
            for (frame, delay) in after.iter().enumerate() {
                arrive(resumed + 20 + 20 * frame as u64 + delay, &mut arrivals);
            }
            let dates = dated(arrivals.iter().copied());
            let gaps = dates.windows(2).filter(|pair| pair[1] > pair[0] + 41).count();
            prop_assert!(dates.is_sorted());
            prop_assert!(gaps <= usize::from(hole > 0), "{} gaps", gaps);
            for (frame, _) in after.iter().enumerate().skip(105) {
                let spoken = (resumed + 20 * frame as u64) as i64;
                let off = dates[before.len() + at_once + frame] as i64 - spoken;
                prop_assert!((-1..=82).contains(&off), "frame {} is {} ms off", frame, off);
            }
        }
    }
}
