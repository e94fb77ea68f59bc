//! Letters that are written in more than one way, written in one.

use tantivy::tokenizer::{Token, TokenFilter, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// A text as it is cut into words: letters of full width, ligatures and figures above the line are plain ones, letters and
/// their accents are one character, what cannot be seen is gone, and all letters are small.
pub(crate) fn plain(text: &str) -> String {
    let seen: String = text.chars().filter(|char| !is_unseen(*char)).collect();
    let composed = seen.nfkc().filter(|char| !is_unseen(*char) && !is_point(*char));
    // Its small letter would be an i with a dot of its own.
    let dotted = composed.map(|char| if char == '\u{130}' { 'i' } else { char });
    dotted.collect::<String>().to_lowercase()
}

/// A text as it is kept and read out: as it was written, without what cannot be seen.
pub(crate) fn tidy(text: &str) -> String {
    let seen = text.chars().filter(|char| !is_unseen(*char));
    let mut tidy = String::with_capacity(text.len());
    for char in seen.nfc() {
        match char {
            // Ligatures are the typesetter's.
            '\u{fb00}'..='\u{fb06}' => tidy.extend([char].into_iter().nfkc()),
            char => tidy.push(char),
        }
    }
    tidy
}

/// A word without its accents: whoever asks may leave them out.
fn unaccented(word: &str) -> String {
    let bare = word.nfd().filter(|char| !is_accent(*char));
    let mut folded = String::with_capacity(word.len());
    for char in bare.nfc() {
        match char {
            '\u{131}' => folded.push('i'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ς' => folded.push('σ'),
            'أ' | 'إ' | 'آ' | 'ٱ' => folded.push('ا'),
            char => folded.push(char),
        }
    }
    folded
}

/// Soft hyphens, byte order marks, marks of direction, and what joins or parts letters without a trace.
pub(crate) const fn is_unseen(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{640}'
    )
}

/// Points of Hebrew and Arabic, which most texts go without.
fn is_point(char: char) -> bool {
    (10..=36).contains(&canonical_combining_class(char))
}

/// Accents above and below letters. Signs of vowels are letters in many scripts, and have other classes.
fn is_accent(char: char) -> bool {
    (200..=240).contains(&canonical_combining_class(char)) && !is_indic(char)
}

/// Signs of scripts of India with the class of accents.
const fn is_indic(char: char) -> bool {
    matches!(char, '\u{900}'..='\u{dff}')
}

/// Leaves the accents of words out, behind their stemmer, which needs them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unaccented;

#[derive(Clone, Debug)]
pub(crate) struct UnaccentedWords<T>(T);

#[derive(Debug)]
pub(crate) struct UnaccentedStream<T>(T);

impl TokenFilter for Unaccented {
    type Tokenizer<T: Tokenizer> = UnaccentedWords<T>;

    fn transform<T: Tokenizer>(self, tokenizer: T) -> UnaccentedWords<T> {
        UnaccentedWords(tokenizer)
    }
}

impl<T: Tokenizer> Tokenizer for UnaccentedWords<T> {
    type TokenStream<'a> = UnaccentedStream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        UnaccentedStream(self.0.token_stream(text))
    }
}

impl<T: TokenStream> TokenStream for UnaccentedStream<T> {
    fn advance(&mut self) -> bool {
        if !self.0.advance() {
            return false;
        }
        let token = self.0.token_mut();
        if !token.text.is_ascii() {
            token.text = unaccented(&token.text);
        }
        true
    }

    fn token(&self) -> &Token {
        self.0.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.0.token_mut()
    }
}
