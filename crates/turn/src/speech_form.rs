//! The form in which a piece of a reply is spoken: without the marks of Markdown and HTML, code, addresses and emoji, which
//! nobody wants read to them. Plain text is spoken as it is written.
//!
//! The form of a piece depends on the piece and on the text before it alone, so that it is the same however the text came,
//! and when a clause is said again.

mod entities;
mod line;
mod link;
mod pictures;
mod scan;

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a voice is given for a piece of text, and where each byte of it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spoken {
    text: String,
    places: Places,
}

/// Where the bytes of a spoken form are written in the piece that it is the form of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Places {
    /// Empty where the form is what is written.
    runs: Vec<Run>,
}

impl Places {
    /// The form is what is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

/// From byte `spoken` of the form on, up to the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    spoken: usize,
    written: usize,
    /// Byte for byte as it is written; otherwise it stands for what is written there.
    same: bool,
}

/// What is done about blocks of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    /// They are left out.
    Skip,
    /// They are read, since there is nothing else.
    Read,
}

/// The form in which `text` is spoken, all of it.
///
/// ```
/// use ringway_turn::speech_form;
///
/// assert_eq!(speech_form("See [our **site**](https://example.org/a?b=c) &amp; call 😀"), "See our site & call");
/// assert_eq!(speech_form("It costs 3.50 (today)."), "It costs 3.50 (today).");
/// ```
pub fn speech_form(text: &str) -> String {
    Spoken::of(text, 0..text.len()).into_text()
}

impl Spoken {
    /// The form of this piece of `text`.
    pub(crate) fn of(text: &str, piece: Range<usize>) -> Self {
        Self::with(text, piece, Code::Skip)
    }

    /// The same, with what is to be done about code.
    pub(crate) fn with(text: &str, piece: Range<usize>, code: Code) -> Self {
        scan::scan(text, piece, code)
    }

    /// What a voice is given.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// There is something in it to be heard: a letter or a digit.
    pub(crate) fn is_audible(&self) -> bool {
        self.text.contains(char::is_alphanumeric)
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    pub(crate) fn into_parts(self) -> (String, Places) {
        (self.text, self.places)
    }
}

impl Places {
    /// How much of what is written is said when the form is said up to byte `spoken`.
    pub(crate) fn written(&self, spoken: usize) -> usize {
        let behind = self.runs.partition_point(|run| run.spoken < spoken);
        let Some(run) = behind.checked_sub(1).map(|at| self.runs[at]) else {
            return if self.runs.is_empty() { spoken } else { 0 };
        };
        let next = self.runs.get(behind).filter(|next| next.spoken == spoken);
        match next {
            Some(next) if !run.same => next.written,
            _ if run.same => run.written + (spoken - run.spoken),
            _ => run.written,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_speech_is_left_out() {
        for (written, said) in [
            ("**Great!** 😀", "Great!"),
            ("***Very* good** and __this__, _that_", "Very good and this, that"),
            ("## Hours ##", "Hours"),
            ("> > - *one* point", "one point"),
            ("* item", "item"),
            ("- [x] done", "done"),
            ("1. `code` here", "1. code here"),
            ("| Day | Open |", "Day, Open."),
            ("|---|:-:|", ""),
            ("Mon | 9–12", "Mon, 9–12"),
            ("---", ""),
            ("Call [us](https://ex.am/p?x=1&y=2).", "Call us."),
            ("![a cat](cat.png) See", "a cat See"),
            ("See https://www.ex.am/very/long?path=1 or <https://b.org>.", "See ex.am or b.org."),
            ("Go to (https://ex.am/a_(b)), ok?", "Go to (ex.am), ok?"),
            ("Write to mailto:a_b@ex.am?subject=x or a_b@ex.am.", "Write to a_b@ex.am or a_b@ex.am."),
            ("ex.am/a/b?c=d is it", "ex.am is it"),
            ("Price < 5 &amp; more&nbsp;&euro; &#228;&#xe4; & so", "Price < 5 & more € ää & so"),
            ("<b>Bold</b><br/>new <p class=\"x\">line</p>", "Bold new line"),
            ("~~old~~ new ~5", "old new ~5"),
            ("It is so [1], and so [2][^3].", "It is so, and so."),
            ("As said【4:0†source】.", "As said."),
            ("👨‍👩‍👧 family 1️⃣ 🇩🇪 ❤️ ok", "family 1 ok"),
            ("A → B • C", "A, B, C"),
            ("snake_case \\*star\\* 5 * 3 and 4*4", "snake case star 5 * 3 and 4*4"),
            ("Fine :smile: at 10:30:00", "Fine at 10:30:00"),
            ("می‌خواهم", "می‌خواهم"),
            ("[laughs] Yes", "[laughs] Yes"),
        ] {
            assert_eq!(speech_form(written), said, "{written}");
        }
    }

    #[test]
    fn code_is_left_out_and_text_in_a_block_is_not() {
        let text = "So:\n```py\nprint(1)\n# no\n```\nDone.\n```text\nHello.\n```";
        assert_eq!(speech_form(text).split_whitespace().collect::<Vec<_>>(), ["So:", "Done.", "Hello."]);
        assert_eq!(Spoken::with(text, 0..18, Code::Read).text(), "So:\nprint(1)");
    }

    #[test]
    fn a_piece_that_begins_within_something_knows_what_is_before_it() {
        for (text, piece, said) in [
            ("```py\nprint(1)\nprint(2)", "print(2)", ""),
            (
                "Read [our page. It is new](https://ex.am/x) now",
                "It is new](https://ex.am/x) now",
                "It is new now",
            ),
            ("Read [our page. It", "Read [our page.", "Read our page."),
            ("See https://ex.am/aaaa/bbbb and", "bbbb and", "and"),
            ("a\n- b", "- b", "b"),
            ("a - b", "- b", "- b"),
        ] {
            let start = text.rfind(piece).expect("a piece of it");
            assert_eq!(Spoken::of(text, start..start + piece.len()).text(), said, "{text}");
        }
    }

    #[test]
    fn what_was_said_is_found_where_it_is_written() {
        let written = "Call **us** &amp; [me](https://ex.am) 😀.";
        let (said, places) = Spoken::of(written, 0..written.len()).into_parts();
        assert_eq!(said, "Call us & me.");
        for (said, upto) in
            [("Call", "Call"), ("Call us", "Call **us"), ("Call us & me", "Call **us** &amp; [me")]
        {
            assert_eq!(&written[..places.written(said.len())], upto);
        }
    }

    proptest! {
        #[test]
        fn plain_text_is_spoken_as_it_is_written(text in "[a-zA-Z0-9äéñßа-я '\"(),.;:!?%€$-]{0,60}") {
            let text = text.trim();
            let bullet = text.starts_with("- ") || text.chars().all(|c| matches!(c, '-' | ' ' | ':'));
            let code = text.split_whitespace().any(|word| word.len() > 2 && word.contains(':'));
            prop_assume!(!bullet && !code);
            prop_assert_eq!(speech_form(text), text);
        }

        #[test]
        fn any_text_has_a_form_whose_places_are_within_it(text in "([*_`#|<>&\\[\\]()~:/!. \n😀-]|[a-z]|https://){0,40}", cut in 0_usize..40) {
            let cut = text.char_indices().nth(cut).map_or(0, |(at, _)| at);
            let spoken = Spoken::of(&text, cut..text.len());
            let mut last = 0;
            for upto in 0..=spoken.text().len() {
                let written = spoken.places.written(upto);
                prop_assert!(written >= last && cut + written <= text.len(), "{:?}", spoken);
                last = written;
            }
        }
    }
}
