//! The time axis of a picture: stretches in which nothing happens are drawn shorter, since an answer of three seconds
//! would leave its fifty milliseconds of work three pixels.

use super::moment::Moment;
use std::time::Duration;

/// Up to here a stretch in which nothing happens is drawn in full.
const FULL: Duration = Duration::from_millis(300);

/// What of the rest is drawn.
const REST: f64 = 0.04;

/// What lies between two neighbouring moments of an axis.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// The earlier moment.
    pub from: Moment,
    /// The later one.
    pub to: Moment,
    /// Its left end, in pixels.
    pub left: f64,
    /// Its width, in pixels.
    pub width: f64,
}

/// From moments to pixels.
#[derive(Debug)]
pub struct Axis {
    /// Each moment with its place, 0 to 1.
    knots: Vec<(Moment, f64)>,
    breaks: Vec<f64>,
    left: f64,
    width: f64,
}

impl Axis {
    /// An axis from `left` of `width` pixels for these moments, which are in order.
    pub fn new(moments: &[Moment], left: f64, width: f64) -> Self {
        let mut knots = Vec::with_capacity(moments.len());
        let mut breaks = Vec::new();
        let (mut at, mut before) = (0.0, moments.first());
        for moment in moments {
            let gap = before.map_or(Duration::ZERO, |before| moment.since(*before));
            let drawn = drawn(gap);
            if gap > FULL {
                breaks.push(at + drawn / 2.0);
            }
            at += drawn;
            knots.push((*moment, at));
            before = Some(moment);
        }
        let scale = if at > 0.0 { 1.0 / at } else { 0.0 };
        knots.iter_mut().for_each(|(_, place)| *place *= scale);
        breaks.iter_mut().for_each(|place| *place *= scale);
        Self { knots, breaks, left, width }
    }

    /// Where a moment is; one before or behind all of its own is at the end.
    pub fn x(&self, moment: Moment) -> f64 {
        let index = self.knots.partition_point(|(knot, _)| *knot < moment);
        let place =
            match (index.checked_sub(1).and_then(|before| self.knots.get(before)), self.knots.get(index)) {
                (Some((before, left)), Some((after, right))) => {
                    let part = moment.since(*before).as_secs_f64() / after.since(*before).as_secs_f64();
                    left + part * (right - left)
                }
                (None, Some((_, place))) | (Some((_, place)), None) => *place,
                (None, None) => 0.0,
            };
        self.left + place * self.width
    }

    /// What lies between its moments, from left to right.
    pub fn stretches(&self) -> impl Iterator<Item = Stretch> {
        self.knots.windows(2).map(|pair| {
            let [(from, left), (to, right)] = [pair[0], pair[1]];
            Stretch { from, to, left: self.left + left * self.width, width: (right - left) * self.width }
        })
    }

    /// Its right end.
    pub fn end(&self) -> f64 {
        self.left + self.width
    }

    /// Where time is drawn shorter.
    pub fn breaks(&self) -> impl Iterator<Item = f64> {
        self.breaks.iter().map(|place| self.left + place * self.width)
    }
}

/// Drawn milliseconds of a stretch in which nothing happens.
fn drawn(gap: Duration) -> f64 {
    let full = gap.min(FULL);
    (full.as_secs_f64() + (gap - full).as_secs_f64() * REST) * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::MediaTime;

    fn at(millis: u64) -> Moment {
        MediaTime::from_millis(millis).into()
    }

    #[test]
    fn time_keeps_its_order_and_long_stretches_take_little_room() {
        let moments = [at(1_000), at(1_100), at(1_200), at(11_200)];
        let axis = Axis::new(&moments, 50.0, 900.0);
        let places = moments.map(|moment| axis.x(moment));
        assert!(places.is_sorted() && places[0] == 50.0, "{places:?}");
        assert!((places[3] - axis.end()).abs() < 1e-6, "{places:?}");
        let (tenth, ten_seconds) = (places[1] - places[0], places[3] - places[2]);
        assert!(tenth > 90.0 && ten_seconds < 8.0 * tenth, "{places:?}");
        assert_eq!(axis.breaks().count(), 1);
        assert!((axis.x(at(1_050)) - (places[0] + places[1]) / 2.0).abs() < 1e-6);
        assert_eq!((axis.x(at(0)), axis.x(at(99_000))), (50.0, axis.x(at(11_200))));
        let even = Axis::new(&moments[..3], 50.0, 900.0);
        assert_eq!((even.x(at(1_100)), even.breaks().count()), (500.0, 0));
    }

    #[test]
    fn one_moment_or_none_is_an_axis_too() {
        assert_eq!(Axis::new(&[], 50.0, 100.0).x(at(5)), 50.0);
        assert_eq!(Axis::new(&[at(5)], 50.0, 100.0).x(at(5)), 50.0);
    }
}
