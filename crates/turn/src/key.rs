//! The keys of a telephone.

use serde::Deserializer;
use serde::de::{Deserialize, Error};

/// A telephone has such a key.
pub(crate) fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')
}

/// One key, as a configuration names it.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<char, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(key), None) if is_key(key) => Ok(key),
        _ => Err(D::Error::custom(format_args!(
            "must be one key, 0 to 9, *, # or A to D, such as \"#\", not {text:?}"
        ))),
    }
}
