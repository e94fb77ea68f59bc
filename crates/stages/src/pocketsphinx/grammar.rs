use crate::{Expectation, spoken};
use std::collections::{BTreeMap, HashMap};

/// What may be said, as a graph: a path of words from [`START`] to [`END`] for each answer, and one of bare phones for
/// everything else.
///
/// An answer may have a few words around it ("um monday please"). A number of digits may be cut short, for a caller
/// pauses within a number and is heard in parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grammar {
    pub(super) states: u32,
    pub(super) arcs: Vec<Arc>,
}

/// A word between two states.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arc {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) word: String,
    /// A likelihood relative to other arcs; an answer's words have 1.
    pub(super) weight: f64,
}

pub(super) const START: u32 = 0;
pub(super) const END: u32 = 1;

/// Where bare phones lead.
const ELSEWHERE: u32 = 2;

impl Grammar {
    /// The grammar of an expectation, without the phrases that have a word which the recogniser does not know; `None`
    /// when nothing certain is expected.
    pub(super) fn of(expectation: &Expectation, knows: &dyn Fn(&str) -> bool) -> Option<Self> {
        let mut builder = Builder::default();
        for phrase in &expectation.phrases {
            builder.phrase(&spoken::words(phrase), knows);
        }
        if let Some(count) = &expectation.digits {
            builder.digits(usize::from(*count.end()));
        }
        builder.finish()
    }
}

/// The words that stand for bare phones, and their phones.
pub(super) fn bare_phones() -> impl Iterator<Item = (String, &'static str)> {
    PHONES.iter().map(|phone| (format!("{BARE}{phone}"), *phone))
}

/// The recogniser heard something else than an answer.
pub(super) fn is_elsewhere(text: &str) -> bool {
    text.split(' ').any(|word| word.starts_with(BARE))
}

#[derive(Default)]
struct Builder {
    arcs: Vec<Arc>,
    states: u32,
    /// The states that phrases with the same beginning share.
    tree: HashMap<(u32, String), u32>,
}

impl Builder {
    fn phrase(&mut self, words: &[String], knows: &dyn Fn(&str) -> bool) {
        let Some((last, first)) = words.split_last() else { return };
        if let Some(unknown) = words.iter().find(|word| !knows(word)) {
            let phrase = words.join(" ");
            tracing::warn!(
                word = unknown,
                phrase,
                "a phrase cannot be recognised: a word has no pronunciation"
            );
            return;
        }
        let state = first.iter().fold(START, |state, word| self.branch(state, word));
        self.arc(state, END, last);
    }

    fn branch(&mut self, from: u32, word: &str) -> u32 {
        if let Some(state) = self.tree.get(&(from, word.to_owned())) {
            return *state;
        }
        let to = self.state();
        self.tree.insert((from, word.to_owned()), to);
        self.arc(from, to, word);
        to
    }

    /// Up to `most` digits, one by one, in pairs ("forty two", "twelve") or repeated ("double five").
    fn digits(&mut self, most: usize) {
        let said: Vec<u32> = (0..=most).map(|count| if count == 0 { START } else { self.state() }).collect();
        for count in 0..most {
            self.reach(&said, count, 1, UNITS);
            self.reach(&said, count, 2, TEENS);
            self.reach(&said, count, 2, TENS);
            if count + 2 <= most {
                let tens = self.state();
                self.arcs(said[count], tens, TENS);
                self.reach_from(tens, &said, count + 2, &UNITS[1..10]);
            }
            for (times, multiplier) in [(2, "double"), (3, "triple")] {
                if count + times <= most {
                    let multiplied = self.state();
                    self.arc(said[count], multiplied, multiplier);
                    self.reach_from(multiplied, &said, count + times, UNITS);
                }
            }
        }
    }

    /// One of `words` makes `more` digits of those said.
    fn reach(&mut self, said: &[u32], count: usize, more: usize, words: &[&str]) {
        if count + more < said.len() {
            self.reach_from(said[count], said, count + more, words);
        }
    }

    /// One of `words` leads to `count` digits, which may be all.
    fn reach_from(&mut self, from: u32, said: &[u32], count: usize, words: &[&str]) {
        self.arcs(from, END, words);
        if count + 1 < said.len() {
            self.arcs(from, said[count], words);
        }
    }

    fn finish(mut self) -> Option<Grammar> {
        if self.arcs.is_empty() {
            return None;
        }
        for (state, words) in [(START, BEFORE), (END, BEHIND)] {
            words.iter().for_each(|word| self.weighted(state, state, word, AROUND));
        }
        for (word, _) in bare_phones() {
            self.weighted(START, ELSEWHERE, &word, ELSE);
            self.weighted(ELSEWHERE, ELSEWHERE, &word, PHONE);
            self.weighted(ELSEWHERE, END, &word, PHONE);
        }
        Some(Grammar { states: self.states + FIXED_STATES, arcs: merged(self.arcs) })
    }

    fn state(&mut self) -> u32 {
        self.states += 1;
        self.states + FIXED_STATES - 1
    }

