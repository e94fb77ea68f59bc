//! Texts, cut into words.

use crate::folding::plain;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Cuts a text into words: letters, digits and their marks. Where a script has no blanks between its words, each two
/// neighbours are one, which finds a word wherever it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// Each character of such a script is a word too. A text wants it, in which one may be looked for alone; a question
    /// does not.
    pub(crate) singles: bool,
}

/// The words of one text.
#[derive(Debug, Default)]
pub(crate) struct WordStream {
    words: std::vec::IntoIter<String>,
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream {
        let mut words = Vec::new();
        let plain = plain(text);
        for word in plain.split(|char| !is_of_word(char)).filter(|word| !word.is_empty()) {
            self.cut(word, &mut words);
        }
        WordStream { words: words.into_iter(), token: Token::default() }
    }
}

impl Words {
    /// Runs of scripts with blanks and of those without are apart.
    fn cut(self, word: &str, words: &mut Vec<String>) {
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let dense = is_dense(first);
            let of_run = |char: char| is_dense(char) == dense || is_mark(char);
            let (run, behind) = rest.split_at(rest.find(|char| !of_run(char)).unwrap_or(rest.len()));
            if dense {
                self.pairs(run, words)
            } else {
                words.push(run.to_owned())
            }
            rest = behind;
        }
    }

    fn pairs(self, run: &str, words: &mut Vec<String>) {
        let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
        if self.singles || starts.len() == 2 {
            words.extend(starts.windows(2).map(|at| run[at[0]..at[1]].to_owned()));
        }
        words.extend(starts.windows(3).map(|at| run[at[0]..at[2]].to_owned()));
    }
}

impl TokenStream for WordStream {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else { return false };
        self.token.text = word;
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || is_mark(char)
}

fn is_mark(char: char) -> bool {
    char.general_category_group() == GeneralCategoryGroup::Mark
}

/// Of a script that is written without blanks between words, or, as Korean is, with endings that cling to them.
const fn is_dense(char: char) -> bool {
    matches!(
        char,
        // Thai and Lao, Myanmar, Khmer.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        // Kana, Bopomofo, ideographs, Hangul.
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3100}'..='\u{312f}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
        | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7ff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(singles: bool, text: &str) -> Vec<String> {
        let mut words = Words { singles };
        let mut stream = words.token_stream(text);
        let mut found = Vec::new();
        while let Some(token) = stream.next() {
            found.push(token.text.clone());
        }
        found
    }

    #[test]
    fn words_are_letters_digits_and_their_marks() {
        assert_eq!(
            words(true, "Don\u{2019}t, \u{ff21}\u{ff22}12 \u{926}\u{941}\u{915}\u{93e}\u{928}!"),
            ["don", "t", "ab12", "\u{926}\u{941}\u{915}\u{93e}\u{928}"]
        );
        assert_eq!(
            words(true, "Kon\u{ad}to \u{fb01}n Mu\u{308}ll \u{130}ki"),
            ["konto", "fin", "m\u{fc}ll", "iki"]
        );
        assert_eq!(
            words(true, "\u{5e9}\u{5c1}\u{5b8}\u{5dc}\u{5d5}\u{5b9}\u{5dd}"),
            ["\u{5e9}\u{5dc}\u{5d5}\u{5dd}"]
        );
    }

    #[test]
    fn where_no_blanks_are_written_two_neighbours_are_a_word() {
        assert_eq!(words(false, "営業時間 wifi有"), ["営業", "業時", "時間", "wifi", "有"]);
        assert_eq!(words(true, "営業"), ["営", "業", "営業"]);
        assert_eq!(words(false, "เวลา"), ["เว", "วล", "ลา"]);
    }
}
