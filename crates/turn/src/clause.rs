use crate::Config;
use crate::sentence::{CLOSERS, Mark, Rules, is_day_of};
use crate::speech_form::Spoken;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The clauses that a whole reply is spoken in: what a voice is asked for, in the form that it is spoken in.
///
/// ```
/// use ringway_turn::{Config, clauses};
///
/// let said = clauses(&Config::default(), "**Of course.** What day would you like?");
/// assert_eq!(said, ["Of course.", "What day would you like?"]);
/// ```
pub fn clauses(config: &Config, text: &str) -> Vec<String> {
    let mut cutter = Cutter::new(config, config.rules());
    let mut found = Vec::new();
    while let Some(clause) = cutter.next(text) {
        found.push(clause);
    }
    found.extend(cutter.rest(text));
    let clauses = found.into_iter().filter_map(|clause| trimmed(text, clause));
    let spoken = clauses.map(|clause| Spoken::of(text, clause));
    spoken.filter(Spoken::is_audible).map(Spoken::into_text).collect()
}

/// Cuts a growing text into clauses to be spoken, each as soon as it stands.
///
/// A boundary is decided by the text up to it and the one character behind it, or the word behind the day of a month, so
/// that the clauses do not depend on how the text was cut into tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cutter {
    #[serde(skip)]
    rules: Rules,
    #[serde(skip)]
    min_first: usize,
    #[serde(skip)]
    min: usize,
    #[serde(skip)]
    max: usize,
    begin: usize,
    looked: usize,
}

impl Cutter {
    pub(crate) fn new(config: &Config, rules: Rules) -> Self {
        Self {
            rules,
            min_first: config.clause_min_first,
            min: config.clause_min,
            max: config.clause_max,
            begin: 0,
            looked: 0,
        }
    }

    /// The same where it stood, by these rules.
    pub(crate) fn restored(&self, config: &Config, rules: Rules) -> Self {
        Self { begin: self.begin, looked: self.looked, ..Self::new(config, rules) }
    }

    /// Whether it can go on in this text.
    pub(crate) fn fits(&self, text: &str) -> bool {
        self.begin <= self.looked && text.is_char_boundary(self.begin) && text.is_char_boundary(self.looked)
    }

    /// The next clause that stands in `text`, which only grows from call to call.
    pub(crate) fn next(&mut self, text: &str) -> Option<Range<usize>> {
        while let Some(c) = text[self.looked..].chars().next() {
            let at = self.looked;
            if at + c.len_utf8() - self.begin > self.max {
                return Some(self.cut(self.last_blank(text, at)));
            }
            match self.ends_clause(text, at, c) {
                Some(true) => return Some(self.cut(at)),
                Some(false) => self.looked += c.len_utf8(),
                None => return None,
            }
        }
        None
    }

    /// What has not been looked at is in another language.
    pub(crate) fn follow(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// The text up to here needs no clause.
    pub(crate) fn skip(&mut self, upto: usize) {
        (self.begin, self.looked) = (upto, upto);
    }

    /// What is left of the complete `text`.
    pub(crate) fn rest(&mut self, text: &str) -> Option<Range<usize>> {
        (self.begin < text.len()).then(|| self.cut(text.len()))
    }

    fn cut(&mut self, end: usize) -> Range<usize> {
        let clause = self.begin..end;
        self.begin = end;
        self.looked = end;
        clause
    }

    /// Whether a clause ends right before `c` at `at`: behind a mark that stands at the end of a word. `None`: what
    /// follows tells.
    fn ends_clause(&self, text: &str, at: usize, c: char) -> Option<bool> {
        let clause = &text[self.begin..at];
        if c == '\n' {
            return Some(!clause.trim().is_empty());
        }
        let marked = clause.trim_end_matches(CLOSERS);
        let Some(mark) = Mark::of(marked) else { return Some(false) };
        Some(match mark {
            Mark::Alone => !CLOSERS.contains(&c) && Mark::of(c.encode_utf8(&mut [0; 4])) != Some(mark),
            Mark::PhraseAlone => !CLOSERS.contains(&c) && self.is_long(clause),
            Mark::Sentence => c.is_whitespace(),
            Mark::FullStop => {
                c.is_whitespace() && self.rules.ends_sentence(marked) && !is_day_of(marked, &text[at..])?
            }
            Mark::Phrase => c.is_whitespace() && self.is_long(clause),
        })
    }

    /// Long enough to end within a sentence.
    fn is_long(&self, clause: &str) -> bool {
        let min = if self.begin == 0 { self.min_first } else { self.min };
        clause.trim_start().len() >= min
    }

    /// Where to cut a clause that grew too long: behind its last blank, or right here.
    fn last_blank(&self, text: &str, at: usize) -> usize {
        let clause = &text[self.begin..at];
        let blank = clause.char_indices().rev().find(|(index, c)| *index > 0 && c.is_whitespace());
        blank.map_or(at, |(index, _)| self.begin + index)
    }
}

/// The range without surrounding blanks, unless nothing is left.
pub(crate) fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = start + piece.trim().len();
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clauses_of(tokens: &[&str]) -> Vec<String> {
        clauses_in("en", tokens)
    }

