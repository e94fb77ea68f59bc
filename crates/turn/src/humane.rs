//! Durations as people write them: `200ms`, `2s`, `1.5s`, `30m`, `1h`.

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use std::time::Duration;

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show(*duration))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom(refusal(&text)))
}

/// The same for a duration that may be absent; `"off"` also says so.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, Duration, Error, Serializer, parse, refusal, show};

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.map_or_else(|| "off".to_owned(), show))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "off" {
            return Ok(None);
        }
        parse(&text).map(Some).ok_or_else(|| D::Error::custom(refusal(&text)))
    }
}

fn refusal(text: &str) -> String {
    format!("must be a number with a unit, such as \"200ms\", \"1.5s\" or \"30m\", not {text:?}")
}

fn parse(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let millis = match unit {
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return None,
    };
    let number: f64 = number.trim_end().parse().ok()?;
    let micros = (number * millis * 1_000.0).round();
    (0.0..=LONGEST_MICROS).contains(&micros).then(|| Duration::from_micros(micros as u64))
}

fn show(duration: Duration) -> String {
    let micros = duration.as_micros();
    let whole = UNITS.iter().find(|(length, _)| micros > 0 && micros.is_multiple_of(*length));
    match whole {
        Some((length, unit)) => format!("{}{unit}", micros / length),
        None => format!("{}.{:03}ms", micros / 1_000, micros % 1_000),
    }
}

/// In microseconds, the longest first.
const UNITS: [(u128, &str); 4] = [(3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms")];

/// A year: beyond it a number is a slip of the pen.
const LONGEST_MICROS: f64 = 365.0 * 24.0 * 3_600e6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in
            [("200ms", 200), ("2s", 2_000), ("1.5s", 1_500), ("30m", 1_800_000), ("1 h", 3_600_000)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "200", "ms", "-1s", "1e99s", "NaNs", "5 parsecs", "1s2"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn reads_back_what_it_shows() {
        for micros in [0, 1, 999, 1_000, 60_000, 1_500_000, 90_000_000, 3_600_000_000] {
            let duration = Duration::from_micros(micros);
            assert_eq!(parse(&show(duration)), Some(duration), "{}", show(duration));
        }
    }
}
