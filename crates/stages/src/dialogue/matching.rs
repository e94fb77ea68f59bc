//! Which choice a caller meant.
//!
//! 1. Numerals, contractions and punctuation are made words, fillers ("um", "please", "on") are dropped.
//! 2. Every pattern of every choice is looked for in the rest. What follows the word "not" is not meant.
//! 3. The best find wins: one that is all that was said before one inside a sentence; more words before fewer; the
//!    state's own choices before those of everywhere; what was said last before what was said first ("monday, no,
//!    tuesday"); what stands first in the file.
//! 4. A sentence that both agrees and refuses is not understood, rather than guessed.
//! 5. Where a state hears anything, the other choices count only if they are all that was said, so that no sentence
//!    is taken for a command because of one word in it.

use super::script::{Choice, Pattern, Phrase};
use super::time_of_day;
use crate::spoken;
use std::ops::{Range, RangeInclusive};

/// A choice that was understood.
#[derive(Debug)]
pub(super) struct Understood<'s> {
    pub(super) choice: &'s Choice,
    /// What its slot keeps.
    pub(super) value: String,
}

/// What was meant by these words.
pub(super) fn said<'s>(own: &'s [Choice], everywhere: &'s [Choice], text: &str) -> Option<Understood<'s>> {
    let heard = Heard::new(text);
    let mut finds: Vec<Candidate<'s>> = Vec::new();
    for (choices, is_own) in [(own, true), (everywhere, false)] {
        for (choice, pattern) in
            choices.iter().flat_map(|choice| choice.patterns.iter().map(move |p| (choice, p)))
        {
            let found = heard.find(pattern).into_iter();
            finds.extend(found.map(|find| Candidate { choice, pattern, is_own, find }));
        }
    }
    if contradicts_itself(&finds) {
        return None;
    }
    let hears_anything = finds.iter().any(|candidate| *candidate.pattern == Pattern::Anything);
    finds.retain(|candidate| {
        !hears_anything || candidate.find.whole || *candidate.pattern == Pattern::Anything
    });
    // `max_by_key` takes the last of equals, the file's first is wanted.
    let best = finds.into_iter().rev().max_by_key(Candidate::rank)?;
    Some(Understood { choice: best.choice, value: best.find.value })
}

/// What was meant by these keys. The state's own choices come first, then the file's order.
pub(super) fn pressed<'s>(
    mut choices: impl Iterator<Item = &'s Choice>,
    keys: &str,
) -> Option<Understood<'s>> {
    choices.find_map(|choice| keyed(choice, keys).map(|value| Understood { choice, value }))
}

/// What the choice understands by these keys.
pub(super) fn keyed(choice: &Choice, keys: &str) -> Option<String> {
    if choice.keys.iter().any(|menu| menu == keys) {
        return Some(keys.to_owned());
    }
    let all_digits = !keys.is_empty() && keys.bytes().all(|key| key.is_ascii_digit());
    choice.patterns.iter().filter(|_| all_digits).find_map(|pattern| match pattern {
        Pattern::Digits(count) => holds(count, keys.len()).then(|| keys.to_owned()),
        Pattern::Number(range) => keys.parse().ok().filter(|n| range.contains(n)).map(|n: u8| n.to_string()),
        Pattern::Time => time_of_day::keyed(keys),
        Pattern::Day => day_keyed(keys),
        Pattern::Phrase(_) | Pattern::Yes | Pattern::No | Pattern::Anything => None,
    })
}

/// All that was said is an answer to this choice.
pub(super) fn is_whole_answer(choice: &Choice, text: &str) -> bool {
    let heard = Heard::new(text);
    choice.patterns.iter().flat_map(|pattern| heard.find(pattern)).any(|find| find.whole)
}

/// What a recogniser may hear where the pattern is expected.
pub(super) fn phrases(pattern: &Pattern) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match pattern {
        Pattern::Phrase(phrase) => vec![phrase.text.clone()],
        Pattern::Yes => owned(&YES),
        Pattern::No => owned(&NO),
        Pattern::Day => DAYS.map(str::to_lowercase).into(),
        Pattern::Time => time_of_day::phrases().collect(),
        Pattern::Number(range) => range.clone().map(spoken::cardinal_words).collect(),
        Pattern::Digits(_) | Pattern::Anything => Vec::new(),
    }
}

struct Candidate<'s> {
    choice: &'s Choice,
    pattern: &'s Pattern,
    is_own: bool,
    find: Find,
}

impl Candidate<'_> {
    fn rank(&self) -> (bool, usize, bool, usize) {
        (self.find.whole, self.find.words.len(), self.is_own, self.find.words.end)
    }
}

/// One place where a pattern fits.
#[derive(Clone, Debug)]
struct Find {
    words: Range<usize>,
    /// Nothing else was said.
    whole: bool,
    value: String,
}

/// What was said, as words.
struct Heard<'t> {
    text: &'t str,
    words: Vec<String>,
    /// Without fillers.
    core: Vec<String>,
}

impl<'t> Heard<'t> {
    fn new(text: &'t str) -> Self {
        let words = spoken::words(text);
        let core = spoken::without_fillers(&words);
        Self { text, words, core }
    }

