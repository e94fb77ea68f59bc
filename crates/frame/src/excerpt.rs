use std::fmt::{self, Display, Write};

/// Text of somebody else as it may stand in a log, an error message or a report: on one line, without characters that a
/// terminal obeys, and of at most so many bytes.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt<'t> {
    text: &'t str,
    most: usize,
}

/// Bytes of an [`Excerpt`] where nothing else is said.
const MOST: usize = 80;

/// What stands in the place of text that was cut off.
const CUT: &str = "...";

impl<'t> Excerpt<'t> {
    /// The beginning of this text.
    pub const fn of(text: &'t str) -> Self {
        Self { text, most: MOST }
    }
}

impl Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        excerpt(f, format_args!("{}", self.text), self.most)
    }
}

/// Writes at most `most` bytes of what `value` displays, escaped as an [`Excerpt`] is. What is longer is formatted no
/// further, and marked as cut.
///
/// # Errors
/// `out` cannot be written.
pub fn excerpt(out: &mut impl Write, value: impl Display, most: usize) -> fmt::Result {
    let mut escaping = Escaping { out, left: most, cut: false };
    match write!(escaping, "{value}") {
        Err(_) if escaping.cut => escaping.out.write_str(CUT),
        written => written,
    }
}

struct Escaping<'w, W> {
    out: &'w mut W,
    left: usize,
    cut: bool,
}

impl<W: Write> Escaping<'_, W> {
    fn put(&mut self, text: &str) -> fmt::Result {
        let Some(left) = self.left.checked_sub(text.len()) else {
            self.cut = true;
            return Err(fmt::Error);
        };
        self.left = left;
        self.out.write_str(text)
    }
}

impl<W: Write> Write for Escaping<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|letter| match letter {
            '\n' => self.put("\\n"),
            '\r' => self.put("\\r"),
            '\t' => self.put("\\t"),
            letter if obeyed(letter) => {
                // The longest is \u{10ffff}.
                let mut escaped = [0; 10];
                let mut at = 0;
                for byte in letter.escape_unicode() {
                    at += byte.encode_utf8(&mut escaped[at..]).len();
                }
                self.put(str::from_utf8(&escaped[..at]).map_err(|_| fmt::Error)?)
            }
            letter => self.put(letter.encode_utf8(&mut [0; 4])),
        })
    }
}

/// Whether terminals or readers of lines obey this character instead of showing it: controls, ends of lines and
/// paragraphs, and what changes the direction of the text around it.
fn obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_one_line_and_nothing_that_a_terminal_obeys() {
        let said = "CA1\r\nfake\t\u{1b}[31m\u{9b}0m\u{7f}\u{2028}\u{202e}é";
        let shown = Excerpt::of(said).to_string();
        assert_eq!(shown, "CA1\\r\\nfake\\t\\u{1b}[31m\\u{9b}0m\\u{7f}\\u{2028}\\u{202e}é");
    }

    #[test]
    fn an_excerpt_is_cut_between_characters_and_says_so() {
        let shown = Excerpt::of(&"é".repeat(500_000)).to_string();
        assert_eq!(shown, format!("{}...", "é".repeat(MOST / 2)));
        let exact = "x".repeat(MOST);
        assert_eq!(Excerpt::of(&exact).to_string(), exact);
    }

    #[test]
    fn what_is_cut_off_is_not_formatted() {
        struct Endless;
        impl Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("and so on ")?;
                }
            }
        }
        let mut out = String::new();
        assert_eq!(excerpt(&mut out, Endless, 15), Ok(()));
        assert_eq!(out, "and so on and s...");
    }
}
