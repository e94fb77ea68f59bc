//! The labels below the time axis of a turn: zero, where the answer sounds, and round steps where there is room.

use super::axis::{Axis, Stretch};
use super::moment::Moment;
use std::ops::Range;

/// The width of a letter of a label, about; rather more than less.
const LETTER: f64 = 7.0;

/// Between two labels, at least.
const GAP: f64 = 12.0;

/// Between two steps, at least.
const STEP: f64 = 50.0;

/// A label below the axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where its tick is.
    pub tick: f64,
    /// Where the middle of its words is: beside the tick where two would overlap.
    pub x: f64,
    /// Its words.
    pub words: String,
    /// It is one of a turn's two ends: zero, or where the answer sounds.
    pub end: bool,
}

impl Label {
    fn new(tick: f64, words: String, end: bool) -> Self {
        Self { tick, x: tick, words, end }
    }

    fn half(&self) -> f64 {
        self.words.chars().count() as f64 * LETTER / 2.0
    }

    /// What it covers, from left to right.
    pub fn covers(&self) -> Range<f64> {
        self.x - self.half()..self.x + self.half()
    }

    fn clears(&self, other: &Self) -> bool {
        let (one, two) = (self.covers(), other.covers());
        one.end + GAP <= two.start || two.end + GAP <= one.start
    }

    fn keep_within(&mut self, width: f64) {
        self.x = self.x.clamp(self.half(), (width - self.half()).max(self.half()));
    }
}

/// The labels of an axis in a picture `width` wide, which counts from `zero`; the answer sounds at `sounded`, after so
/// many milliseconds. None overlaps another, and the two ends are always there.
pub fn labels(axis: &Axis, zero: Moment, sounded: Option<(Moment, f64)>, width: f64) -> Vec<Label> {
    let mut labels = vec![Label::new(axis.x(zero), "0 ms".to_owned(), true)];
    labels.extend(sounded.map(|(at, after)| Label::new(axis.x(at), format!("+{after:.0} ms"), true)));
    labels.iter_mut().for_each(|label| label.keep_within(width));
    part(&mut labels, width);
    for stretch in axis.stretches() {
        for label in steps(&stretch, zero) {
            let inside = label.covers().start >= 0.0 && label.covers().end <= width;
            if inside && labels.iter().all(|other| label.clears(other)) {
                labels.push(label);
            }
        }
    }
    labels
}

/// Moves two labels apart that overlap, and both away from the edges.
fn part(labels: &mut [Label], width: f64) {
    let [zero, sounded] = labels else { return };
    let overlap = zero.covers().end + GAP - sounded.covers().start;
    if overlap <= 0.0 {
        return;
    }
    (zero.x, sounded.x) = (zero.x - overlap / 2.0, sounded.x + overlap / 2.0);
    let left = (0.0 - zero.covers().start).max(0.0);
    let right = (sounded.covers().end - width).max(0.0);
    (zero.x, sounded.x) = (zero.x + left - right, sounded.x + left - right);
}

/// The round steps within a stretch of the axis, as close as its scale permits.
fn steps(stretch: &Stretch, zero: Moment) -> impl Iterator<Item = Label> {
    let origin = zero.as_millis();
    let (from, to) = (stretch.from.as_millis() - origin, stretch.to.as_millis() - origin);
    let scale = stretch.width / (to - from).max(0.1);
    let step = round_step(STEP / scale);
    let stretch = *stretch;
    let first = (from / step).ceil() as i64;
    let last = (to / step).floor() as i64;
    (first..=last).filter(|count| *count != 0).map(move |count| {
        let after = count as f64 * step;
        Label::new(stretch.left + (after - from) * scale, step_words(after), false)
    })
}

/// The shortest of 20, 50, 100, 200, 500 ms and so on that is this long.
fn round_step(at_least: f64) -> f64 {
    let mut decade = 10.0;
    loop {
        if let Some(step) = [2.0, 5.0, 10.0].map(|part| part * decade).into_iter().find(|it| *it >= at_least)
        {
            return step;
        }
        decade *= 10.0;
        if decade > 1e9 {
            return decade;
        }
    }
}

fn step_words(after: f64) -> String {
    let sign = if after < 0.0 { "-" } else { "+" };
    let after = after.abs();
    if after < 1_000.0 { format!("{sign}{after}") } else { format!("{sign}{} s", after / 1_000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::MediaTime;

    fn at(millis: u64) -> Moment {
        MediaTime::from_millis(millis).into()
    }

    fn shown(moments: &[u64], zero: u64, sounded: Option<u64>, width: f64) -> Vec<Label> {
        let moments: Vec<_> = moments.iter().map(|millis| at(*millis)).collect();
        let axis = Axis::new(&moments, 58.0, width - 122.0);
        labels(&axis, at(zero), sounded.map(|after| (at(zero + after), after as f64)), width)
    }

    fn words(labels: &[Label]) -> Vec<&str> {
        labels.iter().map(|label| label.words.as_str()).collect()
    }

    #[test]
    fn zero_and_the_sound_of_the_answer_are_named_and_round_steps_lie_between() {
        let labels = shown(&[1_000, 1_100, 1_250, 1_400, 1_500], 1_100, Some(400), 900.0);
        assert_eq!(words(&labels)[..2], ["0 ms", "+400 ms"]);
        assert!(words(&labels)[2..].contains(&"+200"), "{labels:?}");
        let zero = &labels[0];
        assert!((zero.x - zero.tick).abs() < 1e-6, "{zero:?}");
    }

    #[test]
    fn an_answer_at_once_has_both_labels_side_by_side() {
        let labels = shown(&[1_000, 1_300, 1_302, 9_000], 1_300, Some(2), 240.0);
        assert_eq!(words(&labels)[..2], ["0 ms", "+2 ms"]);
        assert!(labels[0].covers().end < labels[1].covers().start);
    }

    #[test]
    fn a_stretch_that_is_drawn_shorter_has_longer_steps() {
        let labels = shown(&[1_000, 1_200, 31_200], 1_000, Some(200), 900.0);
        let seconds = labels.iter().filter(|label| label.words.ends_with(" s"));
        assert!(seconds.count() >= 2, "{labels:?}");
    }

    #[test]
    fn no_label_overlaps_another_or_leaves_the_picture() {
        let silences = [3, 40, 90, 280, 700, 2_500, 40_000];
        for (width, gap, after) in [240_u32, 280, 360, 390, 640, 1_200, 2_000]
            .into_iter()
            .flat_map(|width| silences.map(|gap| (width, gap)))
            .flat_map(|(width, gap)| [0, 7, 65, 318, 2_900].map(|after| (width, gap, after)))
        {
            let (zero, end) = (1_000 + gap, 1_000 + gap + after);
            for moments in [
                vec![1_000, zero, end, end + 4_000],
                vec![zero, end],
                vec![1_000, zero, zero + after / 3, zero + after / 2, end],
            ] {
                neat(&shown(&moments, zero, Some(after), f64::from(width)), f64::from(width));
            }
        }
    }

    fn neat(labels: &[Label], width: f64) {
        assert_eq!(labels.iter().filter(|label| label.end).count(), 2, "{labels:?}");
        for (index, label) in labels.iter().enumerate() {
            let covers = label.covers();
            assert!(covers.start >= -1e-6 && covers.end <= width + 1e-6, "{label:?} in {width}");
            for other in &labels[index + 1..] {
                let (first, second) = if label.x <= other.x { (label, other) } else { (other, label) };
                assert!(first.covers().end <= second.covers().start, "{label:?} {other:?} in {width}");
            }
        }
    }
}