    fn find(&self, pattern: &Pattern) -> Vec<Find> {
        match pattern {
            Pattern::Phrase(Phrase { text, .. }) => self.phrase(text, text),
            Pattern::Yes => YES.iter().flat_map(|phrase| self.phrase(phrase, "yes")).collect(),
            Pattern::No => NO.iter().flat_map(|phrase| self.phrase(phrase, "no")).collect(),
            Pattern::Day => DAYS.iter().flat_map(|day| self.phrase(day, day)).collect(),
            Pattern::Time => self.times(),
            Pattern::Digits(count) => self.digits(count),
            Pattern::Number(range) => self.numbers(range),
            Pattern::Anything if self.words.is_empty() => Vec::new(),
            Pattern::Anything => vec![Find { words: 0..0, whole: false, value: self.text.trim().to_owned() }],
        }
    }

    fn phrase(&self, phrase: &str, value: &str) -> Vec<Find> {
        let phrase = spoken::words(phrase);
        let core = spoken::without_fillers(&phrase);
        if phrase == self.words || core.is_empty() {
            // A phrase of nothing but fillers ("okay") answers only if nothing else was said.
            let whole = phrase == self.words && !phrase.is_empty();
            return whole.then(|| self.found(0..self.core.len(), value)).into_iter().collect();
        }
        let starts = self.core.windows(core.len()).enumerate().filter(|(_, window)| *window == core);
        starts.filter_map(|(at, _)| self.meant(at..at + core.len(), value)).collect()
    }

    fn times(&self) -> Vec<Find> {
        let times = time_of_day::find(&self.core).into_iter();
        times.filter_map(|time| self.meant(time.words, &time.value)).collect()
    }

    fn digits(&self, count: &RangeInclusive<u8>) -> Vec<Find> {
        if let Some(digit) = self.lone_homophone().filter(|_| count.contains(&1)) {
            return vec![self.found(0..self.core.len(), &digit.to_string())];
        }
        let runs = spoken::digit_runs(&self.core).into_iter().filter(|run| holds(count, run.digits.len()));
        runs.filter_map(|run| self.meant(run.words, &run.digits)).collect()
    }

    fn numbers(&self, range: &RangeInclusive<u8>) -> Vec<Find> {
        if let Some(digit) = self.lone_homophone().filter(|digit| range.contains(digit)) {
            return vec![self.found(0..self.core.len(), &digit.to_string())];
        }
        let runs = spoken::digit_runs(&self.core).into_iter().map(|run| run.words);
        let pairs = (0..self.core.len()).flat_map(|at| [at..at + 1, at..at + 2]);
        let number = |words: Range<usize>, of: fn(&[String]) -> Option<u8>| {
            let number = of(self.core.get(words.clone())?).filter(|number| range.contains(number))?;
            self.meant(words, &number.to_string())
        };
        let cardinals = runs.filter_map(|words| number(words, spoken::cardinal));
        cardinals.chain(pairs.filter_map(|words| number(words, spoken::ordinal))).collect()
    }

    /// "two" is easily heard as "to" when nothing else is said.
    fn lone_homophone(&self) -> Option<u8> {
        let [word] = self.words.as_slice() else { return None };
        HOMOPHONES.iter().find(|(name, _)| name == word).map(|(_, digit)| *digit)
    }

    fn meant(&self, words: Range<usize>, value: &str) -> Option<Find> {
        let negated = words.start > 0 && self.core[words.start - 1] == "not";
        (!negated).then(|| self.found(words, value))
    }

    fn found(&self, words: Range<usize>, value: &str) -> Find {
        Find { whole: words == (0..self.core.len()), words, value: value.to_owned() }
    }
}

/// A yes and a no that are not parts of each other ("not right" is one no, not a no and a yes).
fn contradicts_itself(finds: &[Candidate<'_>]) -> bool {
    let longest = |pattern: &Pattern| {
        let finds = finds.iter().filter(|candidate| candidate.pattern == pattern).map(|found| &found.find);
        finds.max_by_key(|find| find.words.len())
    };
    match (longest(&Pattern::Yes), longest(&Pattern::No)) {
        (Some(yes), Some(no)) => yes.words.end <= no.words.start || no.words.end <= yes.words.start,
        _ => false,
    }
}

/// 1 is Monday and 7 is Sunday, as in ISO 8601.
fn day_keyed(keys: &str) -> Option<String> {
    let day = keys.parse::<usize>().ok()?.checked_sub(1)?;
    DAYS.get(day).filter(|_| keys.len() == 1).map(|day| (*day).to_owned())
}

fn holds(count: &RangeInclusive<u8>, digits: usize) -> bool {
    u8::try_from(digits).is_ok_and(|digits| count.contains(&digits))
}

/// None begins with another one, so that each completes an answer at once.
const YES: [&str; 10] =
    ["yes", "yeah", "yep", "sure", "correct", "right", "exactly", "absolutely", "of course", "okay"];
const NO: [&str; 7] = ["no", "nope", "wrong", "incorrect", "not right", "not correct", "not really"];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HOMOPHONES: [(&str, u8); 6] = [("to", 2), ("too", 2), ("for", 4), ("fore", 4), ("won", 1), ("ate", 8)];
