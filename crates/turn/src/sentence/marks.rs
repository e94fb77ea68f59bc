/// What a mark ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A sentence, if what is before the full stop is no abbreviation.
    FullStop,
    /// A sentence, when a blank follows.
    Sentence,
    /// A sentence, whatever follows: the script has no blanks, or not always.
    Alone,
    /// A part of a sentence, when a blank follows.
    Phrase,
    /// A part of a sentence, whatever follows.
    PhraseAlone,
}

impl Mark {
    /// What `text` ends with, if it is a mark.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let mut chars = text.chars().rev();
        let mark = chars.next()?;
        match mark {
            '.' => Some(Self::FullStop),
            '!' | '?' | '…' | '؟' | '۔' | '։' | '\u{37e}' | '፧' | '።' | '፨' => {
                Some(Self::Sentence)
            }
            // Greek asks with it and has the ano teleia; Armenians type it for their own full stop.
            ';' | '·' | '\u{387}' if chars.next().is_some_and(is_greek) => Some(Self::Sentence),
            ':' if chars.next().is_some_and(is_armenian) => Some(Self::Sentence),
            _ if ALONE.contains(&mark) => Some(Self::Alone),
            _ if PHRASE_ALONE.contains(&mark) => Some(Self::PhraseAlone),
            ';' if ends_entity(text) => None,
            _ if PHRASE.contains(&mark) => Some(Self::Phrase),
            // Thai and its neighbours part sentences by a blank, and have no mark.
            _ if is_parted_by_blanks(mark) => Some(Self::Phrase),
            _ => None,
        }
    }
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}') && c.is_alphabetic()
}

fn is_armenian(c: char) -> bool {
    matches!(c, '\u{531}'..='\u{556}' | '\u{560}'..='\u{588}')
}

/// Thai, Lao, and Khmer.
fn is_parted_by_blanks(c: char) -> bool {
    matches!(c, '\u{e01}'..='\u{e4e}' | '\u{e81}'..='\u{ece}' | '\u{1780}'..='\u{17d3}')
}

/// `&amp;` is one sign.
fn ends_entity(text: &str) -> bool {
    let name = text[..text.len() - 1].rsplit('&').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '#';
    text.contains('&') && (2..=8).contains(&name.len()) && name.chars().all(plain)
}

/// What may stand between the mark that ends a sentence and the blank behind it, marks of Markdown included.
pub(crate) const CLOSERS: [char; 18] =
    ['"', '\'', ')', ']', '”', '’', '»', '›', '“', '」', '』', '）', '】', '》', '*', '_', '`', '~'];

/// What may stand in front of a word.
pub(super) const OPENERS: [char; 17] =
    ['"', '\'', '(', '[', '“', '‘', '«', '‹', '„', '‚', '「', '『', '（', '*', '_', '`', '~'];

const PHRASE: [char; 14] = [',', ';', ':', '—', '–', '،', '؛', '՝', '፣', '፤', '፥', '፦', '၊', '·'];

/// Chinese, Japanese, Devanagari and its kin, Burmese, Khmer, Tibetan.
const ALONE: [char; 13] = ['。', '！', '？', '｡', '．', '।', '॥', '။', '។', '៕', '།', '‼', '⁇'];

const PHRASE_ALONE: [char; 4] = ['，', '；', '：', '､'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mark_means_is_told_by_the_letters_before_it() {
        for (text, mark) in [
            ("Τι κάνεις;", Some(Mark::Sentence)),
            ("καλά·", Some(Mark::Sentence)),
            ("one;", Some(Mark::Phrase)),
            ("&amp;", None),
            ("Բարև:", Some(Mark::Sentence)),
            ("Note:", Some(Mark::Phrase)),
            ("Բարև։", Some(Mark::Sentence)),
            ("नमस्ते।", Some(Mark::Alone)),
            ("کیا حال ہے؟", Some(Mark::Sentence)),
            ("ٹھیک ہے۔", Some(Mark::Sentence)),
            ("ሰላም።", Some(Mark::Sentence)),
            ("สวัสดีครับ", Some(Mark::Phrase)),
            ("你好。", Some(Mark::Alone)),
            ("你好，", Some(Mark::PhraseAlone)),
            ("word", None),
        ] {
            assert_eq!(Mark::of(text), mark, "{text}");
        }
    }
}
