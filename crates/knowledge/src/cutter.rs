use crate::{Document, Passage};
use unicode_segmentation::UnicodeSegmentation;

/// Cuts a document into passages of some 120 words, and at most 180, that end where a sentence does and begin with the
/// last sentences of the one before: what stands across a cut is found from both sides. None goes across a heading.
pub fn cut(document: &Document) -> Vec<Passage> {
    let mut passages = Vec::new();
    for section in &document.sections {
        let sentences = sentences(&section.text);
        for text in pack(&sentences) {
            let (source, heading) = (document.source.clone(), section.heading.clone());
            passages.push(Passage { source, heading, text });
        }
    }
    passages
}

/// A sentence, a line of a list or a piece of either, with its count of words.
#[derive(Clone, Copy, Debug)]
struct Sentence<'t> {
    text: &'t str,
    words: usize,
}

/// By UAX #29, which takes the end of a line for the end of a sentence.
fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let sentences = text.split_sentence_bounds().map(str::trim).filter(|sentence| !sentence.is_empty());
    sentences.flat_map(pieces).collect()
}

/// A sentence that would be too long for a passage is cut between words.
fn pieces(sentence: &str) -> Vec<Sentence<'_>> {
    let mut pieces = Vec::new();
    let (mut from, mut words) = (0, 0);
    for (at, word) in sentence.split_word_bound_indices() {
        let is_full = words >= WORDS || at + word.len() - from > LONGEST;
        if is_full && at > from && !word.trim().is_empty() {
            pieces.push(Sentence { text: sentence[from..at].trim_end(), words });
            (from, words) = (at, 0);
        }
        words += usize::from(word.chars().any(char::is_alphanumeric));
    }
    pieces.push(Sentence { text: &sentence[from..], words });
    pieces
}

fn pack(sentences: &[Sentence<'_>]) -> Vec<String> {
    let mut packed = Vec::new();
    let mut from = 0;
    while from < sentences.len() {
        let to = end_of(sentences, from);
        let texts: Vec<_> = sentences[from..to].iter().map(|sentence| sentence.text).collect();
        packed.push(texts.join(" "));
        if to == sentences.len() {
            break;
        }
        from = overlap(sentences, from, to);
    }
    packed
}

/// Where the passage that begins at `from` ends: behind it by at least one sentence. A small rest is taken along.
fn end_of(sentences: &[Sentence<'_>], from: usize) -> usize {
    let (mut words, mut bytes) = (0, 0);
    let fitting = sentences[from..].iter().take_while(|sentence| {
        words += sentence.words;
        bytes += sentence.text.len() + 1;
        words <= WORDS && bytes <= LONGEST
    });
    let to = from + fitting.count();
    let to = to.max(from + 1);
    let total: usize = sentences[from..].iter().map(|sentence| sentence.words).sum();
    let length: usize = sentences[from..].iter().map(|sentence| sentence.text.len() + 1).sum();
    if total <= MOST_WORDS && length <= LONGEST { sentences.len() } else { to }
}

/// Where the next passage begins: some sentences before `to`, but behind `from`.
fn overlap(sentences: &[Sentence<'_>], from: usize, to: usize) -> usize {
    let mut words = 0;
    let repeated = sentences[from + 1..to].iter().rev().take_while(|sentence| {
        words += sentence.words;
        words <= OVERLAP
    });
    to - repeated.count()
}

/// Words of a passage.
const WORDS: usize = 120;

/// Words of a passage that takes a small rest along; what the model reads, with its heading.
const MOST_WORDS: usize = 180;

/// Words that two passages share at most.
const OVERLAP: usize = 30;

/// Bytes of a passage, where what stands between blanks are no words.
const LONGEST: usize = 2_048;
