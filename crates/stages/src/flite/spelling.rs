use super::voice::WordEnd;
use std::ffi::CString;

/// A text as Flite can read it: one ASCII character for each character of the original, so that places in one are
/// places in the other.
#[derive(Debug)]
pub(super) struct Spelling {
    ascii: Vec<u8>,
    /// Where each character of the original ends, in bytes.
    ends: Vec<u32>,
}

impl Spelling {
    pub(super) fn new(text: &str) -> Self {
        let ascii = text.chars().map(plain).collect();
        let ends = text.char_indices().map(|(at, c)| (at + c.len_utf8()) as u32).collect();
        Self { ascii, ends }
    }

    /// `None`: there is nothing to say.
    pub(super) fn to_c(&self) -> Option<CString> {
        let speakable = self.ascii.iter().any(u8::is_ascii_alphanumeric);
        speakable.then(|| CString::new(self.ascii.as_slice()).expect("control characters were replaced"))
    }

    /// Where in the original each word ends, with the second at which it has been said: the places are character
    /// boundaries and never go back, nor do the seconds.
    ///
    /// A voice's tokens are words without their punctuation, in order, so each is looked for behind the one before,
    /// at most two words on; one that the voice wrote anew is passed over.
    pub(super) fn places(&self, words: &[WordEnd]) -> Vec<(u32, f32)> {
        let mut places = Vec::with_capacity(words.len());
        let (mut at, mut seconds) = (0, 0.0_f32);
        for end in words {
            seconds = seconds.max(end.seconds);
            let within = &self.ascii[at..self.word_end(self.word_end(at))];
            let token = end.word.as_bytes();
            let Some(found) = within.windows(token.len().max(1)).position(|window| window == token) else {
                continue;
            };
            at += found + token.len();
            places.push((self.ends[self.word_end(at - 1) - 1], seconds));
        }
        places
    }

    /// Where the word at or behind `at` ends.
    fn word_end(&self, at: usize) -> usize {
        let blanks = self.ascii[at..].iter().take_while(|c| c.is_ascii_whitespace()).count();
        let letters = self.ascii[at + blanks..].iter().take_while(|c| !c.is_ascii_whitespace()).count();
        at + blanks + letters
    }
}

/// What stands for a character; a blank where nothing does.
fn plain(c: char) -> u8 {
    match c {
        '\u{20}'..='\u{7e}' => c as u8,
        '‘' | '’' | '´' => b'\'',
        '“' | '”' | '„' => b'"',
        '–' | '—' | '−' => b'-',
        '…' => b'.',
        'À'..='Å' => b'A',
        'Ç' => b'C',
        'È'..='Ë' => b'E',
        'Ì'..='Ï' => b'I',
        'Ñ' => b'N',
        'Ò'..='Ö' | 'Ø' => b'O',
        'Ù'..='Ü' => b'U',
        'ß' => b's',
        'à'..='å' => b'a',
        'ç' => b'c',
        'è'..='ë' => b'e',
        'ì'..='ï' => b'i',
        'ñ' => b'n',
        'ò'..='ö' | 'ø' => b'o',
        'ù'..='ü' => b'u',
        'ý' | 'ÿ' => b'y',
        _ => b' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ends(words: &[&str]) -> Vec<WordEnd> {
        let end = |(index, word): (usize, &&str)| WordEnd { word: (*word).into(), seconds: index as f32 };
        words.iter().enumerate().map(end).collect()
    }

    #[test]
    fn a_word_ends_behind_its_punctuation() {
        let text = "“Olé”, she said: it’s 10:30.";
        let places = Spelling::new(text).places(&ends(&["Ole", "she", "said", "it's", "10:30"]));
        let said: Vec<_> = places.iter().map(|(upto, _)| &text[..*upto as usize]).collect();
        assert_eq!(said, ["“Olé”,", "“Olé”, she", "“Olé”, she said:", "“Olé”, she said: it’s", text]);
    }

    #[test]
    fn a_token_that_the_voice_wrote_anew_is_passed_over() {
        let places = Spelling::new("one two three").places(&ends(&["one", "2", "three"]));
        assert_eq!(places, [(3, 0.0), (13, 2.0)]);
    }

    #[test]
    fn what_has_no_letter_is_not_spoken() {
        assert!(Spelling::new(" …\0 ?! 你好").to_c().is_none());
        assert!(Spelling::new("a\0b").to_c().is_some());
    }

    proptest! {
        #[test]
        fn places_are_boundaries_and_never_go_back(text in "\\PC{0,60}", cuts in prop::collection::vec((0usize..60, 0usize..8, -1f32..9.0), 0..12)) {
            let spelling = Spelling::new(&text);
            let words: Vec<_> = cuts.iter().map(|(at, length, seconds)| {
                let at = *at.min(&spelling.ascii.len());
                let word = &spelling.ascii[at..(at + length).min(spelling.ascii.len())];
                WordEnd { word: String::from_utf8_lossy(word).into_owned(), seconds: *seconds }
            }).collect();
            let places = spelling.places(&words);
            for (upto, _) in &places {
                prop_assert!(text.is_char_boundary(*upto as usize));
            }
            prop_assert!(places.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
        }
    }
}
