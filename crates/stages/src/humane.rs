//! Durations as people write them: `"200ms"`, `"2s"`, `"1h 30m"`.

pub use jiff::fmt::serde::unsigned_duration::friendly::compact::required::serialize;

use jiff::fmt::friendly::{Designator, SpanParser, SpanPrinter};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::borrow::Cow;
use std::time::Duration;

/// Reads one.
///
/// # Errors
/// It is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    let read = SpanParser::new().parse_unsigned_duration(text.as_bytes());
    read.map_err(|_| D::Error::custom(format_args!("{DEMAND}, not {text:?}")))
}

/// What is asked of a text that is no duration.
pub const DEMAND: &str = "must be a number with a unit, such as \"200ms\", \"20s\" or \"1h\"";

/// As it would be written in a configuration.
pub fn show(duration: Duration) -> String {
    let unit = if duration.is_zero() { jiff::Unit::Second } else { jiff::Unit::Nanosecond };
    SpanPrinter::new().designator(Designator::Compact).zero_unit(unit).unsigned_duration_to_string(&duration)
}

/// The time that something outside of a call may take: from a frame of audio to an hour.
///
/// # Errors
/// It is no duration, or lies outside of these bounds.
pub fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    within(deserializer, Duration::from_millis(20))
}

/// A duration from `least` to an hour.
///
/// # Errors
/// As above.
pub fn within<'de, D: Deserializer<'de>>(deserializer: D, least: Duration) -> Result<Duration, D::Error> {
    let time = deserialize(deserializer)?;
    if (least..=HOUR).contains(&time) {
        return Ok(time);
    }
    Err(D::Error::custom(outside(least, HOUR, time)))
}

/// What is wrong with a duration that is not from `least` to `most`.
pub fn outside(least: Duration, most: Duration, found: Duration) -> String {
    format!("must be from {} to {}, not {}", show(least), show(most), show(found))
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IntoDeserializer;
    use serde::de::value::Error as Refused;

    fn read(text: &str) -> Result<Duration, String> {
        let deserializer: serde::de::value::StrDeserializer<'_, Refused> = text.into_deserializer();
        deserialize(deserializer).map_err(|refused| refused.to_string())
    }

    #[test]
    fn what_is_no_duration_is_answered_with_what_one_looks_like() {
        assert_eq!(read("1h 30m"), Ok(Duration::from_secs(5_400)));
        for text in ["20", "soon", "", "-1s"] {
            let told =
                format!("must be a number with a unit, such as \"200ms\", \"20s\" or \"1h\", not {text:?}");
            assert_eq!(read(text), Err(told));
        }
    }

    #[test]
    fn durations_are_told_as_they_are_written() {
        let told = [0, 20, 1_500, 3_600_000].map(|millis| show(Duration::from_millis(millis)));
        assert_eq!(told, ["0s", "20ms", "1s 500ms", "1h"]);
        let told = outside(Duration::from_millis(20), HOUR, Duration::ZERO);
        assert_eq!(told, "must be from 20ms to 1h, not 0s");
    }
}
