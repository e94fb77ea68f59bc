//! Where a caller speaks, and how two opinions on that differ.

use std::ops::Range;

/// The windows of a call with when each ended, in milliseconds, and the probability of speech.
#[derive(Debug)]
pub struct Judged {
    pub windows: Vec<(u64, f32)>,
    /// Windows that went through the network.
    pub ran: usize,
}

/// A stretch of speech, in milliseconds of the call.
pub type Segment = Range<u64>;

/// Length of a window.
const WINDOW: u64 = 32;

/// As `turn.speech_start`, `turn.speech_end`, `turn.hang_over_complete` and `turn.noise_below` are by default.
const START: f32 = 0.5;
const END: f32 = 0.35;
const HANG_OVER: u64 = 200;
const NOISE_BELOW: u64 = 60;

impl Judged {
    /// Speech as turn-taking sees it: shorter pauses than the shortest hang-over do not end it.
    pub fn segments(&self) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        let mut talking = false;
        for &(until, probability) in &self.windows {
            let begins = !talking && probability >= START;
            talking = begins || (talking && probability >= END);
            match segments.last_mut() {
                Some(last) if talking && (!begins || until - WINDOW - last.end < HANG_OVER) => {
                    last.end = until
                }
                _ if talking => segments.push(until - WINDOW..until),
                _ => {}
            }
        }
        segments.retain(|segment| segment.end - segment.start >= NOISE_BELOW);
        segments
    }
}

/// How many of these blocks of 10 ms are in a segment, and how many there are.
pub fn heard(segments: &[Segment], blocks: impl Iterator<Item = usize>) -> [usize; 2] {
    let (mut found, mut all) = (0, 0);
    for block in blocks {
        let middle = 10 * block as u64 + 5;
        all += 1;
        found += usize::from(segments.iter().any(|segment| segment.contains(&middle)));
    }
    [found, all]
}

/// Segments that were found against those that were expected.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    pub expected: usize,
    pub found: usize,
    /// Expected, and nothing of it found.
    pub missed: usize,
    /// Found, where nothing was expected.
    pub added: usize,
    /// Expected, and found in pieces.
    pub split: usize,
    /// Found, where several were expected.
    pub joined: usize,
    /// Of those that are neither: how much later they begin and end than expected, in milliseconds.
    pub starts: Vec<i64>,
    pub ends: Vec<i64>,
}

impl Difference {
    /// Takes those of one more call.
    pub fn add(&mut self, found: &[Segment], expected: &[Segment]) {
        self.expected += expected.len();
        self.found += found.len();
        for segment in found {
            match overlapping(segment, expected).count() {
                0 => self.added += 1,
                1 => {}
                _ => self.joined += 1,
            }
        }
        for segment in expected {
            match overlapping(segment, found).collect::<Vec<_>>().as_slice() {
                [] => self.missed += 1,
                [one] if overlapping(one, expected).count() == 1 => {
                    self.starts.push(one.start.cast_signed() - segment.start.cast_signed());
                    self.ends.push(one.end.cast_signed() - segment.end.cast_signed());
                }
                [_] => {}
                _ => self.split += 1,
            }
        }
    }
}

fn overlapping<'a>(segment: &Segment, among: &'a [Segment]) -> impl Iterator<Item = &'a Segment> {
    among.iter().filter(move |other| other.start < segment.end && segment.start < other.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(probabilities: &[f32]) -> Vec<Segment> {
        let windows = probabilities.iter().zip(1..).map(|(&probability, n)| (32 * n, probability)).collect();
        Judged { windows, ran: probabilities.len() }.segments()
    }

    #[test]
    fn speech_begins_high_and_ends_low() {
        assert_eq!(segments(&[0.4, 0.5, 0.4, 0.36, 0.34, 0.4]), [Segment { start: 32, end: 128 }]);
    }

    #[test]
    fn a_pause_of_the_hang_over_ends_a_segment_and_a_shorter_one_does_not() {
        let speech = [0.9; 3];
        let with_pause = |windows: usize| segments(&[&speech[..], &vec![0.0; windows], &speech].concat());
        assert_eq!(with_pause(6), [Segment { start: 0, end: 384 }]);
        assert_eq!(with_pause(7).len(), 2);
    }

    #[test]
    fn a_single_window_is_noise() {
        assert!(segments(&[0.0, 0.9, 0.0]).is_empty());
    }

    #[test]
    fn what_differs_is_told_apart() {
        let mut difference = Difference::default();
        difference
            .add(&[0..10, 20..30, 32..40, 100..130, 200..210], &[1..12, 20..40, 50..60, 100..110, 120..130]);
        let Difference { missed, added, split, joined, starts, ends, .. } = &difference;
        assert_eq!([missed, added, split, joined], [&1, &1, &1, &1]);
        assert_eq!((starts.as_slice(), ends.as_slice()), (&[-1][..], &[-2][..]));
    }

    #[test]
    fn blocks_are_heard_by_their_middle() {
        assert_eq!(heard(&[10..26, 100..200], [0, 1, 2, 12].into_iter()), [3, 4]);
    }
}
