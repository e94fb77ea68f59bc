use crate::{FRAME, MediaTime};

/// How much later than it ended, by its date, a piece of audio arrived, to a microsecond and up to half an hour; less than
/// nothing where its date is later than it can have been spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Skew(i32);

const MOST: u64 = i32::MAX as u64;

impl Skew {
    /// It arrived as it ended.
    pub const ZERO: Self = Self(0);

    /// Of so many microseconds.
    pub const fn from_micros(micros: i32) -> Self {
        Self(micros)
    }

    /// Of 20 ms that are dated by their beginning.
    pub const fn between(arrived: MediaTime, time: MediaTime) -> Self {
        let (arrived, ended) = (arrived.as_nanos(), time.as_nanos().saturating_add(FRAME.as_nanos() as u64));
        let micros = arrived.abs_diff(ended) / 1_000;
        let micros = if micros < MOST { micros as i32 } else { MOST as i32 };
        Self(if arrived < ended { -micros } else { micros })
    }

    /// It arrived as it ended.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// When audio with this date arrived.
    #[must_use]
    pub const fn arrival(self, date: MediaTime) -> MediaTime {
        let nanos = (self.0 as i64).saturating_mul(1_000);
        MediaTime::from_nanos(date.as_nanos().saturating_add_signed(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn a_frame_tells_its_arrival_whether_it_was_late_or_early() {
        for (arrived, time) in [(120, 100), (6_120, 100), (120, 480)] {
            let skew = Skew::between(at(arrived), at(time));
            assert_eq!(skew.arrival(at(time) + FRAME), at(arrived));
        }
        assert!(Skew::between(at(120), at(100)).is_zero());
    }

    #[test]
    fn what_is_beyond_all_bounds_is_cut_short() {
        assert_eq!(Skew::between(MediaTime::MAX, at(0)), Skew::from_micros(i32::MAX));
        assert_eq!(Skew::between(at(0), MediaTime::MAX), Skew::from_micros(-i32::MAX));
    }
}
