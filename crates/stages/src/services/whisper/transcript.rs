use crate::services::transcript::letters;

/// The words of one stream: those that stand, those that may still change, and where the running segment begins in them.
///
/// What a segment ended with may have been a guess, which stands later, perhaps a little changed: it is no part of the
/// next segment then. Which words these are is told by their letters, since servers date whole lines only.
#[derive(Clone, Debug, Default)]
pub(in crate::services) struct Transcript {
    standing: String,
    guess: String,
    /// Before the words of the running segment.
    base: Mark,
    /// Behind the words that it was answered with.
    answered: Mark,
}

/// A place between two words.
#[derive(Clone, Debug, Default)]
struct Mark {
    /// Bytes of what stands before it.
    used: usize,
    /// What is before it besides, when it was a guess: its letters.
    ahead: String,
}

impl Transcript {
    /// All words that stand; a server may have forgotten the oldest.
    pub(in crate::services) fn stand(&mut self, whole: &str) {
        if !whole.starts_with(&self.standing) {
            for mark in [&mut self.base, &mut self.answered] {
                mark.used = moved(&self.standing, whole, mark.used);
            }
        }
        self.standing.clear();
        self.standing.push_str(whole);
    }

    /// More words that stand.
    pub(in crate::services) fn append(&mut self, text: &str) {
        let unused = self.base.used.min(self.answered.used);
        if unused > MOST_UNUSED {
            self.standing.drain(..unused);
            self.base.used -= unused;
            self.answered.used -= unused;
        }
        join(&mut self.standing, text);
    }

    /// The words behind those that stand, which may change.
    pub(in crate::services) fn guess(&mut self, text: &str) {
        self.guess.clear();
        self.guess.push_str(text);
    }

    /// The present guess.
    pub(in crate::services) fn guessed(&self) -> &str {
        &self.guess
    }

    /// The words of the running segment.
    pub(in crate::services) fn words(&self) -> String {
        let mut rest = self.standing[self.base.used..].to_owned();
        join(&mut rest, &self.guess);
        let words = behind(&rest, &self.base.ahead);
        if words.contains(char::is_alphanumeric) { words.trim().to_owned() } else { String::new() }
    }

    /// The words of the running segment, for an answer.
    pub(in crate::services) fn answer(&mut self) -> String {
        self.answered = self.end();
        self.words()
    }

    /// Another segment begins: behind all the words there are, or behind the last answer.
    pub(in crate::services) fn begin(&mut self, behind_all: bool) {
        if behind_all {
            self.answered = self.end();
        }
        self.base = self.answered.clone();
    }

    fn end(&self) -> Mark {
        let standing = letters(&self.standing[self.answered.used..]);
        let guess = letters(&self.guess);
        // What is guessed now, or what was guessed before and is still to come.
        let ahead = match self.answered.ahead.strip_prefix(&standing) {
            Some(still) if guess.is_empty() => still.to_owned(),
            _ => guess,
        };
        Mark { used: self.standing.len(), ahead }
    }
}

/// Appends `text`, apart from what is there unless it brings its own space or is punctuation.
pub(in crate::services) fn join(whole: &mut String, text: &str) {
    let ends = whole.chars().next_back();
    let begins = text.chars().next();
    // Languages without spaces are not written in ASCII.
    if ends.is_some_and(|c| c.is_ascii() && !c.is_whitespace())
        && begins.is_some_and(|c| c.is_ascii_alphanumeric())
    {
        whole.push(' ');
    }
    whole.push_str(text);
}

/// Where the byte `used` of `old` is in `new`, which lacks some of the front or has changed.
fn moved(old: &str, new: &str, used: usize) -> usize {
    let common = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    if common >= used {
        return used;
    }
    let kept = old.char_indices().skip(1).map(|(at, _)| at).find(|at| new.starts_with(&old[*at..]));
    match kept {
        Some(at) => used.saturating_sub(at),
        // Words that stood were rewritten.
        None if common > old.len() / 2 => floor_boundary(new, used),
        None => 0,
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// What of `text` is behind the letters that were answered for, if it begins with about these.
fn behind<'t>(text: &'t str, answered: &str) -> &'t str {
    let (same, count) = resemblance(text, answered);
    if count == 0 || same * 2 < count {
        return text;
    }
    let cut = after_letters(text, count);
    let cut = word_boundary(text, cut);
    text[cut..].trim_start_matches(|c: char| !c.is_alphanumeric())
}

/// How many letters both begin with, and how many were answered for.
fn resemblance(text: &str, answered: &str) -> (usize, usize) {
    let spoken = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    let same = spoken.zip(answered.chars()).take_while(|(a, b)| a == b).count();
    (same, answered.chars().count())
}

