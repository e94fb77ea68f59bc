use ringway_frame::MediaTime;
use serde::{Serialize, Serializer};
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// A moment of a call in tenths of a millisecond, in four bytes, since time lines of ended calls are kept; written in
/// milliseconds. Later than five days into the call all moments are one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(NonZeroU32);

impl Moment {
    /// In tenths of a millisecond since the call began.
    fn tenths(self) -> u32 {
        self.0.get() - 1
    }

    /// In milliseconds since the call began.
    pub fn as_millis(self) -> f64 {
        f64::from(self.tenths()) / 10.0
    }

    /// The moment so much later.
    pub fn after(self, wait: Duration) -> Self {
        let tenths = u32::try_from(wait.as_micros() / 100).unwrap_or(u32::MAX);
        Self(self.0.saturating_add(tenths))
    }

    /// The moment so much earlier; none is before the call.
    pub fn before(self, wait: Duration) -> Self {
        let tenths = u32::try_from(wait.as_micros() / 100).unwrap_or(u32::MAX);
        Self(NonZeroU32::MIN.saturating_add(self.tenths().saturating_sub(tenths)))
    }

    /// The time since `earlier`; zero when that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::from(self.tenths().saturating_sub(earlier.tenths())) * 100)
    }
}

impl From<MediaTime> for Moment {
    fn from(at: MediaTime) -> Self {
        let tenths = u32::try_from(at.as_nanos() / 100_000).unwrap_or(u32::MAX);
        Self(NonZeroU32::MIN.saturating_add(tenths))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.as_millis())
    }
}

/// In seconds, to the millisecond.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.tenths() / 10;
        f.pad(&format!("{}.{:03}", millis / 1_000, millis % 1_000))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_kept_to_the_tenth_of_a_millisecond() {
        let moment = Moment::from(MediaTime::from_nanos(12_034_567_890));
        assert_eq!((moment.as_millis(), moment.to_string().as_str()), (12_034.5, "12.034"));
        assert_eq!(size_of::<Option<Moment>>(), 4);
    }

    #[test]
    fn the_end_of_time_is_a_moment() {
        let last = Moment::from(MediaTime::MAX);
        assert!(last > Moment::from(MediaTime::from_millis(86_400_000)));
        assert_eq!(last.after(Duration::from_secs(1)), last);
        assert_eq!(Moment::from(MediaTime::ZERO).since(last), Duration::ZERO);
        assert_eq!(Moment::from(MediaTime::from_millis(5)).before(Duration::from_secs(1)).as_millis(), 0.0);
    }
}
