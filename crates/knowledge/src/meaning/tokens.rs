use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The pieces of words that an uncased BERT knows: WordPiece behind its basic tokenizer, as
/// <https://github.com/google-research/bert/blob/master/tokenization.py> has them.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pieces: HashMap<String, i64>,
    special: Special,
}

/// Pieces that stand for no text.
#[derive(Clone, Copy, Debug)]
struct Special {
    begin: i64,
    end: i64,
    unknown: i64,
}

impl Vocabulary {
    /// Reads `vocab.txt`: a piece a line, numbered from 0. `None`: a special one is missing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let pieces: HashMap<String, i64> = text.lines().map(str::to_owned).zip(0..).collect();
        let number = |piece: &str| pieces.get(piece).copied();
        let special = Special { begin: number("[CLS]")?, end: number("[SEP]")?, unknown: number("[UNK]")? };
        Some(Self { pieces, special })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The numbers of a text's pieces, at most `most` with the two around them.
    pub(super) fn encode(&self, text: &str, most: usize) -> Vec<i64> {
        let mut numbers = vec![self.special.begin];
        for word in words(text) {
            if numbers.len() + 1 >= most {
                break;
            }
            self.push(&word, &mut numbers);
        }
        numbers.truncate(most.saturating_sub(1));
        numbers.push(self.special.end);
        numbers
    }

    /// The longest piece that a word begins with, and so on; a word that does not come out even is unknown as a whole.
    fn push(&self, word: &str, numbers: &mut Vec<i64>) {
        let before = numbers.len();
        let mut rest = word;
        while !rest.is_empty() {
            let Some((number, length)) = self.longest(rest, numbers.len() > before) else {
                numbers.truncate(before);
                return numbers.push(self.special.unknown);
            };
            numbers.push(number);
            rest = &rest[length..];
        }
    }

    fn longest(&self, text: &str, is_inside: bool) -> Option<(i64, usize)> {
        if text.chars().count() > LONGEST_WORD {
            return None;
        }
        let ends = text.char_indices().rev().map(|(at, _)| at).filter(|at| *at > 0);
        std::iter::once(text.len()).chain(ends).find_map(|end| {
            let piece = if is_inside { format!("##{}", &text[..end]) } else { text[..end].to_owned() };
            self.pieces.get(&piece).map(|number| (*number, end))
        })
    }
}

/// Words, punctuation marks and Chinese characters, in lower case and without accents.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let lower = text.chars().filter(|char| !is_removed(*char)).flat_map(char::to_lowercase);
    for char in lower.nfd().filter(|char| char.general_category() != GeneralCategory::NonspacingMark) {
        if char.is_whitespace() {
            words.push(String::new());
        } else if is_punctuation(char) || is_chinese(char) {
            words.extend([char.to_string(), String::new()]);
        } else if let Some(word) = words.last_mut() {
            word.push(char);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_removed(char: char) -> bool {
    let is_blank = matches!(char, '\t' | '\n' | '\r');
    char == '\u{fffd}' || (char.general_category_group() == GeneralCategoryGroup::Other && !is_blank)
}

fn is_punctuation(char: char) -> bool {
    char.is_ascii_punctuation() || char.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// The blocks of CJK ideographs, whose texts have no blanks between words.
fn is_chinese(char: char) -> bool {
    matches!(char,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2a6df}'
        | '\u{2a700}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}')
}

/// Characters of a word; longer ones are unknown.
const LONGEST_WORD: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let pieces =
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "hello", ",", "cafe", "中"];
        Vocabulary::parse(&pieces.join("\n")).unwrap()
    }

    #[test]
    fn words_are_taken_apart_into_their_longest_pieces() {
        assert_eq!(vocabulary().encode("Hello, UNAFFABLE  café", 16), [2, 7, 8, 4, 5, 6, 9, 3]);
    }

    #[test]
    fn a_word_that_does_not_come_out_even_is_unknown() {
        assert_eq!(vocabulary().encode("unaffx hello", 16), [2, 1, 7, 3]);
        assert_eq!(vocabulary().encode(&"un".repeat(60), 16), [2, 1, 3]);
    }

    #[test]
    fn control_characters_go_and_chinese_ones_stand_alone() {
        assert_eq!(vocabulary().encode("hel\u{200b}lo\0中中", 16), [2, 7, 10, 10, 3]);
    }

    #[test]
    fn a_long_text_is_cut_and_still_ends() {
        assert_eq!(vocabulary().encode(&"unaffable ".repeat(9), 6), [2, 4, 5, 6, 4, 3]);
    }
}
