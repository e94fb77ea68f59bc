//! Durations as people write them: `"200ms"`, `"2s"`.

pub(crate) use jiff::fmt::serde::unsigned_duration::friendly::compact::required::*;
