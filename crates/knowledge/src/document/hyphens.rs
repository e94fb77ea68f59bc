/// Puts the next line behind a text whose lines were broken to fit a page. A hyphen between small letters is the
/// typesetter's and goes, unless the word stands elsewhere with it; any other belongs to the word. `whole` is all that is
/// known of the text.
pub(super) fn join(text: &mut String, line: &str, whole: &str) {
    let before = text.trim_end();
    let Some(left) = before.strip_suffix(['-', '\u{2010}', '\u{ad}']) else {
        text.push(' ');
        return text.push_str(line);
    };
    let soft = before.ends_with('\u{ad}');
    let (last, next) = (left.chars().next_back(), line.chars().next());
    let small = |char: Option<char>| char.is_some_and(char::is_lowercase);
    let clings = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
    let word = line.split(|char: char| !char.is_alphabetic()).next().unwrap_or_default();
    if !clings(last) || !clings(next) || CONJUNCTIONS.contains(&word) {
        text.push(' ');
    } else if soft || (small(last) && small(next) && !stands_in(whole, left, word)) {
        let length = left.len();
        text.truncate(length);
    } else {
        let length = before.len();
        text.truncate(length);
    }
    text.push_str(line);
}

/// Whether the word stands elsewhere with its hyphen.
fn stands_in(whole: &str, left: &str, right: &str) -> bool {
    let start = left.rfind(|char: char| !char.is_alphanumeric()).map_or(0, |at| at + 1);
    let start = left.ceil_char_boundary(start);
    whole.contains(&format!("{}-{right}", &left[start..]))
}

/// Before these a hyphen stands for the rest of a word: "morning- and evening shifts".
const CONJUNCTIONS: [&str; 17] = [
    "and", "or", "to", "und", "oder", "bis", "sowie", "bzw", "et", "ou", "y", "o", "e", "en", "of", "och",
    "og",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphen_of_a_broken_word_goes() {
        for (text, line, joined) in [
            ("except on holi-", "days and", "except on holidays and"),
            ("Gesch\u{e4}fts\u{ad}", "zeiten", "Gesch\u{e4}ftszeiten"),
            ("eine E-", "Mail", "eine E-Mail"),
            ("from 10-", "12", "from 10-12"),
            ("Ein-", "und Ausgang", "Ein- und Ausgang"),
            ("a well-", "known place, the well-known", "a well-known place, the well-known"),
            ("open -", "always", "open - always"),
            ("plain", "text", "plain text"),
        ] {
            let mut said = text.to_owned();
            join(&mut said, line, &format!("{text}\n{line}"));
            assert_eq!(said, joined);
        }
    }
}
