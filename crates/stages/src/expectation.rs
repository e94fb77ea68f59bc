//! What the dialogue expects the caller to say next.

use crate::spoken;
use std::ops::RangeInclusive;

/// What the dialogue expects next: it makes a grammar for a recogniser, and tells whether a transcript answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Phrases that answer, in lower case and without punctuation. Empty: anything may be said.
    pub phrases: Vec<String>,
    /// That many digits, spoken or keyed, answer.
    pub digits: Option<RangeInclusive<u8>>,
    /// Anything else may be said too: a recogniser should not force its result onto the phrases.
    pub open: bool,
    /// The longest answer by keys alone, such as the entries of a menu, has so many.
    pub keys: Option<u8>,
}

impl Expectation {
    /// Anything may be said.
    pub fn anything() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// So many keys are an answer without waiting for another one; `None`: only a pause or the end key tells.
    pub fn keys(&self) -> Option<u8> {
        self.keys.max(self.digits.as_ref().map(|count| *count.end()))
    }

    /// The transcript is an answer, fillers aside, and no longer answer begins with it.
    ///
    /// So "ten" does not complete an answer where "ten thirty" would be another one, nor do three of four digits. It
    /// decides how long to wait for more, never what was meant: a caller who says more than this is still understood.
    pub fn completes(&self, text: &str) -> bool {
        let heard = spoken::words(text);
        let core = spoken::without_fillers(&heard);
        let digits = self.digits_in(&core);
        let phrases = self.phrase_in(&heard, &core);
        [digits, phrases].contains(&Standing::Whole) && ![digits, phrases].contains(&Standing::Begun)
    }

    fn digits_in(&self, core: &[String]) -> Standing {
        let Some(count) = &self.digits else { return Standing::None };
        let Some(run) = spoken::whole_run(core) else { return Standing::None };
        let spoken = run.digits.len();
        let most = usize::from(*count.end());
        if spoken < most || run.is_unfinished() {
            Standing::Begun
        } else if spoken == most {
            Standing::Whole
        } else {
            Standing::None
        }
    }

    fn phrase_in(&self, heard: &[String], core: &[String]) -> Standing {
        self.phrases
            .iter()
            .map(|phrase| Standing::of(&spoken::words(phrase), heard, core))
            .max()
            .unwrap_or_default()
    }
}

/// How far a transcript has come towards an answer. The largest counts: an answer that may go on has only begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    #[default]
    None,
    Whole,
    Begun,
}

impl Standing {
    fn of(phrase: &[String], heard: &[String], core: &[String]) -> Self {
        let bare = spoken::without_fillers(phrase);
        // A phrase of nothing but fillers ("thank you") is compared as it is.
        let (phrase, said) = if bare.is_empty() { (phrase, heard) } else { (bare.as_slice(), core) };
        if said.is_empty() || !phrase.starts_with(said) {
            Self::None
        } else if phrase.len() == said.len() {
            Self::Whole
        } else {
            Self::Begun
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(phrases: &[&str]) -> Expectation {
        Expectation {
            phrases: phrases.iter().map(|phrase| (*phrase).to_owned()).collect(),
            ..Expectation::default()
        }
    }

    fn digits(count: RangeInclusive<u8>) -> Expectation {
        Expectation { digits: Some(count), ..Expectation::default() }
    }

    #[test]
    fn an_expected_phrase_completes_with_or_without_fillers() {
        let days = phrases(&["monday", "tuesday"]);
        for said in ["monday", "Monday.", "um monday", "on Monday, please", "i would like monday"] {
            assert!(days.completes(said), "{said}");
        }
        for said in ["", "um", "mon", "the weather", "monday or maybe"] {
            assert!(!days.completes(said), "{said}");
        }
    }

    #[test]
    fn a_phrase_that_may_go_on_does_not_complete() {
        let times = phrases(&["ten", "ten thirty", "noon"]);
        assert!(!times.completes("ten"));
        assert!(times.completes("ten thirty"));
        assert!(times.completes("at noon"));
    }

    #[test]
    fn digits_complete_when_no_more_can_follow() {
        let pin = digits(4..=4);
        for said in [
            "one two three four",
            "1234",
            "my one two oh four",
            "double two five six",
            "twenty one forty five",
        ] {
            assert!(pin.completes(said), "{said}");
        }
        for said in
            ["one two", "one two three", "one two three double", "one two thirty", "one two three four five"]
        {
            assert!(!pin.completes(said), "{said}");
        }
        assert!(!digits(3..=3).completes("one two"));
        assert!(!digits(1..=3).completes("one two"), "a third may follow");
        assert!(digits(1..=3).completes("one two three"));
        assert!(digits(1..=1).completes("um, three please"));
    }

    #[test]
    fn a_digit_that_is_also_a_phrase_waits_for_the_other_digits() {
        let both = Expectation { digits: Some(2..=2), ..phrases(&["one", "operator"]) };
        assert!(!both.completes("one"));
        assert!(both.completes("operator"));
    }

    #[test]
    fn nothing_completes_an_open_question() {
        assert!(!Expectation::anything().completes("anything at all"));
    }

    #[test]
    fn the_longest_keyed_answer_tells_how_many_keys_to_wait_for() {
        assert_eq!(Expectation::anything().keys(), None);
        assert_eq!(digits(2..=4).keys(), Some(4));
        assert_eq!(Expectation { keys: Some(1), ..phrases(&["sales"]) }.keys(), Some(1));
        assert_eq!(Expectation { keys: Some(1), ..digits(4..=4) }.keys(), Some(4));
    }
}
