use super::ModelError;
use crate::{Expectation, spoken};
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::Path;

/// The words that the recogniser can pronounce, read from its dictionary alone: no engine is started.
#[derive(Clone)]
pub struct Dictionary {
    words: HashSet<Box<str>>,
}

impl Dictionary {
    /// Reads a dictionary in the format of Sphinx: a line a pronunciation, `word PHONE PHONE`, where `word(2)` is
    /// another one of the same word.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let text = fs::read_to_string(path).map_err(|error| ModelError::new(path, error.to_string()))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let word = |line: &str| line.split_ascii_whitespace().next().map(Box::from);
        Self { words: text.lines().filter_map(word).collect() }
    }

    /// Whether the word, in lower case, has a pronunciation.
    pub fn pronounceable(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// The words of the expected phrases that cannot be recognised, each once, in their order.
    pub fn missing_words(&self, expectation: &Expectation) -> Vec<String> {
        let mut missing = Vec::new();
        for word in expectation.phrases.iter().flat_map(|phrase| spoken::words(phrase)) {
            if !self.pronounceable(&word) && !missing.contains(&word) {
                missing.push(word);
            }
        }
        missing
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary").field("words", &self.words.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_words_are_named_once() {
        let dictionary = Dictionary::parse("a EY\na(2) AH\nsales S EY L Z\no'clock AH K L AA K\n");
        let phrases = ["Sales", "zyzzx road", "a zyzzx", "1 o'clock"].map(str::to_owned).to_vec();
        let expectation = Expectation { phrases, ..Expectation::default() };
        assert_eq!(dictionary.missing_words(&expectation), ["zyzzx", "road", "one"]);
    }
}
