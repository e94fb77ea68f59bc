//! Signs that are seen and not said.

/// Emoji and their parts, dingbats, signs without width, and those that models mark their sources with.
pub(super) fn is_left_out(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'
            | '\u{2060}'
            | '\u{feff}'
            | '\u{20e3}'
            | '\u{fe0e}'
            | '\u{fe0f}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{25a0}'..='\u{27bf}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{1f000}'..='\u{1faff}'
            | '\u{e0020}'..='\u{e007f}'
    ) && !is_comma(c)
}

/// How many bytes at the beginning of `text` are left out together.
pub(super) fn length(text: &str) -> usize {
    // The names of sources between two signs of their own.
    if text.starts_with('\u{e200}')
        && let Some(end) = text.find('\u{e201}')
    {
        return end + '\u{e201}'.len_utf8();
    }
    text.chars().next().map_or(0, char::len_utf8)
}

/// What parts one thing from the next as a comma does.
pub(super) fn is_comma(c: char) -> bool {
    matches!(c, '•' | '●' | '▪' | '‣' | '→' | '⇒' | '➜' | '➔' | '➡')
}