    fn clauses_in(language: &str, tokens: &[&str]) -> Vec<String> {
        let mut cutter = Cutter::new(&Config::default(), Rules::of(language));
        let mut text = String::new();
        let mut clauses = Vec::new();
        for token in tokens {
            text.push_str(token);
            while let Some(clause) = cutter.next(&text) {
                clauses.push(text[clause].to_owned());
            }
        }
        clauses.extend(cutter.rest(&text).map(|clause| text[clause].to_owned()));
        clauses
    }

    #[test]
    fn the_first_clause_stands_before_the_second_is_complete() {
        let mut cutter = Cutter::new(&Config::default(), Rules::of("en"));
        assert_eq!(cutter.next("Of course."), None);
        assert_eq!(cutter.next("Of course. When"), Some(0..10));
        assert_eq!(cutter.next("Of course. When would"), None);
    }

    #[test]
    fn numbers_abbreviations_and_addresses_are_not_cut() {
        for whole in [
            "That is 3.5 percent of 1,200 people.",
            "Ask Mr. Smith or Dr. No.",
            "Bring fruit, e.g. apples.",
            "It is J. R. Miller.",
            "See https://example.org/a.b?c=d, it is short.",
            "Come at 5 p.m. on Monday.",
        ] {
            let clauses = clauses_of(&[whole]);
            assert!(clauses.iter().all(|clause| clause.ends_with(['.', ','])), "{clauses:?}");
            assert!(clauses.len() <= 1 + whole.matches(", ").count(), "{clauses:?}");
        }
    }

    #[test]
    fn a_sentence_ends_behind_its_closing_quote() {
        assert_eq!(clauses_of(&["She said \"no!\" I left."]), ["She said \"no!\"", " I left."]);
    }

    #[test]
    fn the_first_clause_may_end_at_an_early_comma() {
        let clauses = clauses_of(&["Thank you, Mrs. Jones, your table for four, by the window, is booked."]);
        assert_eq!(clauses[0], "Thank you, Mrs. Jones,");
        assert_eq!(clauses[1], " your table for four, by the window, is booked.");
    }

    #[test]
    fn marks_of_scripts_without_blanks_end_sentences() {
        assert_eq!(clauses_of(&["こんにちは。お元気ですか？"]), ["こんにちは。", "お元気ですか？"]);
    }