    fn arcs(&mut self, from: u32, to: u32, words: &[&str]) {
        words.iter().for_each(|word| self.arc(from, to, word));
    }

    fn arc(&mut self, from: u32, to: u32, word: &str) {
        self.weighted(from, to, word, 1.0);
    }

    fn weighted(&mut self, from: u32, to: u32, word: &str, weight: f64) {
        self.arcs.push(Arc { from, to, word: word.to_owned(), weight });
    }
}

/// Without an arc twice: a digit may also be a phrase. The likelier one stays.
fn merged(arcs: Vec<Arc>) -> Vec<Arc> {
    let mut best: BTreeMap<(u32, u32, String), f64> = BTreeMap::new();
    for Arc { from, to, word, weight } in arcs {
        let kept = best.entry((from, to, word)).or_insert(weight);
        *kept = kept.max(weight);
    }
    best.into_iter().map(|((from, to, word), weight)| Arc { from, to, word, weight }).collect()
}

const FIXED_STATES: u32 = 3;

/// What begins the words of bare phones; no word of the dictionary does.
const BARE: char = '_';

// The weights are a balance between answers taken for something else and the reverse: docs/recogniser.md.

/// Of a word around an answer.
const AROUND: f64 = 0.001;

/// Of not being an answer.
const ELSE: f64 = 0.5;

/// Of each phone of what is not an answer.
const PHONE: f64 = 0.01;

const BEFORE: &[&str] = &["um", "uh", "well", "on", "at", "the", "for", "it's", "okay"];
const BEHIND: &[&str] = &["please", "thanks"];
const UNITS: &[&str] =
    &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh"];
const TEENS: &[&str] = &[
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[&str] = &["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// The phones of the CMU dictionary: <http://www.speech.cs.cmu.edu/cgi-bin/cmudict>.
const PHONES: [&str; 39] = [
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
    "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y",
    "Z", "ZH",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(phrases: &[&str]) -> Expectation {
        Expectation {
            phrases: phrases.iter().map(|phrase| (*phrase).to_owned()).collect(),
            ..Expectation::default()
        }
    }

    fn grammar(expectation: &Expectation) -> Grammar {
        Grammar::of(expectation, &|_| true).unwrap()
    }

    /// A path of the words leads from the start to the end.
    fn accepts(grammar: &Grammar, text: &str) -> bool {
        let step = |states: Vec<u32>, word: &str| {
            let arcs = grammar.arcs.iter().filter(|arc| arc.word == word && states.contains(&arc.from));
            arcs.map(|arc| arc.to).collect()
        };
        text.split(' ').fold(vec![START], step).contains(&END)
    }

    #[test]
    fn phrases_are_said_whole_with_a_word_or_two_around_them() {
        let grammar = grammar(&phrases(&["ten", "ten thirty", "half past nine"]));
        for said in ["ten", "ten thirty", "half past nine", "um at ten please", "ten thirty thanks"] {
            assert!(accepts(&grammar, said), "{said}");
        }
        for said in ["thirty", "half past", "half past ten", "ten ten", "um"] {
            assert!(!accepts(&grammar, said), "{said}");
        }
    }

    #[test]
    fn digits_are_said_in_every_way_up_to_their_number() {
        let grammar = grammar(&Expectation { digits: Some(4..=4), ..Expectation::default() });
        for said in
            ["one two three four", "oh five", "twenty one forty five", "double two thirteen", "triple nine"]
        {
            assert!(accepts(&grammar, said), "{said}");
        }
        for said in ["one two three four five", "double", "triple nine ten", "twenty zero one two three"] {
            assert!(!accepts(&grammar, said), "{said}");
        }
    }

    #[test]
    fn a_phrase_with_an_unknown_word_is_left_out() {
        let knows = |word: &str| word != "zyzzx";
        let both = phrases(&["sales", "zyzzx road"]);
        let grammar = Grammar::of(&both, &knows).unwrap();
        assert!(accepts(&grammar, "sales") && !accepts(&grammar, "zyzzx road"));
        assert_eq!(Grammar::of(&phrases(&["zyzzx"]), &knows), None);
    }

    #[test]
    fn nothing_certain_has_no_grammar() {
        assert_eq!(Grammar::of(&Expectation::anything(), &|_| true), None);
        assert_eq!(Grammar::of(&phrases(&["", " - "]), &|_| true), None);
    }

    #[test]
    fn what_is_not_an_answer_is_told_by_its_phones() {
        let grammar = grammar(&phrases(&["yes"]));
        assert!(accepts(&grammar, "_HH _AH _L _OW"));
        assert!(is_elsewhere("_HH _AH"));
        assert!(!is_elsewhere("yes") && !is_elsewhere(""));
    }

    #[test]
    fn no_arc_is_there_twice() {
        let both = Expectation { digits: Some(1..=1), ..phrases(&["one", "one", "the one"]) };
        let grammar = grammar(&both);
        let ones =
            grammar.arcs.iter().filter(|arc| (arc.from, arc.to, arc.word.as_str()) == (START, END, "one"));
        assert_eq!(ones.count(), 1);
    }
}
