//! Where sentences end, in the writing and the language that they are in.
//!
//! What a mark means is told by the letters before it: `;` asks behind Greek, `:` ends a sentence behind Armenian. Which
//! full stops belong to a word is told by the language: `3.` is "third" in German and the end of a sentence in English.

mod abbreviations;
mod marks;

pub(crate) use marks::{CLOSERS, Mark};

use marks::OPENERS;

/// What a full stop may mean in one language.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    abbreviations: &'static [&'static str],
    /// A number with a full stop is an ordinal: "3. Oktober".
    ordinals: bool,
}

impl Rules {
    /// Those of the language of this code, as BCP 47 writes it; of one that is not known, what all have in common.
    pub(crate) fn of(language: &str) -> Self {
        let primary = language.split('-').next().unwrap_or_default().to_ascii_lowercase();
        Self {
            abbreviations: abbreviations::of(&primary),
            ordinals: abbreviations::ORDINALS.contains(&primary.as_str()),
        }
    }

    /// Whether `text`, which ends with a full stop, ends a sentence there, if a blank follows.
    pub(crate) fn ends_sentence(self, text: &str) -> bool {
        let start = text
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
        let word = text[start..].trim_start_matches(OPENERS);
        let before = &text[..text.len() - word.len()];
        let Some(stem) = word.strip_suffix('.') else { return true };
        !(self.is_abbreviation(stem) || self.is_ordinal(stem) || is_list_number(before, stem))
    }

    fn is_abbreviation(self, stem: &str) -> bool {
        let initial = matches!(single(stem), Some(c) if c.is_alphabetic() && is_cased(c) && c != 'I');
        let known = |word: &str| {
            let known = |known: &&str| same(known, word);
            self.abbreviations.iter().any(&known) || abbreviations::COMMON.iter().any(known)
        };
        let last = stem.rsplit(['-', '/', '.']).next().unwrap_or(stem);
        initial || is_dotted(stem) || known(stem) || known(last)
    }

    /// "3.", "31.12.", "II." where ordinals are written so; a year is none.
    fn is_ordinal(self, stem: &str) -> bool {
        let short =
            |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let roman = !stem.is_empty() && stem.bytes().all(|byte| b"IVXLC".contains(&byte));
        self.ordinals && (roman || stem.split('.').all(short))
    }
}

/// Whether `text`, which ends with a full stop, ends with the day of a month that `behind` names: "12. December", which
/// people of many languages write in all of them. `None`: the word behind it is not complete.
pub(crate) fn is_day_of(text: &str, behind: &str) -> Option<bool> {
    let stem = text.trim_end_matches('.');
    let digits = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let apart = stem[..stem.len() - digits].chars().next_back().is_none_or(char::is_whitespace);
    let day = stem[stem.len() - digits..].parse().is_ok_and(|day: u8| (1..=31).contains(&day));
    if !(apart && day && (1..=2).contains(&digits)) {
        return Some(false);
    }
    let behind = behind.trim_start();
    let word = behind.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let written = word.to_lowercase();
    if word.len() == behind.len() {
        let begun = abbreviations::MONTHS.iter().any(|month| month.starts_with(&written));
        return if begun { None } else { Some(false) };
    }
    Some(abbreviations::MONTHS.contains(&written.as_str()))
}

/// "1." in front of an entry of a list: nothing of a sentence is before it.
fn is_list_number(before: &str, stem: &str) -> bool {
    let digits = stem.len() <= 6 && stem.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let long = stem.split('.').any(|part| part.len() > 3);
    let before = before.trim_end();
    let begins =
        before.is_empty() || before.ends_with([':', ';', '!', '?', '…', '-', '–', '•', '*', '#', '>', '|']);
    digits && !long && stem.bytes().any(|byte| byte.is_ascii_digit()) && begins
}

/// "e.g", "z.B", "Ph.D", "EE.UU": letters, each part of one or two.
fn is_dotted(stem: &str) -> bool {
    let part = |part: &str| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic);
    stem.contains('.') && stem.split('.').all(part)
}

fn single(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Scripts without capitals write no initials.
fn is_cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase()
}

/// `known` is in small letters.
fn same(known: &str, word: &str) -> bool {
    known.chars().eq(word.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(language: &str, text: &str) -> bool {
        Rules::of(language).ends_sentence(text)
    }

    #[test]
    fn ordinals_are_those_of_their_language() {
        for (language, text, end) in [
            ("de", "Am 3.", false),
            ("de-AT", "bis zum 31.12.", false),
            ("de", "Friedrich II.", false),
            ("de", "im Jahr 2026.", true),
            ("en", "It is 3.", true),
            ("en", "1.", false),
            ("en", "See § 4.", true),
            ("en", "Options: 2.", false),
            ("cs", "dne 5.", false),
            ("fr", "Il en reste 3.", true),
        ] {
            assert_eq!(ends(language, text), end, "{language}: {text}");
        }
    }

    #[test]
    fn abbreviations_are_those_of_their_language_and_what_is_a_word_elsewhere_is_none_there() {
        for (language, text, end) in [
            ("de", "vgl. Art.", false),
            ("en", "This is art.", true),
            ("de", "z. B.", false),
            ("de", "i.d.R.", false),
            ("de", "Dipl.-Ing.", false),
            ("fr", "c.-à-d.", false),
            ("es", "Av.", false),
            ("es", "EE.UU.", false),
            ("it", "Gent.", false),
            ("it", "la Sig.ra.", false),
            ("en", "for Ph.D.", false),
            ("en", "Apt.", false),
            ("en", "and I.", true),
            ("ko", "네.", true),
            ("xx", "ca.", false),
            ("xx", "done.", true),
        ] {
            assert_eq!(ends(language, text), end, "{language}: {text}");
        }
    }
}
