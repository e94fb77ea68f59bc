use crate::{Document, Passage};
use unicode_segmentation::UnicodeSegmentation;

/// Cuts a document into passages of some 120 words, and at most 180, that end where a sentence does and begin with the
/// last sentences of the one before: what stands across a cut is found from both sides. None goes across a heading.
pub fn cut(document: &Document) -> Vec<Passage> {
    let mut passages = Vec::new();
    for section in &document.sections {
        for text in pack(&section.text) {
            let (source, heading) = (document.source.clone(), section.heading.clone());
            passages.push(Passage { source, heading, text: text.to_owned() });
        }
    }
    passages
}

/// A sentence, a line of a list or a piece of either.
#[derive(Clone, Copy, Debug)]
struct Sentence {
    /// Where it begins in its text, in bytes.
    start: usize,
    end: usize,
    words: usize,
}

/// Passages of a text.
fn pack(text: &str) -> Vec<&str> {
    let sentences: Vec<_> = sentences(text).collect();
    let mut packed = Vec::new();
    let mut from = 0;
    while from < sentences.len() {
        let to = end_of(&sentences[from..]) + from;
        packed.push(&text[sentences[from].start..sentences[to - 1].end]);
        if to == sentences.len() {
            break;
        }
        from = overlap(&sentences, from, to);
    }
    packed
}

/// By UAX #29, which takes the end of a line for the end of a sentence.
fn sentences(text: &str) -> impl Iterator<Item = Sentence> {
    text.split_sentence_bound_indices().flat_map(|(at, sentence)| pieces(at, sentence))
}

/// A sentence that would be too long for a passage is cut between words.
fn pieces(at: usize, sentence: &str) -> Vec<Sentence> {
    let mut pieces = Vec::new();
    let (mut from, mut words) = (0, 0);
    for (start, word) in short_words(sentence) {
        if words >= WORDS || start + word.len() - from > LONGEST {
            pieces.extend(Sentence::trimmed(at + from, &sentence[from..start], words));
            (from, words) = (start, 0);
        }
        words += usize::from(word.chars().any(char::is_alphanumeric));
    }
    pieces.extend(Sentence::trimmed(at + from, &sentence[from..], words));
    pieces
}

/// Words and what is between them; what has no end is cut anywhere.
fn short_words(sentence: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    for (mut start, mut word) in sentence.split_word_bound_indices() {
        while word.len() > LONGEST_WORD {
            let (front, rest) = word.split_at(word.floor_char_boundary(LONGEST_WORD));
            words.push((start, front));
            (start, word) = (start + front.len(), rest);
        }
        words.push((start, word));
    }
    words
}

impl Sentence {
    fn trimmed(at: usize, text: &str, words: usize) -> Option<Self> {
        let start = at + text.len() - text.trim_start().len();
        let end = start + text.trim().len();
        (start < end).then_some(Self { start, end, words })
    }
}

/// How many of these sentences make a passage: at least one. A small rest is taken along.
fn end_of(sentences: &[Sentence]) -> usize {
    let start = sentences[0].start;
    let mut words = 0;
    let fitting = sentences.iter().take_while(|sentence| {
        words += sentence.words;
        words <= WORDS && sentence.end - start <= LONGEST
    });
    let fitting = fitting.count().max(1);
    let mut words = 0;
    let with_rest = sentences.iter().take_while(|sentence| {
        words += sentence.words;
        words <= MOST_WORDS && sentence.end - start <= LONGEST
    });
    if with_rest.count() == sentences.len() { sentences.len() } else { fitting }
}

/// Where the next passage begins: some sentences before `to`, but behind `from`. It must get further than the one before,
/// so that `to` has to fit behind what is repeated.
fn overlap(sentences: &[Sentence], from: usize, to: usize) -> usize {
    let next = sentences[to];
    let mut words = 0;
    let repeated = sentences[from + 1..to].iter().rev().take_while(|sentence| {
        words += sentence.words;
        words <= OVERLAP && words + next.words <= WORDS && next.end - sentence.start <= LONGEST
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

/// Bytes of a word.
const LONGEST_WORD: usize = 256;
