//! Where documents are cut.

use crate::support::document;
use proptest::prelude::*;
use ringway_knowledge::cut;

/// So many sentences of ten words.
fn sentences(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("Sentence number {at} goes on for as long as ten words.")).collect()
}

#[test]
fn a_short_section_is_one_passage_under_its_heading() {
    let passages = cut(&document("a.md", &[("Hours", "Open daily. Closed at night."), ("Cafe", "None.")]));
    let texts: Vec<_> = passages.iter().map(|passage| (passage.cited(), passage.text.as_str())).collect();
    let expected = [("a.md, Hours", "Open daily. Closed at night."), ("a.md, Cafe", "None.")];
    assert_eq!(texts, expected.map(|(cited, text)| (cited.to_owned(), text)));
}

#[test]
fn a_long_section_is_cut_between_sentences_and_the_pieces_overlap() {
    let sentences = sentences(40);
    let passages = cut(&document("a.md", &[("", &sentences.join(" "))]));
    assert_eq!(passages.len(), 4, "{passages:#?}");
    for pair in passages.windows(2) {
        assert!(pair[0].text.ends_with("ten words.") && pair[1].text.starts_with("Sentence number"));
        let shared =
            sentences.iter().filter(|sentence| pair.iter().all(|passage| passage.text.contains(*sentence)));
        assert!((1..=3).contains(&shared.count()), "{pair:#?}");
    }
}

#[test]
fn a_sentence_without_an_end_is_cut_between_words() {
    let endless = vec!["word"; 500].join(" ");
    let passages = cut(&document("a.md", &[("", &endless)]));
    let words: Vec<_> = passages.iter().map(|passage| passage.text.split(' ').count()).collect();
    assert!(words.iter().all(|count| (50..=180).contains(count)), "{words:?}");
}

proptest! {
    #[test]
    fn every_sentence_is_in_some_passage_and_no_passage_is_too_long(text in r"([a-z\u{e4}-\u{fc}\u{4e2d} ]{0,40}[.!?,;\n ]{1,2}){0,60}") {
        let passages = cut(&document("a.md", &[("", &text)]));
        for word in text.split(|char: char| !char.is_alphabetic()).filter(|word| !word.is_empty()) {
            prop_assert!(passages.iter().any(|passage| passage.text.contains(word)), "{word:?} of {text:?}");
        }
        for passage in &passages {
            prop_assert!(passage.text.len() <= 2_048 && !passage.text.is_empty(), "{passage:?}");
        }
    }
}