/// The byte behind so many letters.
fn after_letters(text: &str, count: usize) -> usize {
    let letters = text.char_indices().filter(|(_, c)| c.is_alphanumeric());
    letters.map(|(at, c)| at + c.len_utf8()).take(count).last().unwrap_or(0)
}

/// A cut inside a word is moved to the nearer of its ends.
fn word_boundary(text: &str, cut: usize) -> usize {
    let after = text[cut..].find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len() - cut);
    let start = text[..cut].rfind(|c: char| !c.is_alphanumeric());
    let before = cut - start.map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
    let spaced = text[cut..].starts_with(|c| c < WITHOUT_SPACES);
    if after == 0 || !spaced {
        return cut;
    }
    if before >= after { cut + after } else { cut - before }
}

/// Bytes of former segments that are kept.
const MOST_UNUSED: usize = 4 * 1_024;

/// From Thai on most scripts write no spaces between words, so that a word has no end to move to.
const WITHOUT_SPACES: char = '\u{0e00}';

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(standing: &str, guess: &str) -> Transcript {
        let mut transcript = Transcript::default();
        transcript.stand(standing);
        transcript.guess(guess);
        transcript
    }

    /// The answer to a segment that the next one follows at once.
    fn last(words: &mut Transcript) -> String {
        let answer = words.answer();
        words.begin(false);
        answer
    }

    #[test]
    fn each_word_belongs_to_one_segment() {
        let mut words = transcript(" Hello", " there");
        assert_eq!(last(&mut words), "Hello there");
        assert_eq!(words.words(), "");
        words.stand(" Hello there, my");
        words.guess(" friend");
        assert_eq!(last(&mut words), "my friend");
        words.stand(" Hello there, my friend.");
        words.guess("");
        assert_eq!(last(&mut words), "");
        words.stand(" Hello there, my friend. Yes");
        assert_eq!(last(&mut words), "Yes");
    }

    #[test]
    fn an_answer_that_speech_went_on_behind_is_said_again_as_it_stands_then() {
        let mut words = transcript("", " a table for");
        assert_eq!(words.answer(), "a table for");
        words.stand(" A table");
        words.guess(" four please");
        assert_eq!(last(&mut words), "A table four please");
    }

    #[test]
    fn words_that_came_too_late_are_not_of_the_next_segment() {
        let mut words = transcript(" hello", "");
        words.answer();
        words.stand(" hello there");
        words.begin(true);
        words.stand(" hello there yes");
        assert_eq!(words.answer(), "yes");
    }

    #[test]
    fn a_guess_that_stands_a_little_changed_is_not_told_twice() {
        for (guess, stands, fresh) in [
            (" for", " four five", "five"),
            (" to night", " tonight at", "at"),
            (" to", " tomorrow", "tomorrow"),
            (" yes", " Yes.", ""),
            (" hello there", " hello", ""),
        ] {
            let mut words = transcript("", guess);
            last(&mut words);
            words.guess("");
            words.stand(stands);
            assert_eq!(words.words(), fresh, "{guess} became {stands}");
        }
    }

    #[test]
    fn a_guess_that_was_dropped_hides_nothing() {
        let mut words = transcript("", " Thank you.");
        assert_eq!(last(&mut words), "Thank you.");
        words.guess("");
        assert_eq!(last(&mut words), "");
        words.guess(" Tomorrow at nine");
        assert_eq!(last(&mut words), "Tomorrow at nine");
    }

    #[test]
    fn a_guess_that_vanishes_for_a_moment_is_not_told_twice() {
        let mut words = transcript("", " hello there");
        last(&mut words);
        words.guess("");
        assert_eq!(last(&mut words), "");
        words.stand(" hello there");
        assert_eq!(last(&mut words), "");
    }

    #[test]
    fn what_a_server_forgets_at_the_front_moves_the_rest() {
        let mut words = transcript(" one two three", "");
        last(&mut words);
        words.stand(" two three four");
        assert_eq!(last(&mut words), "four");
        words.stand(" five");
        assert_eq!(last(&mut words), "five");
    }

    #[test]
    fn languages_without_spaces_are_told_apart_by_letters() {
        let mut words = transcript("你好", "我想");
        assert_eq!(last(&mut words), "你好我想");
        words.guess("");
        words.stand("你好我想订一张票");
        assert_eq!(last(&mut words), "订一张票");
    }

    #[test]
    fn what_is_appended_does_not_run_together_nor_pile_up() {
        let mut words = Transcript::default();
        for _ in 0..2_000 {
            words.append("Hello there.");
            words.append("Yes");
            assert_eq!(last(&mut words), "Hello there. Yes");
        }
        assert!(words.standing.len() < 2 * MOST_UNUSED);
    }
}
