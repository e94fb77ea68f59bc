use super::diagnostic::Place;
use super::matching;
use super::script::{Pattern, Script};
use crate::spoken;
use std::path::PathBuf;

/// A word that a recogniser has to know, and where a dialogue listens for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenedWord {
    /// The word, in lower case.
    pub word: String,
    /// The dialogue's file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The dotted path of the key.
    pub key: String,
}

/// Every word that the script listens for, once for each place that asks for it.
pub(super) fn listened(script: &Script) -> Vec<(&Place, String)> {
    let mut found = Vec::new();
    for choice in script.all_choices() {
        for pattern in &choice.patterns {
            let place = match pattern {
                Pattern::Phrase(phrase) => &phrase.place,
                _ => &choice.place,
            };
            found.extend(words(pattern).map(|word| (place, word)));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The words as a recogniser's grammar has them: contractions and numerals are spelled out.
fn words(pattern: &Pattern) -> impl Iterator<Item = String> {
    let phrases = match pattern {
        Pattern::Digits(_) => spoken::digit_words().map(str::to_owned).collect(),
        _ => matching::phrases(pattern),
    };
    phrases.into_iter().flat_map(|phrase| spoken::words(&phrase))
}