    #[test]
    fn sentences_end_where_their_language_ends_them() {
        for (language, text, clauses) in [
            ("en", "1. Press one. 2. Press two.", vec!["1. Press one.", "2. Press two."]),
            ("en", "We met on 12. December. Good?", vec!["We met on 12. December.", "Good?"]),
            ("en", "It costs 12. Do you want it?", vec!["It costs 12.", "Do you want it?"]),
            ("en", "It costs 12. Dec", vec!["It costs 12. Dec"]),
            ("en", "It costs 412. December is near.", vec!["It costs 412.", "December is near."]),
            ("fr", "Le 1. août à Berne. Bien ?", vec!["Le 1. août à Berne.", "Bien ?"]),
            ("es", "El 12. diciembre. ¿Bien?", vec!["El 12. diciembre.", "¿Bien?"]),
            ("it", "Il 12. dicembre. Va bene?", vec!["Il 12. dicembre.", "Va bene?"]),
            ("en", "Options: 1. Press one. Done.", vec!["Options: 1. Press one.", "Done."]),
            (
                "en",
                "Ask for Lt. Smith in Apt. 4. Thank you.",
                vec!["Ask for Lt. Smith in Apt. 4.", "Thank you."],
            ),
            (
                "de",
                "Am 3. Oktober, d. h. bis zum 31. 12. Danke!",
                vec!["Am 3. Oktober,", "d. h. bis zum 31. 12. Danke!"],
            ),
            ("de", "Wir haben ca. 20 Plätze. Gut?", vec!["Wir haben ca. 20 Plätze.", "Gut?"]),
            ("fr", "Chez Mme. Petit, av. Foch. Merci.", vec!["Chez Mme. Petit,", "av. Foch.", "Merci."]),
            (
                "es",
                "La Sra. Gil vive en la Avda. Sol. Gracias.",
                vec!["La Sra. Gil vive en la Avda. Sol.", "Gracias."],
            ),
            ("it", "Il Dott. Rossi è qui. Bene.", vec!["Il Dott. Rossi è qui.", "Bene."]),
            ("hi", "नमस्ते। आप कैसे हैं?", vec!["नमस्ते।", "आप कैसे हैं?"]),
            ("ar", "مرحبا. كيف حالك؟ شكرا", vec!["مرحبا.", "كيف حالك؟", "شكرا"]),
            ("ur", "ٹھیک ہے۔ شکریہ۔", vec!["ٹھیک ہے۔", "شکریہ۔"]),
            ("hy", "Բարև ձեզ։ Ինչպե՞ս եք։", vec!["Բարև ձեզ։", "Ինչպե՞ս եք։"]),
            ("am", "ሰላም ነው። እንዴት ነህ፧ ደህና", vec!["ሰላም ነው።", "እንዴት ነህ፧", "ደህና"]),
            ("th", "สวัสดีครับ ยินดีต้อนรับ", vec!["สวัสดีครับ", "ยินดีต้อนรับ"]),
            ("zh", "你好。请问您贵姓？谢谢", vec!["你好。", "请问您贵姓？", "谢谢"]),
            ("ja", "はい。「そうです。」お元気ですか？", vec!["はい。", "「そうです。」", "お元気ですか？"]),
            ("el", "Τι κάνεις; Είμαι καλά· εσύ;", vec!["Τι κάνεις;", "Είμαι καλά·", "εσύ;"]),
        ] {
            let found = clauses_in(language, &[text]);
            assert_eq!(found.iter().map(|clause| clause.trim()).collect::<Vec<_>>(), clauses, "{language}");
        }
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-z]{1,12}",
            Just(" ".into()),
            Just(", ".into()),
            Just(". ".into()),
            Just("\n".into()),
            Just("3.5".into()),
            Just("Mr. ".into()),
            Just("? ".into()),
            Just("ü。".into()),
            Just("3. ".into()),
            Just("ca. ".into()),
            Just("**".into()),
            Just("й; ".into()),
            "\\PC{0,4}",
        ];
        proptest::collection::vec(piece, 0..80).prop_map(|pieces: Vec<String>| pieces.concat())
    }

    proptest! {
        #[test]
        fn clauses_together_are_the_text(text in text()) {
            prop_assert_eq!(clauses_of(&[&text]).concat(), text);
        }

        #[test]
        fn no_clause_is_longer_than_the_bound(text in text()) {
            for clause in clauses_of(&[&text]) {
                prop_assert!(clause.len() <= Config::default().clause_max && !clause.is_empty());
            }
        }

        #[test]
        fn clauses_do_not_depend_on_how_tokens_were_cut(text in text()) {
            let chars: Vec<String> = text.chars().map(String::from).collect();
            let tokens: Vec<&str> = chars.iter().map(String::as_str).collect();
            for language in ["en", "de"] {
                prop_assert_eq!(clauses_in(language, &tokens), clauses_in(language, &[&text]));
            }
        }
    }
}
