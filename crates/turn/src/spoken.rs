//! What of a transcript is words of the caller: recognisers also write down noises, music and silence.

/// Whether a recogniser may still change a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may: an annotation that is not closed is still being written.
    Guess,
    /// It will not.
    Words,
}

/// The caller's words: without annotations such as `[BLANK_AUDIO]`, `(music)`, `*sighs*` and `♪ la la ♪`; empty where no
/// letter and no digit is left.
pub(crate) fn spoken(text: &str, standing: Standing) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let annotation = match annotation(rest, words.chars().next_back()) {
            Some(Annotation::Closed(length)) => Some(length),
            Some(Annotation::Open(mark)) => Some(if standing == Standing::Guess { rest.len() } else { mark }),
            None => None,
        };
        match annotation {
            Some(length) => part(&mut words, &rest[length..]),
            None => words.push(next),
        }
        rest = &rest[annotation.unwrap_or(next.len_utf8())..];
    }
    if words.len() < text.len() {
        words.drain(..words.len() - words.trim_start_matches(is_pause).len());
    }
    if words.contains(char::is_alphanumeric) { words.trim().to_owned() } else { String::new() }
}

/// The text is nothing but these phrases, however often and however they are written.
pub(crate) fn consists_of(text: &str, phrases: &[String]) -> bool {
    let text = letters(text);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let phrases = phrases.iter().map(|phrase| letters(phrase)).filter(|phrase| !phrase.is_empty());
        let longest = phrases.filter(|phrase| rest.starts_with(phrase.as_str())).max_by_key(String::len);
        let Some(phrase) = longest else { return false };
        rest = &rest[phrase.len()..];
    }
    !text.is_empty()
}

/// Letters and digits alone, in lower case.
pub(crate) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Something that is not said, at the beginning of a text.
enum Annotation {
    /// So many bytes.
    Closed(usize),
    /// Its mark, of so many bytes, has no counterpart.
    Open(usize),
}

fn annotation(text: &str, before: Option<char>) -> Option<Annotation> {
    let mark = text.chars().next()?;
    match mark {
        '*' => emphasis(text, before).map(Annotation::Closed),
        '<' => tag(text).map(Annotation::Closed),
        mark if is_note(mark) => Some(music(text)),
        mark => bracket(text, mark, closing(mark)?),
    }
}

fn closing(mark: char) -> Option<char> {
    BRACKETS.iter().find(|(open, _)| *open == mark).map(|(_, close)| *close)
}

/// With the brackets inside it. Digits in round ones are said: a telephone number is written like that.
fn bracket(text: &str, open: char, close: char) -> Option<Annotation> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
        }
        if depth == 0 {
            let inside = &text[open.len_utf8()..at];
            let number = open == '(' && is_number(inside);
            return (!number).then_some(Annotation::Closed(at + close.len_utf8()));
        }
    }
    let inside = &text[open.len_utf8()..];
    (!(open == '(' && is_number(inside))).then_some(Annotation::Open(open.len_utf8()))
}

fn is_number(text: &str) -> bool {
    text.contains(char::is_numeric) && !text.contains(char::is_alphabetic)
}

/// `*sighs*`, but neither `2 * 3 * 4` nor a single asterisk.
fn emphasis(text: &str, before: Option<char>) -> Option<usize> {
    let inside = text.trim_start_matches('*');
    if before.is_some_and(char::is_alphanumeric) || inside.starts_with(char::is_whitespace) {
        return None;
    }
    let end = inside.find('*').filter(|end| !inside[..*end].ends_with(char::is_whitespace))?;
    let behind = inside[end..].trim_start_matches('*');
    Some(text.len() - behind.len())
}

/// `<noise>` and `<|nospeech|>`, but no comparison.
fn tag(text: &str) -> Option<usize> {
    let inside = &text[1..];
    let named = inside.starts_with(|c: char| c.is_alphabetic() || c == '|' || c == '/');
    inside.find('>').filter(|_| named).map(|end| end + 2)
}

