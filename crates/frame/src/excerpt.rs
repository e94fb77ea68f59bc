use std::fmt::{self, Display, Write};

/// Text of somebody else as it may stand in a log, an error message or a report: on one line, without characters that a
/// terminal obeys, and of at most so many bytes.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt<'t> {
    text: &'t str,
    most: usize,
}

/// What somebody else wrote as it may stand in a row of a report: on one line, without characters that a terminal obeys,
/// and of any length.
#[derive(Clone, Copy, Debug)]
pub struct OneLine<D>(pub D);

/// Text that may have lines of its own, without characters that a terminal obeys.
#[derive(Clone, Copy, Debug)]
pub struct Printed<D>(pub D);

/// JSON as it may stand at a terminal: what that would obey is escaped within the strings, so that it means the same.
#[derive(Clone, Copy, Debug)]
pub struct PrintedJson<D>(pub D);

impl<D: Display> Display for OneLine<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        excerpt(f, &self.0, usize::MAX)
    }
}

impl<D: Display> Display for Printed<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping { lines: true, ..Escaping::new(f, usize::MAX) }, "{}", self.0)
    }
}

impl<D: Display> Display for PrintedJson<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(EscapingJson(f), "{}", self.0)
    }
}

struct EscapingJson<'w, W>(&'w mut W);

impl<W: Write> Write for EscapingJson<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|letter| match letter {
            '\n' => self.0.write_char('\n'),
            letter if obeyed(letter) => write!(self.0, "\\u{:04x}", u32::from(letter)),
            letter => self.0.write_char(letter),
        })
    }
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
    let mut escaping = Escaping::new(out, most);
    match write!(escaping, "{value}") {
        Err(_) if escaping.cut => escaping.out.write_str(CUT),
        written => written,
    }
}

struct Escaping<'w, W> {
    out: &'w mut W,
    left: usize,
    cut: bool,
    /// Ends of lines are kept.
    lines: bool,
}

impl<'w, W: Write> Escaping<'w, W> {
    fn new(out: &'w mut W, most: usize) -> Self {
        Self { out, left: most, cut: false, lines: false }
    }

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
            '\n' if self.lines => self.put("\n"),
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
    fn a_row_has_one_line_and_printed_text_keeps_its_own() {
        let said = format!("{}\r\n\u{1b}[2J", "x".repeat(200));
        assert_eq!(OneLine(&said).to_string(), format!("{}\\r\\n\\u{{1b}}[2J", "x".repeat(200)));
        assert_eq!(Printed(&said).to_string(), format!("{}\\r\n\\u{{1b}}[2J", "x".repeat(200)));
    }

    #[test]
    fn json_at_a_terminal_means_the_same() {
        assert_eq!(PrintedJson("{\"said\":\"\u{9b}2J é\"}\n").to_string(), "{\"said\":\"\\u009b2J é\"}\n");
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
