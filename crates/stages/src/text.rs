//! Words in text.

/// Where the first word of `text` ends; blanks before it belong to it, and blanks behind the last one.
pub(crate) fn word_end(text: &str) -> usize {
    let start = text.len() - text.trim_start().len();
    let end = text[start..].find(char::is_whitespace).map_or(text.len(), |length| start + length);
    if text[end..].trim_start().is_empty() { text.len() } else { end }
}