/// What stands between two notes is sung.
fn music(text: &str) -> Annotation {
    let sung = text.trim_start_matches(is_note);
    match sung.find(is_note) {
        Some(end) => Annotation::Closed(text.len() - sung[end..].trim_start_matches(is_note).len()),
        None => Annotation::Open(text.len() - sung.len()),
    }
}

const fn is_note(c: char) -> bool {
    matches!(c, '♩' | '♪' | '♫' | '♬' | '🎵' | '🎶' | '🎼')
}

/// What may be left in front of the words when an annotation is taken away.
fn is_pause(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '.' | ';' | ':' | '-' | '–' | '—' | '…' | '!' | '?')
}

/// Words on both sides of an annotation do not run together.
fn part(words: &mut String, rest: &str) {
    while words.ends_with(char::is_whitespace) {
        words.pop();
    }
    if !words.is_empty() && rest.starts_with(char::is_alphanumeric) {
        words.push(' ');
    }
}

/// Round ones and their kin, as recognisers in all languages write them.
const BRACKETS: [(char, char); 7] =
    [('[', ']'), ('(', ')'), ('{', '}'), ('（', '）'), ('［', '］'), ('【', '】'), ('〔', '〕')];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_said_is_no_word() {
        for text in [
            "",
            " ",
            "\u{a0}\u{200b}",
            ".",
            "...",
            "…",
            "?",
            "-",
            "--",
            "\"\"",
            "。",
            "👍",
            "♪",
            "♪♪",
            "♪ la la la ♪",
            "🎵",
            "[BLANK_AUDIO]",
            "[ Silence ]",
            " [Music] [Applause]",
            "(music)",
            "(wind blowing)",
            "((coughs))",
            "（笑）",
            "【音楽】",
            "[MUSIC (soft)].",
            "*sighs*",
            "**sighs**",
            "* *sighs* *",
            "{noise}",
            "<noise>",
            "<|nospeech|>",
            "[music] ... (laughs) ♪",
        ] {
            assert_eq!(spoken(text, Standing::Words), "", "{text:?}");
        }
    }

    #[test]
    fn words_are_kept_as_they_were_written() {
        for text in [
            "Yes.",
            "Dr. Müller-Lüdenscheidt",
            "你好",
            "हाँ",
            "7",
            "(555) 123-4567",
            "2 * 3 * 4",
            "2*3*4",
            "press *",
            "is 3 < 5 or 7 > 5",
            "¿Qué?",
            "C++",
        ] {
            assert_eq!(spoken(text, Standing::Words), text);
        }
    }

    #[test]
    fn words_beside_an_annotation_are_kept() {
        for (text, words) in [
            ("[Music] Yes please.", "Yes please."),
            ("(laughs), yes", "yes"),
            ("I want *coughs* two", "I want two"),
            ("two (laughs). Please", "two. Please"),
            ("hello♪there", "hello there"),
            ("yes [", "yes"),
        ] {
            assert_eq!(spoken(text, Standing::Words), words, "{text:?}");
        }
    }

    #[test]
    fn an_annotation_that_is_still_being_written_is_none_of_a_guess() {
        for (text, guess, words) in [
            ("[BLANK", "", "BLANK"),
            ("yes (lau", "yes", "yes lau"),
            ("(555) 12", "(555) 12", "(555) 12"),
            ("(555", "(555", "(555"),
            ("♪ la", "", "la"),
        ] {
            assert_eq!(
                (spoken(text, Standing::Guess), spoken(text, Standing::Words)),
                (guess.into(), words.into())
            );
        }
    }

    #[test]
    fn a_phrase_is_known_however_it_is_written_and_repeated() {
        let phrases = ["Thank you.".to_owned(), "Thanks for watching!".to_owned(), " ".to_owned()];
        for text in ["thank you", "Thank you.", "Thank you. Thank you! Thanks for watching."] {
            assert!(consists_of(text, &phrases), "{text}");
        }
        for text in ["", "thank", "Thank you, Anna", "No, thank you"] {
            assert!(!consists_of(text, &phrases), "{text}");
        }
        assert!(!consists_of("thank you", &[]));
    }
}
