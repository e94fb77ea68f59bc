//! Durations as people write them: `"200ms"`, `"2s"`.

pub use jiff::fmt::serde::unsigned_duration::friendly::compact::required::*;

use serde::de::{Deserializer, Error};
use std::time::Duration;

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
    Err(D::Error::custom(format_args!("must be from {least:?} to {HOUR:?}, not {time:?}")))
}

const HOUR: Duration = Duration::from_secs(60 * 60);
