/// What a decoder made of an utterance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Transcript {
    /// The words.
    pub(super) text: String,
    /// What lies where, from the first row of cepstra to the last.
    pub(super) spans: Vec<Span>,
    /// Of the utterance: a search that nothing fits any more ends before it.
    pub(super) rows: usize,
}

/// A word, or a silence, and how well it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) is_word: bool,
    /// Of 10 ms.
    pub(super) rows: usize,
    /// The logarithm of how well the sounds fit, against the best of all sounds of the language: 0 or less.
    pub(super) score: i32,
}

impl Transcript {
    /// The words are what was said, rather than the nearest that a grammar has.
    ///
    /// A word that was not said fits badly. And where a sentence was said instead, the words cover a part of it only:
    /// the search ends before the sound does, or the rest passes for silence at an end, where none is left after
    /// trimming.
    pub(super) fn is_certain(&self) -> bool {
        let words = self.spans.iter().filter(|span| span.is_word);
        let (rows, score) = words.fold((0, 0), |(rows, score), word| (rows + word.rows, score + word.score));
        rows > 0
            && f64::from(score) / rows as f64 >= LEAST_SCORE
            && self.longest_end() <= LONGEST_END
            && self.covered() >= self.rows
    }

    fn covered(&self) -> usize {
        self.spans.iter().map(|span| span.rows).sum()
    }

    /// Rows before the first or behind the last word.
    fn longest_end(&self) -> usize {
        let silence = |span: &&Span| !span.is_word;
        let before: usize = self.spans.iter().take_while(silence).map(|span| span.rows).sum();
        let behind: usize = self.spans.iter().rev().take_while(silence).map(|span| span.rows).sum();
        before.max(behind)
    }
}

/// Of a row, on average: docs/internals/recogniser.md tells what it lets through.
const LEAST_SCORE: f64 = -62.0;

/// What a call keeps before speech, should noise hide where that begins: 350 ms.
const LONGEST_END: usize = 35;

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(spans: &[(bool, usize, i32)]) -> Transcript {
        let span = |&(is_word, rows, score)| Span { is_word, rows, score };
        let spans: Vec<Span> = spans.iter().map(span).collect();
        Transcript { text: "yes".into(), rows: spans.iter().map(|span| span.rows).sum(), spans }
    }

    #[test]
    fn words_that_fit_and_cover_the_speech_are_certain() {
        assert!(transcript(&[(false, 20, 0), (true, 50, -2_000), (false, 20, 0)]).is_certain());
        assert!(transcript(&[(true, 50, -2_700), (false, 90, -9_000), (true, 50, -2_800)]).is_certain());
    }

    #[test]
    fn words_that_fit_badly_or_leave_speech_out_are_not() {
        assert!(!transcript(&[(true, 50, -3_200)]).is_certain());
        assert!(!transcript(&[(true, 50, -2_000), (false, 50, 0)]).is_certain());
        assert!(!transcript(&[(false, 20, 0), (false, 20, 0), (true, 50, -2_000)]).is_certain());
        assert!(!transcript(&[(false, 40, 0)]).is_certain());
        assert!(!Transcript::default().is_certain());
        let whole = transcript(&[(true, 50, -2_000)]);
        assert!(!Transcript { rows: 51, ..whole }.is_certain());
    }
}
