use crate::{Expectation, spoken};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What may be said, as a graph: a path of words from [`START`] to [`END`] for each answer.
///
/// An answer may have a word on each side ("um monday please"), but no more: what many little words could be would
/// swallow whole sentences. A number of digits may be cut short, for a caller pauses within a number and is heard in
/// parts.
///
/// Beside them stand the commonest words of the language, each as little likely as a word around an answer. What was
/// not expected is then heard as one of those that it sounds like, rather than as the nearest answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grammar {
    pub(super) states: u32,
    pub(super) arcs: Vec<Arc>,
    /// The words that answers are made of.
    answers: BTreeSet<String>,
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

/// After a word that comes before an answer.
const BEGUN: u32 = 2;

/// After an answer that a word comes behind.
const SAID: u32 = 3;

const FIXED_STATES: u32 = 4;

impl Grammar {
    /// The grammar of an expectation, without the phrases that have a word which the recogniser does not know; `None`
    /// when nothing certain is expected.
    ///
    /// `others` are words that may be said although nobody expects them; the recogniser knows them.
    pub(super) fn of(
        expectation: &Expectation,
        knows: &dyn Fn(&str) -> bool,
        others: &[String],
    ) -> Option<Self> {
        let mut builder = Builder::default();
        for phrase in &expectation.phrases {
            builder.phrase(&spoken::words(phrase), knows);
        }
        if let Some(count) = &expectation.digits {
            builder.digits(usize::from(*count.end()));
        }
        builder.finish(others)
    }

    /// Whether a transcript has an answer, rather than one of the words beside them.
    pub(super) fn has_answer(&self, text: &str) -> bool {
        text.split_whitespace().any(|word| self.answers.contains(word))
    }
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
        self.arc(state, END, last, 1.0);
    }

    fn branch(&mut self, from: u32, word: &str) -> u32 {
        if let Some(state) = self.tree.get(&(from, word.to_owned())) {
            return *state;
        }
        let to = self.state();
        self.tree.insert((from, word.to_owned()), to);
        self.arc(from, to, word, 1.0);
        to
    }

    /// Up to `most` digits, one by one, in pairs ("forty two", "twelve") or repeated ("double five").
    fn digits(&mut self, most: usize) {
        let said: Vec<u32> = (0..=most).map(|count| if count == 0 { START } else { self.state() }).collect();
        for (count, from) in said[..most].iter().copied().enumerate() {
            self.reach(from, &said[count + 1..], UNITS, 1.0);
            let Some(pair) = said.get(count + 2..) else { continue };
            self.reach(from, pair, TEENS, NUMBER);
            self.reach(from, pair, TENS, NUMBER);
            let tens = self.between(from, TENS);
            self.reach(tens, pair, &UNITS[1..10], 1.0);
            let double = self.between(from, &["double"]);
            self.reach(double, pair, UNITS, 1.0);
            let Some(three) = said.get(count + 3..) else { continue };
            let triple = self.between(from, &["triple"]);
            self.reach(triple, three, UNITS, 1.0);
        }
    }

    /// A new state, behind words that a digit must follow.
    fn between(&mut self, from: u32, words: &[&str]) -> u32 {
        let to = self.state();
        words.iter().for_each(|word| self.arc(from, to, word, NUMBER));
        to
    }

    /// Each of `words` makes all digits that may be said, or so many that more may follow: the first of `said`.
    fn reach(&mut self, from: u32, said: &[u32], words: &[&str], weight: f64) {
        for word in words {
            if let [_, ..] = said {
                self.arc(from, END, word, weight);
            }
            if let [more, _, ..] = said {
                self.arc(from, *more, word, weight * ANOTHER);
            }
        }
    }

    fn finish(mut self, others: &[String]) -> Option<Grammar> {
        if self.arcs.is_empty() {
            return None;
        }
        let answers: BTreeSet<String> = self.arcs.iter().map(|arc| arc.word.clone()).collect();
        self.surround();
        let unexpected = others.iter().filter(|word| !answers.contains(*word));
        unexpected.for_each(|word| self.arc(START, END, word, OTHER));
        Some(Grammar { states: self.states + FIXED_STATES, arcs: merged(self.arcs), answers })
    }

    /// Lets every answer begin and end with a word that is none.
    fn surround(&mut self) {
        let begun = |arc: &Arc| if arc.from == START { BEGUN } else { arc.from };
        let said = |arc: &Arc| if arc.to == END { SAID } else { arc.to };
        let copies = self.arcs.iter().flat_map(|arc| {
            [(begun(arc), arc.to), (arc.from, said(arc)), (begun(arc), said(arc))].map(|(from, to)| Arc {
                from,
                to,
                ..arc.clone()
            })
        });
        self.arcs.extend(copies.collect::<Vec<_>>());
        BEFORE.iter().for_each(|word| self.arc(START, BEGUN, word, AROUND));
        BEHIND.iter().for_each(|word| self.arc(SAID, END, word, AROUND));
    }

    fn state(&mut self) -> u32 {
        self.states += 1;
        self.states + FIXED_STATES - 1
    }

    fn arc(&mut self, from: u32, to: u32, word: &str, weight: f64) {
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

// Likelihoods against those of an answer's words: docs/internals/recogniser.md.

/// Of a word around an answer.
const AROUND: f64 = 0.0001;

/// Of a word that is not expected.
const OTHER: f64 = 0.000_003;

/// Of another digit to follow.
const ANOTHER: f64 = 0.03;

/// Of digits said as a number: "eight five" sounds like "eighty five".
const NUMBER: f64 = 0.001;

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
        Grammar::of(expectation, &|_| true, &[]).unwrap()
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
        for said in ["ten", "ten thirty", "half past nine", "at ten please", "ten thirty thanks"] {
            assert!(accepts(&grammar, said), "{said}");
        }
        for said in ["thirty", "half past", "half past ten", "ten ten", "um", "um at ten"] {
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
        let grammar = Grammar::of(&both, &knows, &[]).unwrap();
        assert!(accepts(&grammar, "sales") && !accepts(&grammar, "zyzzx road"));
        assert_eq!(Grammar::of(&phrases(&["zyzzx"]), &knows, &[]), None);
    }

    #[test]
    fn nothing_certain_has_no_grammar() {
        assert_eq!(Grammar::of(&Expectation::anything(), &|_| true, &["the".into()]), None);
        assert_eq!(Grammar::of(&phrases(&["", " - "]), &|_| true, &[]), None);
    }

    #[test]
    fn other_words_stand_beside_the_answers_and_are_none() {
        let others = ["no", "october", "on"].map(str::to_owned);
        let grammar = Grammar::of(&phrases(&["yes", "no thanks"]), &|_| true, &others).unwrap();
        for (said, answer) in [("yes", true), ("on yes", true), ("no thanks", true), ("october", false)] {
            assert!(accepts(&grammar, said), "{said}");
            assert_eq!(grammar.has_answer(said), answer, "{said}");
        }
        assert!(!accepts(&grammar, "no") && !accepts(&grammar, "october yes"));
        assert!(!grammar.has_answer("on") && !grammar.has_answer(""));
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
